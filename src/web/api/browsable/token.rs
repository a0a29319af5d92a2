//! The tokens of a page, decoded: those of the answer, then those that were sent. Each has the possible next requests
//! with it (`steps`).

use serde_json::Value;

use crate::app::App;
use crate::db::types::Instant;
use crate::tokens::TokenError;
use crate::tokens::claims as rules;
use crate::web::claims::{self, Claim, Context, Decoded, Owner};
use crate::web::words::{Reader, length};

use super::super::field::Control;
use super::frame::Frame;
use super::input::Input;
use super::page_request::{ACCESS_TOKEN, PageRequest};
use super::steps::{NextStep, of_token};

/// How many claims are shown.
const MOST_CLAIMS: usize = 40;
/// How many characters of a value are shown.
const LONGEST_VALUE: usize = 400;

/// A token, and the next requests with it.
pub struct DecodedToken {
    /// Whether it came with the request.
    pub is_sent: bool,
    /// Whether the answer has newer ones, so that this one is folded away.
    pub is_folded: bool,
    /// `Refresh token`
    pub title: &'static str,
    /// `a refresh token`
    pub name: &'static str,
    /// How long it is valid, or why it is not.
    pub badge: Badge,
    /// A further remark.
    pub note: &'static str,
    /// Header and claims, up to a limit.
    pub claims: Vec<Claim>,
    /// How many claims are not shown.
    pub hidden: usize,
    /// The next requests.
    pub steps: Vec<NextStep>,
}

/// A few words on a coloured background.
pub struct Badge {
    /// The background, by its class in the style sheet.
    pub class: &'static str,
    /// The icon.
    pub icon: &'static str,
    /// The words.
    pub text: String,
}

/// Every token of an answer and of its request.
pub async fn all(app: &App, request: &PageRequest, inputs: &[Input], answer: &Value) -> Vec<DecodedToken> {
    let texts = answer.as_object().into_iter().flatten();
    let texts = texts.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let access = answer.get("access").and_then(Value::as_str);
    let mut tokens: Vec<_> = texts.filter_map(|(name, text)| answered(app, name, text, access)).collect();
    let is_folded = !tokens.is_empty();
    for field in inputs.iter().map(|input| &input.field).filter(|field| field.control == Control::Token) {
        if let Some(text) = request.token(field.name) {
            tokens.push(DecodedToken { is_folded, ..presented(app, &request.frame, field.name, text).await });
        }
    }
    tokens
}

/// A token that was just issued; `None` if the text is not a token.
fn answered(app: &App, name: &str, text: &str, access: Option<&str>) -> Option<DecodedToken> {
    let decoded = decode(app, text).filter(|decoded| decoded.is_whole)?;
    let badge = match decoded.expires.map(|at| remaining(app, at)) {
        Some(seconds @ 1..) => badge("live", "clock", format!("Good for {}", words(seconds))),
        Some(seconds) => badge("expired", "clock", format!("Expired {} ago", words(seconds))),
        None => badge("", "clock", "Never expires".to_owned()),
    };
    let steps = of_token(app, token_type(&decoded, name), text, access);
    Some(DecodedToken { is_sent: false, badge, steps, ..outline(&decoded, name) })
}

/// A token that came with the request.
async fn presented(app: &App, frame: &Frame, name: &str, text: &str) -> DecodedToken {
    let Some(decoded) = decode(app, text) else {
        let note = "This is not a JSON Web Token, which has three parts in base64url with dots between them. The first two \
                    are JSON.";
        let badge = badge("blacklisted", "ban", "Not a token".to_owned());
        return DecodedToken { badge, note, ..outline(&Decoded::default(), name) };
    };
    let verdict = rules::decode(app, text).await;
    let (badge, note) = match (verdict, decoded.expires.map(|at| remaining(app, at))) {
        (Err(TokenError::Expired), Some(seconds)) | (Ok(_), Some(seconds @ ..=0)) => {
            (badge("expired", "clock", format!("Expired {} ago", words(seconds))), "")
        }
        (Ok(_), Some(seconds)) => (badge("", "clock", format!("Expires in {}", words(seconds))), ""),
        (Ok(_), None) => (badge("", "clock", "Never expires".to_owned()), ""),
        (Err(_), _) => (
            badge("blacklisted", "ban", "Not valid here".to_owned()),
            "Its signature, algorithm, times, issuer or audience are not what this server accepts. This is what it says, \
             and none of it can be trusted.",
        ),
    };
    let mut steps = of_token(app, token_type(&decoded, name), text, None);
    // The page's own form already has the token.
    steps.retain(|step| !frame.is_at(&step.endpoint));
    DecodedToken { badge, note, steps, ..outline(&decoded, name) }
}

fn decode(app: &App, text: &str) -> Option<Decoded> {
    // Tokens count in whole seconds; with a fraction, five minutes would be shown as four.
    let now = Instant::from_timestamp(app.now().timestamp())?;
    claims::decode(text, &Context { jwt: &app.config.jwt, owner: Owner::Unknown, reader: Reader::in_utc(now) })
}

fn remaining(app: &App, expires: Instant) -> i64 {
    expires.timestamp().saturating_sub(app.now().timestamp())
}

fn words(seconds: i64) -> String {
    length(seconds.unsigned_abs())
}

fn badge(class: &'static str, icon: &'static str, text: String) -> Badge {
    Badge { class, icon, text }
}

/// The parts that every token has.
fn outline(decoded: &Decoded, name: &str) -> DecodedToken {
    let (title, article) = match token_type(decoded, name) {
        "refresh" => ("Refresh token", "a refresh token"),
        "access" => ("Access token", "an access token"),
        "sliding" => ("Sliding token", "a sliding token"),
        _ => ("Token", "a token"),
    };
    let claims = decoded.claims.iter().take(MOST_CLAIMS).cloned().map(shortened).collect();
    let hidden = decoded.claims.len().saturating_sub(MOST_CLAIMS);
    let badge = badge("", "", String::new());
    DecodedToken {
        is_sent: true,
        is_folded: false,
        title,
        name: article,
        badge,
        note: "",
        claims,
        hidden,
        steps: Vec::new(),
    }
}

fn shortened(claim: Claim) -> Claim {
    let shorten = |text: String| match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    Claim { name: shorten(claim.name), value: shorten(claim.value), meaning: claim.meaning }
}

/// The type that a token claims; if it has no type claim, the type that its field is for.
fn token_type<'a>(decoded: &'a Decoded, name: &'a str) -> &'a str {
    match (decoded.kind.as_deref(), name) {
        (Some(kind), _) => kind,
        (None, "refresh" | "refresh_token") => "refresh",
        (None, "access" | ACCESS_TOKEN) => "access",
        (None, _) => "",
    }
}
