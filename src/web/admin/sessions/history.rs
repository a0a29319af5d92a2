//! The history of a session: its own events, and the entries of the audit log about its user in that time.

use serde_json::Value;

use crate::app::Tx;
use crate::db::DbError;
use crate::db::latchkey_audit_log::list::{self, Filter, ListedEntry, Sort};
use crate::db::latchkey_session::Session;
use crate::db::page::Paging;
use crate::db::types::Instant;
use crate::web::admin::actions;
use crate::web::words::{Reader, When, amount};

/// How many entries of the audit log are read.
const MAX_ENTRIES: usize = 50;

/// An event of a session.
pub struct Event {
    /// Whether it may be a sign of an attack.
    pub is_bad: bool,
    /// What happened.
    pub what: String,
    /// When it happened.
    pub when: When,
    /// Who did it, if not the user.
    pub by: Option<String>,
    /// The address it came from.
    pub ip: Option<String>,
}

/// A reuse alarm.
pub struct Alarm {
    /// The token that came back.
    pub jti: String,
    /// When it came back.
    pub at: Instant,
    /// When it was rotated.
    pub rotated_at: Option<Instant>,
    /// The address that rotated it.
    pub rotated_by: Option<String>,
    /// The address that it came back from.
    pub presented_by: Option<String>,
    /// The `User-Agent` of that request.
    pub user_agent: String,
}

/// The entries about the user while the session lasted, newest first, without those about other sessions.
pub fn entries(tx: &mut Tx<'_>, session: &Session) -> Result<Vec<ListedEntry>, DbError> {
    let after = session.ended_at.map(|at| at + std::time::Duration::from_secs(1));
    let filter =
        Filter { users: Some(vec![session.user_id]), at: Some((Some(session.created_at), after)), ..Filter::default() };
    let paging = Paging { sort: Sort::When, descending: true, from: None, size: MAX_ENTRIES };
    let mut found = list::search(tx.conn, &tx.app.users, &filter, &paging)?.rows;
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

/// A session with everything that its history is made of.
pub struct History<'a> {
    /// The session.
    pub session: &'a Session,
    /// What `entries` found.
    pub entries: &'a [ListedEntry],
    /// How often its tokens were rotated.
    pub rotations: usize,
    /// The end of the sentence "It ended …".
    pub why: &'a str,
}

impl History<'_> {
    /// All events in the order of time.
    pub fn events(&self, reader: Reader) -> Vec<Event> {
        let Self { session, entries, rotations, why } = *self;
        let own =
            |at, what: String| (at, Event { is_bad: false, what, when: When::new(at, reader), by: None, ip: None });
        let mut all = Vec::new();
        if !entries.iter().any(|entry| entry.action == "login" && entry.at == session.created_at) {
            all.push(own(session.created_at, "Session began".to_owned()));
        }
        all.extend(entries.iter().rev().map(|entry| (entry.at, event(session, entry, reader))));
        if let Some(at) = session.last_refreshed_at.filter(|_| rotations > 0) {
            let last = if rotations == 1 { "" } else { ", the last one" };
            all.push(own(at, format!("{}{last}", amount(i64::try_from(rotations).unwrap_or(i64::MAX), "rotation"))));
        }
        let is_end = |entry: &ListedEntry| ["session.end", "session.reuse"].contains(&&*entry.action);
        if let Some(at) = session.ended_at.filter(|_| !entries.iter().any(is_end)) {
            all.push(own(at, format!("Session ended {why}")));
        }
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, event)| event).collect()
    }
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
