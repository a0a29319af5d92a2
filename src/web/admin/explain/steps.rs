//! Each check in a line: what was looked at, and what came of it, with its numbers.

use serde_json::Value;

use super::super::status;
use super::super::words::{Reader, amount, commas, length};
use super::Sentence;
use super::record::session_ended;
use crate::app::App;
use crate::crypto::decode_error::DecodeError;
use crate::db::types::Instant;
use crate::tokens::explain::check::{Check, State, Step};
use crate::tokens::explain::{Explanation, SignedBy};

/// A check, ready to be shown.
pub struct Line {
    /// The style sheet's word.
    pub class: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What came of it.
    pub text: Sentence,
}

/// The checks of the use that the token was made for.
pub fn lines(app: &App, token: &Explanation, reader: Reader) -> Vec<Line> {
    let steps = token.main().map(|main| main.steps.as_slice()).unwrap_or_default();
    steps.iter().map(|step| line(app, token, *step, reader)).collect()
}

fn line(app: &App, token: &Explanation, step: Step, reader: Reader) -> Line {
    let is_unknown = step.check == Check::Signature && token.signed_by == SignedBy::NoSignature;
    let (class, icon) = match step.state {
        State::Passed if is_unknown => ("skip-it", "minus"),
        State::Passed => ("", "check"),
        State::Failed => ("no", "x"),
        State::NotReached => ("skip-it", "minus"),
    };
    let text = match step.state {
        State::Passed => passed(app, token, step.check, reader),
        State::Failed => failed(app, token, step.check, reader),
        State::NotReached => Sentence::plain("Not reached"),
    };
    Line { class, icon, title: title(step.check), text }
}

fn title(check: Check) -> &'static str {
    match check {
        Check::Form => "Form",
        Check::Algorithm => "Algorithm",
        Check::Header => "Header",
        Check::Key => "Key",
        Check::Signature => "Signature",
        Check::Payload => "Payload",
        Check::Issued => "Issued",
        Check::NotBefore => "Not before",
        Check::Expiry => "Expiry",
        Check::Texts => "Claim types",
        Check::Issuer => "Issuer",
        Check::Audience => "Audience",
        Check::Record => "Record",
        Check::Blacklist => "Blacklist",
        Check::Lifetime => "Lifetime",
        Check::Id => "Id",
        Check::Type => "Type",
        Check::RefreshExpiry => "Refreshes",
        Check::UserId => "User id",
        Check::Session => "Session",
        Check::User => "User",
        Check::Active => "Active",
        Check::Password => "Password",
    }
}

/// A claim as it stands in the token.
pub fn claim(token: &Explanation, name: &str) -> String {
    match token.claims.get(name) {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => format!("“{}”", shorten(text)),
        Some(other) => shorten(&other.to_string()),
    }
}

/// A text from outside, short enough for a line.
pub fn shorten(text: &str) -> String {
    const LONGEST: usize = 80;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// The algorithm that its header names.
pub fn algorithm(token: &Explanation) -> String {
    match token.header.get("alg") {
        None => "no algorithm".to_owned(),
        Some(Value::String(name)) => shorten(name),
        Some(other) => shorten(&other.to_string()),
    }
}

/// A time that a claim names.
pub fn time(token: &Explanation, name: &str) -> Option<Instant> {
    let value = token.claims.get(name)?;
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large saturates, and is no year we know")]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))?;
    Instant::from_timestamp(seconds)
}

/// ` (JWT_LEEWAY allows 10 seconds more)`
pub fn leeway(app: &App) -> String {
    match app.config.jwt.leeway.as_secs() {
        0 => String::new(),
        seconds => format!(" (JWT_LEEWAY allows {} more)", length(seconds)),
    }
}

fn at_claim(token: &Explanation, name: &str, reader: Reader, before: &str, after: String) -> Sentence {
    match time(token, name) {
        Some(at) => Sentence::at(before, at, reader, after),
        None => Sentence::plain(format!("{name} is {}", claim(token, name))),
    }
}

fn passed(app: &App, token: &Explanation, check: Check, reader: Reader) -> Sentence {
    let jwt = &app.config.jwt;
    let text = match check {
        Check::Form if token.is_signed => format!("Three parts in base64url, {} bytes", commas(number(token.length))),
        Check::Form => format!("Header and payload as they are stored, {} bytes", commas(number(token.length))),
        Check::Algorithm => format!("{}, as JWT_ALGORITHM says", algorithm(token)),
        Check::Header => "Asks for nothing that is not understood".to_owned(),
        Check::Key | Check::Signature => return Sentence::plain(signature(token, check)),
        Check::Payload => format!("An object with {}", amount(number(token.claims.len()), "claim")),
        Check::Issued => return at_claim(token, "iat", reader, "Issued ", String::new()),
        Check::NotBefore => return at_claim(token, "nbf", reader, "Valid since ", String::new()),
        Check::Expiry => return at_claim(token, "exp", reader, "Good until ", leeway(app)),
        Check::Texts => "sub, jti and iss are texts where they are there".to_owned(),
        Check::Issuer => format!("{}, as JWT_ISSUER says", claim(token, "iss")),
        Check::Audience => format!("{} is in JWT_AUDIENCE", claim(token, "aud")),
        Check::Record => match &token.facts.recorded {
            Some(recorded) => format!("Outstanding token {}", commas(recorded.row.id.0)),
            None => "Not recorded here, which alone is no reason to refuse it".to_owned(),
        },
        Check::Blacklist => "Not blacklisted, or within the time in which a refresh may be repeated".to_owned(),
        Check::Lifetime => "It says when it expires".to_owned(),
        Check::Id => "It has an id".to_owned(),
        Check::Type => format!("{}, as it should be", kind_claim(app, token)),
        Check::RefreshExpiry => {
            return at_claim(
                token,
                &jwt.sliding_token_refresh_exp_claim,
                reader,
                "Can be refreshed until ",
                leeway(app),
            );
        }
        Check::UserId => format!("{} is {}", jwt.user_id_claim, claim(token, &jwt.user_id_claim)),
        Check::Session => session_passed(token).to_owned(),
        Check::User => match &token.facts.user {
            Some(user) if user.is_active => format!("{}, active", user.username),
            Some(user) => format!("{}, inactive", user.username),
            None => "There".to_owned(),
        },
        Check::Active => "Active".to_owned(),
        Check::Password => "The same as when the token was made".to_owned(),
    };
    Sentence::plain(if check == Check::Blacklist && blacklisted_at(token).is_none() {
        "Not blacklisted".to_owned()
    } else {
        text
    })
}

fn failed(app: &App, token: &Explanation, check: Check, reader: Reader) -> Sentence {
    let jwt = &app.config.jwt;
    let text = match check {
        Check::Form => "Not three parts in base64url, the first an object in JSON".to_owned(),
        Check::Algorithm => {
            format!("The header says {}; JWT_ALGORITHM is {}", algorithm(token), jwt.algorithm.name())
        }
        Check::Header => "Its kid is no text, or its crit or b64 ask for what is not understood".to_owned(),
        Check::Key | Check::Signature => signature(token, check),
        Check::Payload => "Not an object in JSON".to_owned(),
        Check::Issued => return at_claim(token, "iat", reader, "Issued in the future: ", leeway(app)),
        Check::NotBefore => return at_claim(token, "nbf", reader, "Not valid before ", leeway(app)),
        Check::Expiry if fault(token) == Some(DecodeError::Expired) => {
            return at_claim(token, "exp", reader, "Expired ", leeway(app));
        }
        Check::Expiry => format!("exp is {}, which is no point in time", claim(token, "exp")),
        Check::Texts => "Of sub, jti and iss one is no text".to_owned(),
        Check::Issuer => {
            let wanted = jwt.issuer.as_deref().unwrap_or_default();
            format!("It says {}; JWT_ISSUER is “{wanted}”", claim(token, "iss"))
        }
        Check::Audience => {
            format!("It says {}; JWT_AUDIENCE is {}", claim(token, "aud"), jwt.audience.as_slice().join(", "))
        }
        Check::Record => "Its id is no text of up to 255 characters".to_owned(),
        Check::Blacklist => return blacklisted(token, reader),
        Check::Lifetime => "It has no exp that can be read".to_owned(),
        Check::Id => format!("It has no claim {}", jwt.jti_claim.as_deref().unwrap_or_default()),
        Check::Type => format!("{}, which is not what is wanted here", kind_claim(app, token)),
        Check::RefreshExpiry => {
            return at_claim(
                token,
                &jwt.sliding_token_refresh_exp_claim,
                reader,
                "Could be refreshed until ",
                leeway(app),
            );
        }
        Check::UserId => format!("It has no claim {}", jwt.user_id_claim),
        Check::Session => return session_failed(token, reader),
        Check::User => user_failed(app, token),
        Check::Active => format!("{} is inactive", username(token)),
        Check::Password => format!("The password of {} was changed since the token was made", username(token)),
    };
    Sentence::plain(text)
}

fn signature(token: &Explanation, check: Check) -> String {
    match (&token.signed_by, check) {
        (SignedBy::NoSignature, _) => {
            "Not there: the database keeps none. All else holds if the client’s is good".to_owned()
        }
        (SignedBy::KeySet(kid), Check::Key) => format!("“{}” is in the set of JWT_JWK_URL", shorten(kid)),
        (SignedBy::OwnKey(kid), _) => format!("Good, made with the present key (id {kid})"),
        (SignedBy::KeySet(kid), _) => format!("Good, by the key “{}” of JWT_JWK_URL", shorten(kid)),
        (SignedBy::OwnKeyOutOfUse, _) => {
            "Made with this server’s own key, but JWT_JWK_URL is set: only its keys count".to_owned()
        }
        (SignedBy::Nobody, Check::Key) => match token.header.get("kid").and_then(Value::as_str) {
            Some(kid) => format!("The set of JWT_JWK_URL has no key “{}” that can be used", shorten(kid)),
            None => "The header names no key (kid), and those of JWT_JWK_URL are found by name".to_owned(),
        },
        (SignedBy::Nobody, _) => "Bad: made with another key, or for another text".to_owned(),
    }
}

fn blacklisted_at(token: &Explanation) -> Option<Instant> {
    token.facts.recorded.as_ref().and_then(|recorded| recorded.row.blacklisted_at)
}

fn blacklisted(token: &Explanation, reader: Reader) -> Sentence {
    let Some(recorded) = &token.facts.recorded else { return Sentence::plain("Blacklisted") };
    let because = status::because(recorded.row.blacklist_reason.as_deref());
    match recorded.row.blacklisted_at {
        Some(at) => Sentence::at("Blacklisted ", at, reader, format!(", {because}")),
        None => Sentence::plain(format!("Blacklisted {because}")),
    }
}

fn session_passed(token: &Explanation) -> &'static str {
    if token.facts.session.is_some() { "It goes on" } else { "It has none yet that could have ended" }
}

fn session_failed(token: &Explanation, reader: Reader) -> Sentence {
    match &token.facts.session {
        None => Sentence::plain("It names a session that is not there (any more)"),
        Some(session) => match session.ended_at {
            Some(at) => {
                Sentence::at("Ended ", at, reader, format!(", {}", session_ended(session.end_reason.as_deref())))
            }
            None => Sentence::at(
                "It is past SESSION_MAX_AGE or SESSION_IDLE_TIMEOUT. Its login was ",
                session.created_at,
                reader,
                "",
            ),
        },
    }
}

/// Why a user will not do.
pub fn user_failed(app: &App, token: &Explanation) -> String {
    let claim = claim(token, &app.config.jwt.user_id_claim);
    let owner = token.facts.recorded.as_ref().map(|recorded| recorded.row.user_id);
    match (&token.facts.user, owner) {
        (Some(user), Some(Some(owner))) if owner != user.id => {
            format!("It was made for another user than {}, who has that name now", user.username)
        }
        (Some(user), _) if !user.is_active => format!("{} is inactive", user.username),
        (_, Some(None)) => "Its user was deleted".to_owned(),
        (_, _) => format!("No user is {claim}"),
    }
}

/// The name of whom it speaks for.
pub fn username(token: &Explanation) -> &str {
    token.facts.user.as_ref().map_or("the user", |user| user.username.as_str())
}

fn kind_claim(app: &App, token: &Explanation) -> String {
    let name = app.config.jwt.token_type_claim.as_deref().unwrap_or_default();
    format!("{name} is {}", claim(token, name))
}

fn fault(token: &Explanation) -> Option<DecodeError> {
    token.main().and_then(|main| main.fault)
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
