//! The cards beside the checks: what a token was rotated from and into, and its session.

use super::super::address::OUTSTANDING;
use super::super::status;
use super::super::words::{Jti, Reader, When};
use super::Sentence;
use crate::app::App;
use crate::guard::device;
use crate::tokens::explain::Explanation;

/// A token's neighbours, oldest first.
pub struct Timeline {
    /// The page of its row.
    pub href: String,
    /// The steps.
    pub steps: Vec<Moment>,
}

/// A step of it.
pub struct Moment {
    /// The style sheet's word: `here`, `bad`, or none.
    pub class: &'static str,
    /// What happened.
    pub text: &'static str,
    /// The token that it led from or to: its page and its jti.
    pub link: Option<(String, Jti)>,
    /// When.
    pub when: Option<When>,
}

/// A token's session.
pub struct SessionCard {
    /// Its id.
    pub id: String,
    /// What its user calls it, or its device.
    pub name: String,
    /// When its login was.
    pub created: When,
    /// When it was refreshed last, and from where.
    pub used: Option<When>,
    /// The address of its last use.
    pub ip: Option<String>,
    /// Whether and why it is over.
    pub state: Sentence,
}

/// The neighbours, if the token is recorded.
pub fn timeline(token: &Explanation, reader: Reader) -> Option<Timeline> {
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
        None => moment("", "Issued elsewhere, which keeps no lineage", created),
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
        steps.push(moment("bad", "A rotated token came back, and the session ended", at(ended)));
    }
    Some(Timeline { href: page(row.id.0), steps })
}

/// The session, if it has one.
pub fn session(app: &App, token: &Explanation, reader: Reader) -> Option<SessionCard> {
    let session = token.facts.session.as_ref()?;
    let state = match session.ended_at {
        Some(at) => Sentence::at("Ended ", at, reader, format!(", {}", session_ended(session.end_reason.as_deref()))),
        None if session.expires_at <= app.now() => Sentence::at("Over since ", session.expires_at, reader, ""),
        None => Sentence::at("Goes on; its latest token expires ", session.expires_at, reader, ""),
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
        Some("reuse") => "because a token of it came back after its rotation",
        Some("blacklist") => "because its last token was sent to the blacklist endpoint",
        Some("max_age") => "because it reached SESSION_MAX_AGE",
        Some("idle") => "because it was not used for SESSION_IDLE_TIMEOUT",
        Some("session_end") => "by its user",
        other => status::because(other),
    }
}
