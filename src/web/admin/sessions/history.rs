//! What happened while a session lasted: its own steps, and what the audit log says of it and its user.

use serde_json::Value;

use crate::db::latchkey_audit_log::list::{self, Filter, ListedEntry, Sort};
use crate::db::latchkey_session::Session;
use crate::db::page::Paging;
use crate::db::types::Instant;
use crate::db::{Conn, DbError};
use crate::web::admin::actions;
use crate::web::words::{Reader, When, amount};

/// So many entries of the log are shown.
const MOST: usize = 50;

/// One thing that happened.
pub struct Event {
    /// Whether it is a sign of trouble.
    pub is_bad: bool,
    /// What.
    pub what: String,
    /// When.
    pub when: When,
    /// By whom, where that is not the user.
    pub by: Option<String>,
    /// From where.
    pub ip: Option<String>,
}

/// Why a session was ended by an alarm.
pub struct Alarm {
    /// The token that came back.
    pub jti: String,
    /// When it came back.
    pub at: Instant,
    /// When it had been rotated.
    pub rotated_at: Option<Instant>,
    /// From where it had been rotated.
    pub rotated_by: Option<String>,
    /// From where it came back.
    pub presented_by: Option<String>,
    /// What came back with it.
    pub user_agent: String,
}

/// What the log says of a session's user while it lasted, newest first; without what it says of other sessions.
pub fn entries(conn: &mut Conn, session: &Session) -> Result<Vec<ListedEntry>, DbError> {
    let after = session.ended_at.map(|at| at + std::time::Duration::from_secs(1));
    let filter =
        Filter { users: Some(vec![session.user_id]), at: Some((Some(session.created_at), after)), ..Filter::default() };
    let paging = Paging { sort: Sort::When, descending: true, from: None, size: MOST };
    let mut found = list::search(conn, &filter, &paging)?.rows;
    found.retain(|entry| session_of(entry).is_none_or(|id| id == session.id));
    Ok(found)
}

/// The session that an entry is about.
fn session_of(entry: &ListedEntry) -> Option<String> {
    let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    let named = detail.get("session").and_then(Value::as_str).map(str::to_owned);
    named.or_else(|| (entry.action == "session.end").then(|| entry.object.clone()))
}

impl Alarm {
    /// The alarm that ended a session, if one did.
    pub fn find(entries: &[ListedEntry]) -> Option<Self> {
        let entry = entries.iter().find(|entry| entry.action == "session.reuse")?;
        let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
        let text = |name: &str| detail.get(name).and_then(Value::as_str).map(str::to_owned);
        let time = |text: String| chrono::DateTime::parse_from_rfc3339(&text).ok().map(|at| at.to_utc().into());
        Some(Self {
            jti: entry.object.clone(),
            at: entry.at,
            rotated_at: text("rotated_at").and_then(time),
            rotated_by: text("rotated_by"),
            presented_by: text("presented_by"),
            user_agent: text("user_agent").unwrap_or_default(),
        })
    }
}

/// Everything in the order of time. `why` is the end of the sentence "It ended …".
pub fn tell(session: &Session, entries: &[ListedEntry], rotations: usize, why: &str, reader: Reader) -> Vec<Event> {
    let own = |at, what: String| (at, Event { is_bad: false, what, when: When::new(at, reader), by: None, ip: None });
    let mut all = Vec::new();
    if !entries.iter().any(|entry| entry.action == "login" && entry.at == session.created_at) {
        all.push(own(session.created_at, "Session began".to_owned()));
    }
    all.extend(entries.iter().rev().map(|entry| (entry.at, event(session, entry, reader))));
    if let Some(at) = session.last_refreshed_at.filter(|_| rotations > 0) {
        let last = if rotations == 1 { "" } else { ", the last one" };
        all.push(own(at, format!("{}{last}", amount(i64::try_from(rotations).unwrap_or(i64::MAX), "rotation"))));
    }
    let says_so = |entry: &ListedEntry| ["session.end", "session.reuse"].contains(&&*entry.action);
    if let Some(at) = session.ended_at.filter(|_| !entries.iter().any(says_so)) {
        all.push(own(at, format!("Session ended {why}")));
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, event)| event).collect()
}

fn event(session: &Session, entry: &ListedEntry, reader: Reader) -> Event {
    Event {
        is_bad: actions::is_bad(&entry.action),
        what: actions::sentence(&entry.action, entry.count),
        when: When::new(entry.at, reader),
        by: Some(entry.actor.clone()).filter(|by| !by.is_empty() && entry.actor_id != Some(session.user_id)),
        ip: entry.ip.clone(),
    }
}
