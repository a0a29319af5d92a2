//! The cards beside the checks: the lineage of a token, and its session.

use super::super::address::OUTSTANDING;
use super::super::status;
use super::super::words::{Jti, When};
use super::Sentence;
use super::subject::Subject;
use crate::guard::device;

/// The lineage of a token, oldest first.
pub struct Timeline {
    /// The page of the token.
    pub href: String,
    /// The steps.
    pub steps: Vec<Moment>,
}

/// A step of the lineage.
pub struct Moment {
    /// Its class in the style sheet: `here`, `bad` or none.
    pub class: &'static str,
    /// What happened.
    pub text: &'static str,
    /// The neighbouring token: its page and its jti.
    pub link: Option<(String, Jti)>,
    /// When.
    pub when: Option<When>,
}

/// A token's session.
pub struct SessionCard {
    /// Its id.
    pub id: String,
    /// The label that its user chose, or its device.
    pub name: String,
    /// When the user logged in.
    pub created: When,
    /// When it was last refreshed.
    pub used: Option<When>,
    /// The address of its last use.
    pub ip: Option<String>,
    /// Whether it is live, and why not.
    pub state: Sentence,
}

/// The lineage, if the token is recorded.
pub fn timeline(Subject { token, reader, .. }: Subject<'_>) -> Option<Timeline> {
    let recorded = token.facts.recorded.as_ref()?;
    let row = &recorded.row;
    let at = |at| Some(When::new(at, reader));
    let page = |id: i64| format!("{OUTSTANDING}{id}/change/");
    let moment = |class, text, when| Moment { class, text, link: None, when };
    let neighbour = |text, (id, jti): &(crate::db::types::TokenId, String), when| Moment {
        class: "",
        text,
        link: Some((page(id.0), Jti(jti.clone()))),
        when,
    };
    let created = row.created_at.map(|at| When::new(at, reader));
    let mut steps = vec![match &recorded.rotated_from {
        Some(from) => neighbour("Rotated from", from, created),
        None if recorded.ours => moment("", "Issued at a login", created),
        None => moment("", "Issued elsewhere, without a recorded lineage", created),
    }];
    steps.push(moment("here", "This token", None));
    if let Some(into) = &recorded.rotated_into {
        steps.push(neighbour("Rotated into", into, row.rotated_at.and_then(at)));
    } else if let (Some(blacklisted), None) = (row.blacklisted_at, row.rotated_at) {
        steps.push(moment("bad", status::reason(row.blacklist_reason.as_deref()).word, at(blacklisted)));
    }
    if let Some(session) = &token.facts.session
        && let (Some(ended), Some("reuse")) = (session.ended_at, session.end_reason.as_deref())
    {
        steps.push(moment("bad", "A used token came back, and the session ended", at(ended)));
    }
    Some(Timeline { href: page(row.id.0), steps })
}

/// The session, if it has one.
pub fn session(Subject { app, token, reader }: Subject<'_>) -> Option<SessionCard> {
    let session = token.facts.session.as_ref()?;
    let state = match session.ended_at {
        Some(at) => Sentence::at("Ended ", at, reader, format!(", {}", session_ended(session.end_reason.as_deref()))),
        None if session.expires_at <= app.now() => Sentence::at("Expired ", session.expires_at, reader, ""),
        None => Sentence::at("Live; the latest token expires ", session.expires_at, reader, ""),
    };
    let name = if session.label.is_empty() { device::words(&session.user_agent) } else { session.label.clone() };
    Some(SessionCard {
        id: session.id.clone(),
        name,
        created: When::new(session.created_at, reader),
        used: session.last_refreshed_at.map(|at| When::new(at, reader)),
        ip: session.ip.clone(),
        state,
    })
}

/// Why a session ended, as the end of a sentence.
pub fn session_ended(reason: Option<&str>) -> &'static str {
    match reason {
        Some("reuse") => "because a used token came back",
        Some("blacklist") => "because its last token was sent to the blacklist endpoint",
        Some("max_age") => "because it reached SESSION_MAX_AGE",
        Some("idle") => "because it was not used for SESSION_IDLE_TIMEOUT",
        Some("session_end") => "by its user",
        other => status::because(other),
    }
}
