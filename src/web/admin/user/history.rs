//! Entries of the audit log about one user, as lines of their history.

use super::super::actions::{self, Detail};
use super::super::words::{Reader, When};
use crate::db::latchkey_audit_log::HistoryEntry;

/// One thing that happened.
pub struct Line {
    /// A sentence without a stop.
    pub text: String,
    /// When, or when last.
    pub when: When,
    /// Where it came from.
    pub ip: Option<String>,
    /// Whether somebody should look at it.
    pub is_bad: bool,
}

/// An entry as a line: `User changed by root (Email: a@b.co → c@d.co)`.
pub fn line(entry: HistoryEntry, reader: Reader) -> Line {
    let told = |Detail { name, was, is }| match was {
        Some(was) => format!("{name}: {was} → {is}"),
        None => format!("{name}: {is}"),
    };
    let details: Vec<_> = actions::details(&entry.detail).into_iter().map(told).collect();
    let more = if details.is_empty() { String::new() } else { format!(" ({})", details.join("; ")) };
    let by = if entry.actor == entry.object { String::new() } else { format!(" by {}", entry.actor) };
    Line {
        text: format!("{}{by}{more}", actions::sentence(&entry.action, entry.count)),
        when: When::new(entry.last_at.unwrap_or(entry.at), reader),
        ip: entry.ip,
        is_bad: actions::is_bad(&entry.action),
    }
}
