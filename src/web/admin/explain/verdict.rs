//! The verdict: a headline, the reason in a sentence or two, and what to do about it.

use super::super::status;
use super::super::words::length;
use super::Sentence;
use super::record::session_ended;
use super::subject::{Subject, shorten};
use crate::crypto::decode_error::DecodeError;
use crate::journal::reason::Reason;
use crate::tokens::explain::check::{Check, State};
use crate::tokens::explain::usage::{Refusal, Usage};
use crate::tokens::explain::{Explanation, SignedBy};

/// The verdict, ready to be shown.
pub struct Verdict {
    /// Whether it is accepted.
    pub is_good: bool,
    /// Its icon.
    pub icon: &'static str,
    /// The result in one line.
    pub headline: Sentence,
    /// The reason.
    pub why: Vec<Sentence>,
    /// What to do.
    pub advice: &'static str,
}

impl Verdict {
    /// The verdict on an id that is not recorded.
    pub fn unknown(jti: &str) -> Self {
        let why = format!(
            "No outstanding token has the jti “{}”. Access tokens are never recorded, expired tokens are deleted after a \
             while, and a token from another server is recorded when it is first refreshed here.",
            shorten(jti)
        );
        Self {
            is_good: false,
            icon: "info",
            headline: Sentence::plain("This id is not recorded"),
            why: vec![Sentence::plain(why)],
            advice: "Paste the whole token, so that its signature and claims can be checked.",
        }
    }
}

/// The verdict on the use that the token was issued for.
pub fn of(subject: Subject<'_>) -> Verdict {
    let failed = subject.token.main().and_then(|main| main.steps.iter().find(|step| step.state == State::Failed));
    match failed {
        None => accepted(subject),
        Some(step) => refused(subject, step.check),
    }
}

fn accepted(Subject { app, token, reader }: Subject<'_>) -> Verdict {
    let condition = if token.is_signed { "" } else { ", if its signature is valid" };
    let headline = match token.until(app) {
        Some(at) => Sentence::at("Accepted until ", at, reader, condition),
        None => Sentence::plain(format!("Accepted{condition}")),
    };
    let use_of_it = match token.main().map(|main| main.usage) {
        Some(Usage::Refresh) => "It can be refreshed.",
        Some(Usage::SlidingRefresh) => {
            "It can be refreshed, and it authenticates requests where JWT_AUTH_TOKEN_CLASSES includes sliding."
        }
        Some(Usage::Request) => match &token.facts.user {
            Some(user) => &format!("Requests with it act as {}.", user.username),
            None => "Requests with it act as its user.",
        },
        Some(Usage::Verify) | None => "It is valid, but Latchkey issues no tokens of this type.",
    };
    let mut why = vec![Sentence::plain(use_of_it)];
    if let Some(recorded) = &token.facts.recorded
        && let Some(at) = recorded.row.blacklisted_at
    {
        let after = " Within REFRESH_GRACE the same refresh may be repeated and returns the same refresh token.";
        why.push(Sentence::at("It was rotated ", at, reader, format!(".{after}")));
    }
    Verdict { is_good: true, icon: "check", headline, why, advice: "" }
}

fn refused(subject: Subject<'_>, check: Check) -> Verdict {
    let (headline, advice) = headline(subject, check);
    let icon = match check {
        Check::Expiry | Check::RefreshExpiry | Check::Issued | Check::NotBefore => "clock",
        Check::Form | Check::Algorithm | Check::Header | Check::Key | Check::Signature => "alert",
        Check::User | Check::UserId | Check::Active => "user",
        Check::Password => "lock",
        _ => "ban",
    };
    Verdict { is_good: false, icon, headline: Sentence::plain(headline), why: why(subject, check), advice }
}

/// The headline, and what to do.
fn headline(subject: Subject<'_>, check: Check) -> (String, &'static str) {
    const LOG_IN: &str = "Ask the user to log in again.";
    const ELSEWHERE: &str = "Find out where it comes from. If it is from another server, or signed with an old key, a new login replaces it.";
    const MADE: &str = "Latchkey does not issue tokens like this. Find out who made it.";
    let token = subject.token;
    let (headline, advice) = match check {
        Check::Form => ("this is not a token", "Copy it again in full. A token starts with ey and contains two dots."),
        Check::Algorithm if subject.algorithm().eq_ignore_ascii_case("none") => {
            ("it claims to need no signature", MADE)
        }
        Check::Algorithm => ("it is signed with another algorithm", ELSEWHERE),
        Check::Header => ("its header requires an unsupported extension", MADE),
        Check::Key => ("its key is not accepted", ELSEWHERE),
        Check::Signature => ("its signature is invalid", ELSEWHERE),
        Check::Payload | Check::Texts | Check::Lifetime | Check::Record => ("its claims cannot be read", MADE),
        Check::Issued | Check::NotBefore => {
            ("it is not valid yet", "Compare the clocks of the two servers. JWT_LEEWAY allows for a difference.")
        }
        Check::Expiry if token.main().is_some_and(|main| main.fault != Some(DecodeError::Expired)) => {
            ("its claims cannot be read", MADE)
        }
        Check::Expiry if token.main().is_some_and(|main| main.usage == Usage::Request) => {
            ("it expired", "Nothing. The client gets a new one with its refresh token.")
        }
        Check::Expiry => ("it expired", LOG_IN),
        Check::RefreshExpiry => ("it can no longer be refreshed", LOG_IN),
        Check::Issuer => ("it has another issuer", ELSEWHERE),
        Check::Audience => ("it is meant for another audience", ELSEWHERE),
        Check::Blacklist if is_rotated(token) => (
            "this refresh token was used already",
            "Nothing, if the client works: it has the next token. Otherwise ask the user to log in again. A client that \
             loses replies should send an Idempotency-Key.",
        ),
        Check::Blacklist => ("it is blacklisted", LOG_IN),
        Check::Id => ("it has no id", MADE),
        Check::Type => return (format!("Refused: its {}", subject.token_type()), MADE),
        Check::UserId => ("it names no user", MADE),
        Check::User => (user(token), "The user needs an active account to log in."),
        Check::Active => ("its user is inactive", "Activate the user if they should be able to log in."),
        Check::Password => ("the password was changed", LOG_IN),
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
        (Some(_), _) => "it was issued to another user",
        (None, Some(recorded)) if recorded.row.user_id.is_none() => "its user was deleted",
        (None, _) => "it names an unknown user",
    }
}

fn why(subject: Subject<'_>, check: Check) -> Vec<Sentence> {
    let (jwt, reader) = (&subject.app.config.jwt, subject.reader);
    match check {
        Check::Blacklist => blacklisted(subject),
        Check::Session => vec![session(subject)],
        Check::Key | Check::Signature | Check::Algorithm => signature(subject, check),
        Check::User => vec![Sentence::plain(subject.user_error() + ".")],
        Check::Active => vec![Sentence::plain(format!("{} was deactivated.", subject.username()))],
        Check::Password => vec![Sentence::plain(
            "With JWT_CHECK_REVOKE_TOKEN, a token carries a fingerprint of the password hash and becomes invalid when it changes.",
        )],
        Check::Expiry | Check::Issued | Check::NotBefore | Check::RefreshExpiry => {
            let name = match check {
                Check::Expiry => "exp",
                Check::Issued => "iat",
                Check::NotBefore => "nbf",
                _ => &jwt.sliding_token_refresh_exp_claim,
            };
            match subject.time(name) {
                Some(at) => {
                    let relative = super::When::new(at, reader).relative;
                    let after = format!(", {relative}{}.", subject.leeway());
                    vec![Sentence::at(format!("Its {name} claim says "), at, reader, after)]
                }
                None => vec![Sentence::plain(format!("Its {name} claim is {}.", subject.claim(name)))],
            }
        }
        Check::Issuer => vec![Sentence::plain(format!(
            "It says {}, and JWT_ISSUER is “{}”.",
            subject.claim("iss"),
            jwt.issuer.as_deref().unwrap_or_default()
        ))],
        Check::Audience => vec![Sentence::plain(format!(
            "It says {}, and JWT_AUDIENCE is {}.",
            subject.claim("aud"),
            jwt.audience.as_slice().join(", ")
        ))],
        _ => Vec::new(),
    }
}

fn blacklisted(Subject { app, token, reader }: Subject<'_>) -> Vec<Sentence> {
    let Some(recorded) = &token.facts.recorded else { return Vec::new() };
    let row = &recorded.row;
    let by = recorded.blacklisted_by.as_deref().filter(|by| !by.is_empty());
    let Some(rotated) = row.rotated_at else {
        let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
        let because = status::because(row.blacklist_reason.as_deref());
        let Some(at) = row.blacklisted_at else { return Vec::new() };
        return vec![Sentence::at("It was blacklisted ", at, reader, format!("{by}, {because}."))];
    };
    let mut why = vec![Sentence::at("It was rotated ", rotated, reader, ". A refresh token works only once.")];
    let main = token.main().and_then(|main| main.refusal.as_ref());
    if matches!(main, Some(Refusal::EndsSession(Reason::Reuse))) {
        let after = app.config.sessions.reuse_alarm_after.as_secs();
        why.push(Sentence::plain(format!(
            "If it came back now, its session would end, because more than REUSE_ALARM_AFTER ({}) has passed.",
            length(after)
        )));
    }
    if let Some(session) = &token.facts.session
        && let Some(ended) = session.ended_at
    {
        let because = session_ended(session.end_reason.as_deref());
        why.push(Sentence::at("Its session ended ", ended, reader, format!(", {because}.")));
    }
    why
}

fn session(Subject { token, reader, .. }: Subject<'_>) -> Sentence {
    let main = token.main().and_then(|main| main.refusal.as_ref());
    let Some(session) = &token.facts.session else {
        return Sentence::plain("The session that it names does not exist (any more).");
    };
    match (session.ended_at, main) {
        (Some(at), _) => {
            let by = session.ended_by.as_deref().filter(|by| !by.is_empty());
            let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
            let because = session_ended(session.end_reason.as_deref());
            Sentence::at("It ended ", at, reader, format!("{by}, {because}."))
        }
        (None, Some(Refusal::EndsSession(Reason::MaxAge))) => {
            Sentence::at("The login was ", session.created_at, reader, ", longer ago than SESSION_MAX_AGE.")
        }
        (None, _) => {
            let used = session.last_used();
            Sentence::at("It was last used ", used, reader, ", which is past SESSION_IDLE_TIMEOUT or SESSION_MAX_AGE.")
        }
    }
}

fn signature(subject: Subject<'_>, check: Check) -> Vec<Sentence> {
    let Subject { app, token, .. } = subject;
    let mut why = Vec::new();
    if check == Check::Algorithm {
        let (said, wanted) = (subject.algorithm(), app.config.jwt.algorithm.name());
        why.push(format!("Its header says {said}. JWT_ALGORITHM is {wanted}, and no other algorithm is accepted."));
    } else if token.signed_by == SignedBy::OwnKeyOutOfUse {
        why.push("This server made it, but JWT_JWK_URL is set, so only the keys of that set are accepted.".to_owned());
    }
    match token.facts.recorded.as_ref().and_then(|recorded| recorded.kid.as_deref()) {
        Some(kid) if kid != app.keys.kid() => why.push(format!(
            "Latchkey issued a token with this id and another key (id {kid}). The current key is {}.",
            app.keys.kid()
        )),
        _ => {}
    }
    why.push("Its claims cannot be trusted: anyone could have written them.".to_owned());
    why.into_iter().map(Sentence::plain).collect()
}
