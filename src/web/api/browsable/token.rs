//! The tokens of a page, decoded: those of the answer, then those that were sent. With each come the requests that one
//! would make with it next (`steps`).

use serde_json::Value;

use crate::app::App;
use crate::db::types::Instant;
use crate::tokens::TokenError;
use crate::tokens::claims as rules;
use crate::web::claims::{self, Claim, Context, Decoded, Owner};
use crate::web::words::{Reader, length};

use super::form::{ACCESS_TOKEN, Input, Kind, Sent};
use super::frame::Frame;
use super::steps::{Step, of_token};

/// More claims, or longer values, are no reading.
const MOST_CLAIMS: usize = 40;
const LONGEST_VALUE: usize = 400;

/// A token, and what can be done with it.
pub struct Token {
    /// Whether it came with the request.
    pub is_sent: bool,
    /// Whether newer ones came back for it, so that few will look at it.
    pub is_folded: bool,
    /// `Refresh token`
    pub title: &'static str,
    /// `a refresh token`
    pub name: &'static str,
    /// How long it is good, or why not.
    pub badge: Badge,
    /// What has to be said besides.
    pub note: &'static str,
    /// Header and claims, as far as they are shown.
    pub claims: Vec<Claim>,
    /// How many claims are not shown.
    pub hidden: usize,
    /// What can be done next.
    pub steps: Vec<Step>,
}

/// A few words on a ground.
pub struct Badge {
    /// The style sheet's word for the ground.
    pub class: &'static str,
    /// The icon.
    pub icon: &'static str,
    /// The words.
    pub text: String,
}

/// Every token of an answer and of its request.
pub async fn all(app: &App, frame: &Frame, inputs: &[Input], sent: &Sent, answer: &Value) -> Vec<Token> {
    let texts = answer.as_object().into_iter().flatten();
    let texts = texts.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let access = answer.get("access").and_then(Value::as_str);
    let mut tokens: Vec<_> = texts.filter_map(|(name, text)| answered(app, name, text, access)).collect();
    let is_folded = !tokens.is_empty();
    for input in inputs.iter().filter(|input| input.kind == Kind::Token) {
        if let Some(text) = sent.token(input.name) {
            tokens.push(Token { is_folded, ..presented(app, frame, input.name, text).await });
        }
    }
    tokens
}

/// A token that was just issued; `None` if the text is none.
fn answered(app: &App, name: &str, text: &str, access: Option<&str>) -> Option<Token> {
    let decoded = decode(app, text).filter(|decoded| decoded.is_whole)?;
    let badge = match decoded.expires.map(|at| remaining(app, at)) {
        Some(seconds @ 1..) => badge("live", "clock", format!("Good for {}", words(seconds))),
        Some(seconds) => badge("expired", "clock", format!("Expired {} ago", words(seconds))),
        None => badge("", "clock", "Never expires".to_owned()),
    };
    let steps = of_token(app, kind(&decoded, name), text, access);
    Some(Token { is_sent: false, badge, steps, ..told(&decoded, name) })
}

/// A token that came with the request.
async fn presented(app: &App, frame: &Frame, name: &str, text: &str) -> Token {
    let Some(decoded) = decode(app, text) else {
        let note = "This is not a JSON web token. One has three parts in base64url with dots between them, and the first \
                    two are JSON.";
        let badge = badge("blacklisted", "ban", "Not a token".to_owned());
        return Token { badge, note, ..told(&Decoded::default(), name) };
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
             and nothing of it is believed.",
        ),
    };
    let mut steps = of_token(app, kind(&decoded, name), text, None);
    // The form of the page itself has the token already.
    steps.retain(|step| !frame.is_at(&step.endpoint));
    Token { badge, note, steps, ..told(&decoded, name) }
}

fn decode(app: &App, text: &str) -> Option<Decoded> {
    // Tokens count whole seconds; a fraction more would make five minutes four.
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

/// What is told of every token.
fn told(decoded: &Decoded, name: &str) -> Token {
    let (title, article) = match kind(decoded, name) {
        "refresh" => ("Refresh token", "a refresh token"),
        "access" => ("Access token", "an access token"),
        "sliding" => ("Sliding token", "a sliding token"),
        _ => ("Token", "a token"),
    };
    let claims = decoded.claims.iter().take(MOST_CLAIMS).cloned().map(shortened).collect();
    let hidden = decoded.claims.len().saturating_sub(MOST_CLAIMS);
    let badge = badge("", "", String::new());
    Token { is_sent: true, is_folded: false, title, name: article, badge, note: "", claims, hidden, steps: Vec::new() }
}

fn shortened(claim: Claim) -> Claim {
    let shorten = |text: String| match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    Claim { name: shorten(claim.name), value: shorten(claim.value), meaning: claim.meaning }
}

/// What kind a token says it is; without a word of it, what the field is for.
fn kind<'a>(decoded: &'a Decoded, name: &'a str) -> &'a str {
    match (decoded.kind.as_deref(), name) {
        (Some(kind), _) => kind,
        (None, "refresh" | "refresh_token") => "refresh",
        (None, "access" | ACCESS_TOKEN) => "access",
        (None, _) => "",
    }
}
