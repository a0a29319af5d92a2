//! The history of a user: the entries of the audit log about them.

use serde_json::Value;

use super::super::actions::{self, Detail};
use super::super::words::{Reader, When};
use crate::db::latchkey_audit_log::HistoryEntry;
use crate::guard::device;
use crate::journal::action::Action;

/// An event.
pub struct Line {
    /// What happened, without a full stop.
    pub text: String,
    /// When it last happened.
    pub when: When,
    /// The address it came from.
    pub ip: Option<String>,
    /// Whether it may be a sign of an attack.
    pub is_bad: bool,
}

/// An entry as a line: `User changed by root (Email: a@b.co → c@d.co)`.
pub fn line(entry: HistoryEntry, reader: Reader) -> Line {
    Line {
        text: if Action::of(&entry.action) == Some(Action::SessionReuse) { alarm(&entry) } else { sentence(&entry) },
        when: When::new(entry.last_at.unwrap_or(entry.at), reader),
        ip: entry.ip,
        is_bad: actions::is_bad(&entry.action),
    }
}

fn sentence(entry: &HistoryEntry) -> String {
    let text = |Detail { name, was, is }| match was {
        Some(was) => format!("{name}: {was} → {is}"),
        None => format!("{name}: {is}"),
    };
    let details: Vec<_> = actions::details(&entry.detail).into_iter().map(text).collect();
    let more = if details.is_empty() { String::new() } else { format!(" ({})", details.join("; ")) };
    let by = if entry.actor == entry.object { String::new() } else { format!(" by {}", entry.actor) };
    format!("{}{by}{more}", actions::sentence(&entry.action, entry.count))
}

fn alarm(entry: &HistoryEntry) -> String {
    let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    let from = detail["presented_by"].as_str().map(|ip| format!(" from {ip}")).unwrap_or_default();
    let device = device::words(detail["user_agent"].as_str().unwrap_or_default());
    format!("A used refresh token came back{from} ({device}). Latchkey ended the session")
}
