//! The verdict: one headline, why in a sentence or two, and what to do about it.

use super::super::status;
use super::super::words::Reader;
use super::record::session_ended;
use super::{Sentence, steps};
use crate::app::App;
use crate::crypto::decode_error::DecodeError;
use crate::journal::reason::Reason;
use crate::tokens::explain::check::{Check, State};
use crate::tokens::explain::usage::{Refusal, Usage};
use crate::tokens::explain::{Explanation, SignedBy};

/// What is true of the token, in words.
pub struct Verdict {
    /// Whether it is accepted.
    pub is_good: bool,
    /// Its icon.
    pub icon: &'static str,
    /// The one line that counts.
    pub headline: Sentence,
    /// Why, in detail.
    pub why: Vec<Sentence>,
    /// What to do.
    pub advice: &'static str,
}

impl Verdict {
    /// Of a jti that nothing is recorded of.
    pub fn unknown(jti: &str) -> Self {
        let why = format!(
            "No outstanding token has the jti “{}”. Access tokens are not recorded; expired tokens are deleted after a \
             while; and a token of another server is recorded when it is first refreshed here.",
            steps::shorten(jti)
        );
        Self {
            is_good: false,
            icon: "info",
            headline: Sentence::plain("Nothing is known of this id"),
            why: vec![Sentence::plain(why)],
            advice: "Paste the whole token: then its signature and its claims say more.",
        }
    }
}

/// The verdict on the use that the token was made for.
pub fn of(app: &App, token: &Explanation, reader: Reader) -> Verdict {
    let failed = token.main().and_then(|main| main.steps.iter().find(|step| step.state == State::Failed));
    match failed {
        None => accepted(app, token, reader),
        Some(step) => refused(app, token, step.check, reader),
    }
}

fn accepted(app: &App, token: &Explanation, reader: Reader) -> Verdict {
    let condition = if token.is_signed { "" } else { ", if its signature is good" };
    let headline = match token.until(app) {
        Some(at) => Sentence::at("Accepted until ", at, reader, condition),
        None => Sentence::plain(format!("Accepted{condition}")),
    };
    let use_of_it = match token.main().map(|main| main.usage) {
        Some(Usage::Refresh) => "A refresh with it succeeds.",
        Some(Usage::SlidingRefresh) => {
            "It authenticates requests where JWT_AUTH_TOKEN_CLASSES has sliding, and can be refreshed."
        }
        Some(Usage::Request) => "A request with it is known to come from its user.",
        Some(Usage::Verify) | None => "It is a good token, but its type is none that Latchkey issues.",
    };
    let mut why = vec![Sentence::plain(use_of_it)];
    if let Some(recorded) = &token.facts.recorded
        && let Some(at) = recorded.row.blacklisted_at
    {
        let after = " Within REFRESH_GRACE the same refresh may be repeated, and gets the same refresh token again.";
        why.push(Sentence::at("It was rotated ", at, reader, format!(".{after}")));
    }
    Verdict { is_good: true, icon: "check", headline, why, advice: "" }
}

fn refused(app: &App, token: &Explanation, check: Check, reader: Reader) -> Verdict {
    let (headline, advice) = headline(app, token, check);
    let icon = match check {
        Check::Expiry | Check::RefreshExpiry | Check::Issued | Check::NotBefore => "clock",
        Check::Form | Check::Algorithm | Check::Header | Check::Key | Check::Signature => "alert",
        Check::User | Check::UserId | Check::Active => "user",
        Check::Password => "lock",
        _ => "ban",
    };
    Verdict { is_good: false, icon, headline: Sentence::plain(headline), why: why(app, token, check, reader), advice }
}

/// The headline, and what to do.
fn headline(app: &App, token: &Explanation, check: Check) -> (String, &'static str) {
    const LOG_IN: &str = "Ask its user to log in again.";
    const ELSEWHERE: &str = "Find out where it comes from: another server’s token, or one of a key that was changed, ends with a new login.";
    const MADE: &str = "Nothing that Latchkey issues looks like this. Find out who made it.";
    let (headline, advice) = match check {
        Check::Form => ("this is no token", "Copy it again, the whole of it: a token begins with ey and has two dots."),
        Check::Algorithm if steps::algorithm(token).eq_ignore_ascii_case("none") => {
            ("it asks to be believed without a signature", MADE)
        }
        Check::Algorithm => ("it is signed with another algorithm", ELSEWHERE),
        Check::Header => ("its header asks for what is not understood", MADE),
        Check::Key => ("its key is not one that counts", ELSEWHERE),
        Check::Signature => ("its signature is not good", ELSEWHERE),
        Check::Payload | Check::Texts | Check::Lifetime | Check::Record => ("its claims cannot be read", MADE),
        Check::Issued | Check::NotBefore => {
            ("it is not valid yet", "Compare the clocks of the two servers; JWT_LEEWAY tolerates a difference.")
        }
        Check::Expiry if token.main().is_some_and(|main| main.fault != Some(DecodeError::Expired)) => {
            ("its claims cannot be read", MADE)
        }
        Check::Expiry if token.main().is_some_and(|main| main.usage == Usage::Request) => {
            ("it expired", "Nothing: its client gets a new one with its refresh token.")
        }
        Check::Expiry => ("it expired", LOG_IN),
        Check::RefreshExpiry => ("the time for its refreshes is over", LOG_IN),
        Check::Issuer => ("it is of another issuer", ELSEWHERE),
        Check::Audience => ("it is meant for somebody else", ELSEWHERE),
        Check::Blacklist if is_rotated(token) => (
            "this refresh token was used before",
            "If its client is well, nothing: it has the next token. If not, ask its user to log in again; a client that \
             loses replies should send an Idempotency-Key.",
        ),
        Check::Blacklist => ("it is blacklisted", LOG_IN),
        Check::Id => ("it has no id", MADE),
        Check::Type => return (format!("Refused: {}", wrong_type(app, token)), MADE),
        Check::UserId => ("it names nobody", MADE),
        Check::User => (user(token), "Whoever is to log in needs an active account."),
        Check::Active => ("its user is inactive", "Activate the user, if they are to log in."),
        Check::Password => ("the password was changed since", LOG_IN),
        Check::Session => ("its session has ended", LOG_IN),
    };
    (format!("Refused: {headline}"), advice)
}

fn is_rotated(token: &Explanation) -> bool {
    token.facts.recorded.as_ref().is_some_and(|recorded| {
        recorded.row.rotated_at.is_some() || recorded.row.blacklist_reason.as_deref() == Some("rotated")
    })
}

fn user(token: &Explanation) -> &'static str {
    match (&token.facts.user, &token.facts.recorded) {
        (Some(user), _) if !user.is_active => "its user is inactive",
        (Some(_), _) => "it was made for somebody else",
        (None, Some(recorded)) if recorded.row.user_id.is_none() => "its user was deleted",
        (None, _) => "it names nobody who is there",
    }
}

fn wrong_type(app: &App, token: &Explanation) -> String {
    let name = app.config.jwt.token_type_claim.as_deref().unwrap_or_default();
    format!("its {name} is {}", steps::claim(token, name))
}

fn why(app: &App, token: &Explanation, check: Check, reader: Reader) -> Vec<Sentence> {
    match check {
        Check::Blacklist => blacklisted(app, token, reader),
        Check::Session => vec![session(token, reader)],
        Check::Key | Check::Signature | Check::Algorithm => signature(app, token, check),
        Check::User => vec![Sentence::plain(steps::user_failed(app, token) + ".")],
        Check::Active => vec![Sentence::plain(format!("{} was deactivated.", steps::username(token)))],
        Check::Password => vec![Sentence::plain(
            "With JWT_CHECK_REVOKE_TOKEN a token carries a fingerprint of the password hash and dies with it.",
        )],
        Check::Expiry | Check::Issued | Check::NotBefore | Check::RefreshExpiry => {
            let name = match check {
                Check::Expiry => "exp",
                Check::Issued => "iat",
                Check::NotBefore => "nbf",
                _ => &app.config.jwt.sliding_token_refresh_exp_claim,
            };
            match steps::time(token, name) {
                Some(at) => {
                    let relative = super::When::new(at, reader).relative;
                    let after = format!(", {relative}{}.", steps::leeway(app));
                    vec![Sentence::at(format!("Its claim {name} says "), at, reader, after)]
                }
                None => vec![Sentence::plain(format!("Its claim {name} is {}.", steps::claim(token, name)))],
            }
        }
        Check::Issuer => vec![Sentence::plain(format!(
            "It says {}, and JWT_ISSUER is “{}”.",
            steps::claim(token, "iss"),
            app.config.jwt.issuer.as_deref().unwrap_or_default()
        ))],
        Check::Audience => vec![Sentence::plain(format!(
            "It says {}, and JWT_AUDIENCE is {}.",
            steps::claim(token, "aud"),
            app.config.jwt.audience.as_slice().join(", ")
        ))],
        _ => Vec::new(),
    }
}

fn blacklisted(app: &App, token: &Explanation, reader: Reader) -> Vec<Sentence> {
    let Some(recorded) = &token.facts.recorded else { return Vec::new() };
    let row = &recorded.row;
    let by = recorded.blacklisted_by.as_deref().filter(|by| !by.is_empty());
    let Some(rotated) = row.rotated_at else {
        let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
        let because = status::because(row.blacklist_reason.as_deref());
        let Some(at) = row.blacklisted_at else { return Vec::new() };
        return vec![Sentence::at("It was blacklisted ", at, reader, format!("{by}, {because}."))];
    };
    let mut why = vec![Sentence::at("It was rotated ", rotated, reader, " into the next one, and works only once.")];
    let main = token.main().and_then(|main| main.refusal.as_ref());
    if matches!(main, Some(Refusal::EndsSession(Reason::Reuse))) {
        let after = app.config.sessions.reuse_alarm_after.as_secs();
        why.push(Sentence::plain(format!(
            "If it came back now it would end its session, because that is more than REUSE_ALARM_AFTER ({}) later.",
            super::super::words::length(after)
        )));
    }
    if let Some(session) = &token.facts.session
        && let Some(ended) = session.ended_at
    {
        let because = session_ended(session.end_reason.as_deref());
        why.push(Sentence::at("Its session was ended ", ended, reader, format!(", {because}.")));
    }
    why
}

fn session(token: &Explanation, reader: Reader) -> Sentence {
    let main = token.main().and_then(|main| main.refusal.as_ref());
    let Some(session) = &token.facts.session else {
        return Sentence::plain("The session that it names is not there any more, or never was.");
    };
    match (session.ended_at, main) {
        (Some(at), _) => {
            let by = session.ended_by.as_deref().filter(|by| !by.is_empty());
            let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
            let because = session_ended(session.end_reason.as_deref());
            Sentence::at("It was ended ", at, reader, format!("{by}, {because}."))
        }
        (None, Some(Refusal::EndsSession(Reason::MaxAge))) => {
            Sentence::at("Its login was ", session.created_at, reader, ", longer ago than SESSION_MAX_AGE.")
        }
        (None, _) => {
            let used = session.last_used();
            Sentence::at("It was used last ", used, reader, ", and SESSION_IDLE_TIMEOUT or SESSION_MAX_AGE is over.")
        }
    }
}

fn signature(app: &App, token: &Explanation, check: Check) -> Vec<Sentence> {
    let mut why = Vec::new();
    if check == Check::Algorithm {
        let (said, wanted) = (steps::algorithm(token), app.config.jwt.algorithm.name());
        why.push(format!("Its header says {said}. JWT_ALGORITHM is {wanted}, and nothing else is accepted."));
    } else if token.signed_by == SignedBy::OwnKeyOutOfUse {
        why.push("This server made it, but JWT_JWK_URL is set: only the keys of that set count.".to_owned());
    }
    match token.facts.recorded.as_ref().and_then(|recorded| recorded.kid.as_deref()) {
        Some(kid) if kid != app.keys.kid() => why.push(format!(
            "Latchkey issued a token of this id with another key (id {kid}); the present one is {}.",
            app.keys.kid()
        )),
        _ => {}
    }
    why.push("Nothing that it says can be trusted: whoever made it could write what they liked.".to_owned());
    why.into_iter().map(Sentence::plain).collect()
}
