//! Each check in a line: what was checked, and the result with its values.

use serde_json::Value;

use super::super::status;
use super::super::words::{amount, commas};
use super::Sentence;
use super::record::session_ended;
use super::subject::{Subject, shorten};
use crate::crypto::decode_error::DecodeError;
use crate::db::types::Instant;
use crate::tokens::explain::check::{Check, State, Step};
use crate::tokens::explain::{Explanation, SignedBy};

/// A check, ready to be shown.
pub struct Line {
    /// Its class in the style sheet.
    pub class: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// The name of the check.
    pub title: &'static str,
    /// The result.
    pub text: Sentence,
}

/// The checks for the use that the token was issued for.
pub fn lines(subject: Subject<'_>) -> Vec<Line> {
    let steps = subject.token.main().map(|main| main.steps.as_slice()).unwrap_or_default();
    steps.iter().map(|step| line(subject, *step)).collect()
}

fn line(subject: Subject<'_>, step: Step) -> Line {
    let is_unknown = step.check == Check::Signature && subject.token.signed_by == SignedBy::NoSignature;
    let (class, icon) = match step.state {
        State::Passed if is_unknown => ("skip-it", "minus"),
        State::Passed => ("", "check"),
        State::Failed => ("no", "x"),
        State::NotReached => ("skip-it", "minus"),
    };
    let text = match step.state {
        State::Passed => passed(subject, step.check),
        State::Failed => failed(subject, step.check),
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

fn passed(subject: Subject<'_>, check: Check) -> Sentence {
    let (jwt, token) = (&subject.app.config.jwt, subject.token);
    let text = match check {
        Check::Form if token.is_signed => format!("Three parts in base64url, {} bytes", commas(number(token.length))),
        Check::Form => format!("Header and payload as they are stored, {} bytes", commas(number(token.length))),
        Check::Algorithm => format!("{}, as JWT_ALGORITHM says", subject.algorithm()),
        Check::Header => "It requires no unsupported extension".to_owned(),
        Check::Key | Check::Signature => return Sentence::plain(signature(token, check)),
        Check::Payload => format!("An object with {}", amount(number(token.claims.len()), "claim")),
        Check::Issued => return subject.at_claim("iat", "Issued "),
        Check::NotBefore => return subject.at_claim("nbf", "Valid since "),
        Check::Expiry => return subject.at_claim_with_leeway("exp", "Valid until "),
        Check::Texts => "sub, jti and iss are strings where present".to_owned(),
        Check::Issuer => format!("{}, as JWT_ISSUER says", subject.claim("iss")),
        Check::Audience => format!("{} is in JWT_AUDIENCE", subject.claim("aud")),
        Check::Record => match &token.facts.recorded {
            Some(recorded) => format!("Outstanding token {}", commas(recorded.row.id.0)),
            None => "Not recorded here, which alone does not make it invalid".to_owned(),
        },
        Check::Blacklist => "Rotated, but a refresh may still be repeated".to_owned(),
        Check::Lifetime => "It has an expiry".to_owned(),
        Check::Id => "It has an id".to_owned(),
        Check::Type => format!("{}, as expected", subject.token_type()),
        Check::RefreshExpiry => {
            return subject.at_claim_with_leeway(&jwt.sliding_token_refresh_exp_claim, "Can be refreshed until ");
        }
        Check::UserId => format!("{} is {}", jwt.user_id_claim, subject.claim(&jwt.user_id_claim)),
        Check::Session => session_passed(token).to_owned(),
        Check::User => match &token.facts.user {
            Some(user) if user.is_active => format!("{}, active", user.username),
            Some(user) => format!("{}, inactive", user.username),
            None => "It exists".to_owned(),
        },
        Check::Active => "Active".to_owned(),
        Check::Password => "Unchanged since the token was issued".to_owned(),
    };
    Sentence::plain(if check == Check::Blacklist && blacklisted_at(token).is_none() {
        "Not blacklisted".to_owned()
    } else {
        text
    })
}

fn failed(subject: Subject<'_>, check: Check) -> Sentence {
    let (jwt, token) = (&subject.app.config.jwt, subject.token);
    let text = match check {
        Check::Form => "Not three base64url parts that start with a JSON object".to_owned(),
        Check::Algorithm => {
            format!("The header says {}; JWT_ALGORITHM is {}", subject.algorithm(), jwt.algorithm.name())
        }
        Check::Header => "Its kid is not a string, or its crit or b64 require an unsupported extension".to_owned(),
        Check::Key | Check::Signature => signature(token, check),
        Check::Payload => "Not a JSON object".to_owned(),
        Check::Issued => return subject.at_claim_with_leeway("iat", "Issued in the future: "),
        Check::NotBefore => return subject.at_claim_with_leeway("nbf", "Not valid before "),
        Check::Expiry if fault(token) == Some(DecodeError::Expired) => {
            return subject.at_claim_with_leeway("exp", "Expired ");
        }
        Check::Expiry => format!("exp is {}, which is not a time", subject.claim("exp")),
        Check::Texts => "sub, jti or iss is not a string".to_owned(),
        Check::Issuer => {
            let wanted = jwt.issuer.as_deref().unwrap_or_default();
            format!("It says {}; JWT_ISSUER is “{wanted}”", subject.claim("iss"))
        }
        Check::Audience => {
            format!("It says {}; JWT_AUDIENCE is {}", subject.claim("aud"), jwt.audience.as_slice().join(", "))
        }
        Check::Record => "Its id is not a string of at most 255 characters".to_owned(),
        Check::Blacklist => return blacklisted(subject),
        Check::Lifetime => "It has no readable exp".to_owned(),
        Check::Id => format!("It has no {} claim", jwt.jti_claim.as_deref().unwrap_or_default()),
        Check::Type => format!("{}, which is not accepted here", subject.token_type()),
        Check::RefreshExpiry => {
            return subject.at_claim_with_leeway(&jwt.sliding_token_refresh_exp_claim, "Could be refreshed until ");
        }
        Check::UserId => format!("It has no {} claim", jwt.user_id_claim),
        Check::Session => return session_failed(subject),
        Check::User => subject.user_error(),
        Check::Active => format!("{} is inactive", subject.username()),
        Check::Password => format!("The password of {} was changed after the token was issued", subject.username()),
    };
    Sentence::plain(text)
}

fn signature(token: &Explanation, check: Check) -> String {
    match (&token.signed_by, check) {
        (SignedBy::NoSignature, _) => {
            "Unknown: the database does not store signatures. The rest applies if the client’s signature is valid"
                .to_owned()
        }
        (SignedBy::KeySet(kid), Check::Key) => format!("“{}” is in the set of JWT_JWK_URL", shorten(kid)),
        (SignedBy::OwnKey(kid), _) => format!("Valid, made with the current key (id {kid})"),
        (SignedBy::KeySet(kid), _) => format!("Valid, made with the key “{}” of JWT_JWK_URL", shorten(kid)),
        (SignedBy::OwnKeyOutOfUse, _) => {
            "Made with this server’s own key, but JWT_JWK_URL is set, so only its keys are accepted".to_owned()
        }
        (SignedBy::Nobody, Check::Key) => match token.header.get("kid").and_then(Value::as_str) {
            Some(kid) => format!("JWT_JWK_URL has no usable key “{}”", shorten(kid)),
            None => "The header names no key (kid), which JWT_JWK_URL needs".to_owned(),
        },
        (SignedBy::Nobody, _) => "Invalid: made with another key, or the token was altered".to_owned(),
    }
}

fn blacklisted_at(token: &Explanation) -> Option<Instant> {
    token.facts.recorded.as_ref().and_then(|recorded| recorded.row.blacklisted_at)
}

fn blacklisted(Subject { token, reader, .. }: Subject<'_>) -> Sentence {
    let Some(recorded) = &token.facts.recorded else { return Sentence::plain("Blacklisted") };
    let because = status::because(recorded.row.blacklist_reason.as_deref());
    match recorded.row.blacklisted_at {
        Some(at) => Sentence::at("Blacklisted ", at, reader, format!(", {because}")),
        None => Sentence::plain(format!("Blacklisted {because}")),
    }
}

fn session_passed(token: &Explanation) -> &'static str {
    if token.facts.session.is_some() { "Live" } else { "The token belongs to no session yet" }
}

fn session_failed(Subject { token, reader, .. }: Subject<'_>) -> Sentence {
    match &token.facts.session {
        None => Sentence::plain("The session does not exist (any more)"),
        Some(session) => match session.ended_at {
            Some(at) => {
                Sentence::at("Ended ", at, reader, format!(", {}", session_ended(session.end_reason.as_deref())))
            }
            None => Sentence::at(
                "Past SESSION_MAX_AGE or SESSION_IDLE_TIMEOUT. The login was ",
                session.created_at,
                reader,
                "",
            ),
        },
    }
}

fn fault(token: &Explanation) -> Option<DecodeError> {
    token.main().and_then(|main| main.fault)
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
