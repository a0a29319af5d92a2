//! What the entries of the audit log say: an action as words for a filter and as a sentence, its details field by field.

use serde_json::{Map, Value};

use crate::factors::Method;
use crate::guard::device;

/// An action: the word that is stored, words for a filter, and what it says.
type Action = (&'static str, &'static str, &'static str);

#[rustfmt::skip] // a table is read in columns
const ACTIONS: [Action; 35] = [
    ("login", "Logins", "Logged in"),
    ("login.failed", "Failed logins", "Failed login"),
    ("login.wrong_factor", "Wrong second factors", "Wrong second factor"),
    ("login.throttled", "Throttled logins", "Throttled login"),
    ("logout", "Logouts", "Logged out"),
    ("account.login", "Logins to one’s own account", "Logged in to their own account"),
    ("admin.login", "Logins to the panel", "Logged in to the panel"),
    ("admin.logout", "Logouts from the panel", "Logged out from the panel"),
    ("admin.session_end", "Panel logins ended", "Another login to the panel ended"),
    ("session.reuse", "Reuse alarms", "Reuse alarm: a rotated token came back"),
    ("session.end", "Sessions ended", "Session ended"),
    ("token.revoke", "Tokens revoked", "Token revoked by its holder"),
    ("token.blacklist", "Tokens blacklisted", "Token blacklisted"),
    ("token.unblacklist", "Tokens taken off the blacklist", "Token taken off the blacklist"),
    ("token.reveal", "Tokens revealed", "Token revealed"),
    ("user.create", "Users added", "User added"),
    ("user.change", "Users changed", "User changed"),
    ("user.set_password", "Passwords set", "Password set"),
    ("user.reset_request", "Links for a password asked for", "Link for a new password asked for"),
    ("user.reset_link", "Links for a password sent", "Link for a new password sent"),
    ("user.reset_password", "Passwords reset", "Password reset with a link"),
    ("user.email_request", "Addresses to confirm", "Link to confirm an address asked for"),
    ("user.email_confirm", "Addresses confirmed", "Email address confirmed"),
    ("second_factor.add", "Second factors added", "Second factor added"),
    ("second_factor.remove", "Second factors removed", "Second factor removed"),
    ("second_factor.recovery_codes", "New recovery codes", "New recovery codes made"),
    ("second_factor.require", "Second factors required", "Second factor required at the next login"),
    ("second_factor.unrequire", "Second factors not required", "Second factor not required any more"),
    ("second_factor.forget_browser", "Browsers forgotten", "Remembered browsers forgotten"),
    ("user.activate", "Users activated", "User activated"),
    ("user.deactivate", "Users deactivated", "User deactivated"),
    ("user.delete", "Users deleted", "User deleted"),
    ("user.blacklist_tokens", "Logged out by an admin", "Logged out everywhere by an admin"),
    ("user.export", "Exports of users", "Users exported"),
    ("audit_log.export", "Exports of the audit log", "Audit log exported"),
];

/// The actions that the log can be filtered by.
pub const CHOICES: [(&str, &str); ACTIONS.len()] = {
    let mut choices = [("", ""); ACTIONS.len()];
    let mut at = 0;
    while at < ACTIONS.len() {
        choices[at] = (ACTIONS[at].0, ACTIONS[at].1);
        at += 1;
    }
    choices
};

/// What happened, and how often: `Token revealed`, `12 failed logins`. An action that is not known here is told as it is stored.
pub fn sentence(action: &str, count: i32) -> String {
    let known = ACTIONS.iter().find(|(name, ..)| *name == action);
    let once = known.map_or_else(|| in_words(action), |(.., once)| (*once).to_owned());
    match (count, known) {
        (..=1, _) => once,
        (_, Some((_, many, _))) if action.starts_with("login.") => {
            format!("{} {}", super::words::commas(count.into()), many.to_lowercase())
        }
        _ => format!("{once}, {} times", super::words::commas(count.into())),
    }
}

/// Whether it is a sign of trouble.
pub fn is_bad(action: &str) -> bool {
    ["session.reuse", "login.failed", "login.wrong_factor", "login.throttled"].contains(&action)
}

/// `not_before` becomes `Not before`.
fn in_words(name: &str) -> String {
    let words = name.replace(['_', '.'], " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The details, field by field: its name, what it was (of a change), what it is.
pub fn details(detail: &str) -> Vec<Detail> {
    let mut all = Vec::new();
    let fields: Map<String, Value> = serde_json::from_str(detail).unwrap_or_default();
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("changes", Value::Object(changes)) => {
                for (name, change) in changes {
                    let was = change.get(0).map(text);
                    let is = change.get(1).map_or_else(|| text(&change), text);
                    all.push(Detail { name: in_words(&name), was, is });
                }
            }
            (_, Value::Null) => {}
            ("user_agent", agent) => {
                let device = device::words(agent.as_str().unwrap_or_default());
                all.insert(0, Detail { name: "Device".to_owned(), was: None, is: device });
            }
            (name @ ("kind" | "second_factor"), Value::String(kind)) => {
                let is = Method::of(&kind).map_or(kind, |method| method.title().to_owned());
                all.push(Detail { name: in_words(name), was: None, is });
            }
            (name, value) => all.push(Detail { name: in_words(name), was: None, is: text(&value) }),
        }
    }
    all
}

/// One field of the details.
#[derive(Debug, PartialEq, Eq)]
pub struct Detail {
    /// Its name.
    pub name: String,
    /// What it was, if it changed.
    pub was: Option<String>,
    /// What it is.
    pub is: String,
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "(empty)".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Null => "(none)".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_a_sentence() {
        for (action, count, words) in [
            ("token.reveal", 1, "Token revealed"),
            ("login.failed", 1, "Failed login"),
            ("login.failed", 1200, "1,200 failed logins"),
            ("login.throttled", 2, "2 throttled logins"),
            ("login.wrong_factor", 3, "3 wrong second factors"),
            ("session.end", 2, "Session ended, 2 times"),
            ("thing.done_to_it", 1, "Thing done to it"),
            ("", 1, ""),
        ] {
            assert_eq!(sentence(action, count), words);
        }
    }

    #[test]
    fn details_are_told_field_by_field() {
        let one = |name: &str, was: Option<&str>, is: &str| Detail {
            name: name.to_owned(),
            was: was.map(str::to_owned),
            is: is.to_owned(),
        };
        assert_eq!(
            details(r#"{"changes":{"email":["","a@b.co"],"is_staff":[false,true]},"rotated_by":"::1","x":null}"#),
            [
                one("Email", Some("(empty)"), "a@b.co"),
                one("Is staff", Some("no"), "yes"),
                one("Rotated by", None, "::1")
            ]
        );
        assert_eq!(details(r#"{"kind":"totp"}"#), [one("Kind", None, "Authenticator app")]);
        assert_eq!(details(r#"{"second_factor":"recovery"}"#), [one("Second factor", None, "Recovery code")]);
        for nonsense in ["", "[]", "{", "null", "{\"changes\":{\"a\":[]}}"] {
            assert!(details(nonsense).len() <= 1, "{nonsense}");
        }
    }
}
