//! The history of a user: the entries of the audit log about them.

use super::super::actions::{self, Detail};
use super::super::words::{Reader, When};
use crate::db::latchkey_audit_log::Entry;

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
pub fn line(entry: Entry, reader: Reader) -> Line {
    let text = |Detail { name, was, is }| match was {
        Some(was) => format!("{name}: {was} → {is}"),
        None => format!("{name}: {is}"),
    };
    let details: Vec<_> = actions::details(&entry.detail).into_iter().map(text).collect();
    let more = if details.is_empty() { String::new() } else { format!(" ({})", details.join("; ")) };
    let by = if entry.actor == entry.object { String::new() } else { format!(" by {}", entry.actor) };
    Line {
        text: format!("{}{by}{more}", actions::sentence(&entry.action, entry.count)),
        when: When::new(entry.last_at.unwrap_or(entry.at), reader),
        ip: entry.ip,
        is_bad: actions::is_bad(&entry.action),
    }
}
