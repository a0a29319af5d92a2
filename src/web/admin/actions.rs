//! Entries of the audit log in words: an action for the filter and as a sentence, and the details field by field.

use serde_json::{Map, Value};
use strum::VariantArray;

use super::words::commas;
use crate::guard::device;
use crate::journal::action::Action;
use crate::journal::authentication::Method;

/// The actions that the log can be filtered by.
pub const CHOICES: [(&str, &str); Action::VARIANTS.len()] = {
    let mut choices = [("", ""); Action::VARIANTS.len()];
    let mut at = 0;
    while at < choices.len() {
        choices[at] = (Action::VARIANTS[at].word(), Action::VARIANTS[at].filter());
        at += 1;
    }
    choices
};

/// What happened, and how often: `Token revealed`, `12 failed logins`. An unknown action is shown as it is stored.
pub fn sentence(word: &str, count: i32) -> String {
    let Some(action) = Action::of(word) else {
        return if count > 1 { format!("{}, {} times", in_words(word), commas(count.into())) } else { in_words(word) };
    };
    match action {
        _ if count <= 1 => action.summary().to_owned(),
        Action::LoginFailed | Action::LoginWrongFactor | Action::LoginThrottled => {
            format!("{} {}", commas(count.into()), action.filter().to_lowercase())
        }
        _ => format!("{}, {} times", action.summary(), commas(count.into())),
    }
}

/// Whether it may be a sign of an attack.
pub fn is_bad(word: &str) -> bool {
    Action::of(word).is_some_and(Action::is_suspicious)
}

/// `not_before` becomes `Not before`.
fn in_words(name: &str) -> String {
    let words = name.replace(['_', '.'], " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The details, field by field.
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
    /// The old value, if it changed.
    pub was: Option<String>,
    /// The value.
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
    fn details_are_listed_field_by_field() {
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
