//! Entries of the audit log about one user, as sentences.

use serde_json::Value;

use super::super::words::{Reader, When, amount};
use crate::db::latchkey_audit_log::Entry;

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

/// An entry as a sentence.
pub fn line(entry: Entry, reader: Reader) -> Line {
    Line {
        text: sentence(&entry),
        when: When::new(entry.last_at.unwrap_or(entry.at), reader),
        ip: entry.ip,
        is_bad: matches!(&*entry.action, "session.reuse" | "login.failed" | "admin.login_failed"),
    }
}

fn sentence(entry: &Entry) -> String {
    let Entry { actor, action, count, .. } = entry;
    match &**action {
        "admin.login" => format!("{actor} logged in to this panel"),
        "admin.logout" => format!("{actor} logged out of this panel"),
        "login" => format!("{actor} logged in"),
        "logout" => format!("{actor} logged out"),
        "user.create" => format!("{actor} added the user"),
        "user.change" => changes(entry),
        "user.set_password" => format!("{actor} set the password"),
        "user.activate" => format!("{actor} activated the user"),
        "user.deactivate" => format!("{actor} deactivated the user"),
        "user.blacklist_tokens" => format!("{actor} logged the user out everywhere"),
        "token.reveal" => format!("{actor} looked at a token"),
        "token.blacklist" => format!("{actor} blacklisted a token"),
        "session.end" => format!("{actor} ended a session"),
        "session.reuse" => "A token came back after its rotation; its session was ended".to_owned(),
        "login.failed" | "admin.login_failed" => amount(i64::from(*count), "failed login"),
        other => format!("{actor}: {other}"),
    }
}

/// `root changed email from “a” to “b”, is_staff from no to yes`
fn changes(entry: &Entry) -> String {
    let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    let value = |value: &Value| match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => format!("“{text}”"),
        other => other.to_string(),
    };
    let fields = detail["changes"].as_object().into_iter().flatten();
    let told: Vec<_> =
        fields.map(|(field, both)| format!("{field} from {} to {}", value(&both[0]), value(&both[1]))).collect();
    format!("{} changed {}", entry.actor, told.join(", "))
}
