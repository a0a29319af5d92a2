//! An entry of the audit log as a sentence with links: "root blacklisted 2 tokens of alice". Names are text, whatever
//! they look like: the template escapes each part.

use serde_json::Value;

use super::address;
use super::words::{Jti, amount};
use crate::accounts::second_factor::Kind;
use crate::db::latchkey_audit_log::list::ListedEntry;

/// A piece of a sentence, with its address if it leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The words.
    pub text: String,
    /// Where they lead.
    pub href: Option<String>,
}

/// What an entry says.
pub fn of(entry: &ListedEntry) -> Vec<Part> {
    let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    let tokens = detail["tokens"].as_i64().unwrap_or(0);
    let (actor, user, jti) = (actor(entry), user(entry), jti(entry));
    let say = |before: &str, what: &[Part]| {
        let mut parts = vec![actor.clone(), text(before)];
        parts.extend_from_slice(what);
        parts
    };
    match entry.action.as_str() {
        "login" => say(" logged in", &[]),
        "login.failed" => say(" failed to log in as ", &[user, text(&times(entry))]),
        "login.wrong_factor" => say(" gave a wrong second factor for ", &[user, text(&times(entry))]),
        "login.throttled" => say(" had to wait before logging in as ", &[user, text(&times(entry))]),
        "logout" => say(
            match detail["which"].as_str() {
                Some("all") => " logged out everywhere",
                Some("others") => " logged out everywhere else",
                _ => " logged out",
            },
            &[],
        ),
        "account.login" => say(" logged in to their own account", &[]),
        "admin.login" => say(" logged in to the panel", &[]),
        "admin.logout" => say(" logged out of the panel", &[]),
        "admin.session_end" => say(" ended another login to the panel", &[]),
        "session.end" => say(" ended a session of ", &[user]),
        "session.reuse" => say(" ended a session of ", &[user, text(": a rotated token came back")]),
        "token.reveal" => say(" revealed token ", &[jti, text(" of "), user]),
        "token.blacklist" => match detail["jti"].as_array() {
            Some(several) => say(&format!(" blacklisted {} tokens of ", several.len()), &[user]),
            None => say(" blacklisted token ", &[jti, text(" of "), user]),
        },
        "token.unblacklist" => say(" took token ", &[jti, text(" of "), user, text(" off the blacklist")]),
        "token.revoke" => say(" revoked token ", &[jti, text(" of "), user]),
        "user.blacklist_tokens" => say(&format!(" blacklisted {} of ", amount(tokens, "token")), &[user]),
        "user.create" => say(" added user ", &[user]),
        "user.change" => say(&format!(" changed {} of ", changed(&detail)), &[user]),
        "user.set_password" => say(" set the password of ", &[user]),
        "user.reset_request" => say(" asked for a link for a new password of ", &[user]),
        "user.reset_link" => say(" sent a link for a new password to ", &[user]),
        "user.reset_password" => say(" reset the password with a link", &[]),
        "user.email_request" => say(" asked to confirm an email address", &[]),
        "user.email_confirm" if detail["changes"].is_object() => say(" confirmed a new email address", &[]),
        "user.email_confirm" => say(" confirmed the email address", &[]),
        "second_factor.add" => say(&format!(" added {}", factor(&detail)), &[]),
        "second_factor.remove" if entry.actor_id.is_some() && entry.actor_id == entry.user_id => {
            say(&format!(" removed {}", factor(&detail)), &[])
        }
        "second_factor.remove" => say(&format!(" removed {} of ", factor(&detail)), &[user]),
        "second_factor.recovery_codes" => say(" made new recovery codes", &[]),
        "second_factor.require" => say(" required a second factor of ", &[user]),
        "second_factor.unrequire" => say(" no longer requires a second factor of ", &[user]),
        "second_factor.forget_browser" => {
            let browsers = amount(detail["browsers"].as_i64().unwrap_or(0), "remembered browser");
            say(&format!(" forgot {browsers} of "), &[user])
        }
        "user.activate" => say(" activated ", &[user]),
        "user.deactivate" => say(" deactivated ", &[user]),
        "user.delete" => say(" deleted user ", &[user]),
        other => say(&format!(": {} ", other.replace(['.', '_'], " ")), &[user]),
    }
}

fn text(text: &str) -> Part {
    Part { text: text.to_owned(), href: None }
}

/// Which second factor it is about.
fn factor(detail: &Value) -> &'static str {
    let kind = detail["kind"].as_str().and_then(Kind::of);
    kind.map_or("a second factor", Kind::words)
}

fn times(entry: &ListedEntry) -> String {
    if entry.count == 1 { String::new() } else { format!(", {} times", entry.count) }
}

fn actor(entry: &ListedEntry) -> Part {
    let href = entry.actor_id.map(|id| format!("{}{id}/change/", address::USERS));
    Part { text: entry.actor.clone(), href }
}

/// The user whom it is about: by the present name, or else by the one in the entry.
fn user(entry: &ListedEntry) -> Part {
    match (entry.user_id, &entry.username) {
        (Some(id), Some(name)) => Part { text: name.clone(), href: Some(format!("{}{id}/change/", address::USERS)) },
        (Some(_), None) if entry.action.starts_with("token.") || entry.action.starts_with("session.") => {
            text("a deleted user")
        }
        (None, _) if entry.action.starts_with("token.") => text("nobody"),
        _ => text(&entry.object),
    }
}

fn jti(entry: &ListedEntry) -> Part {
    let short = Jti(entry.object.clone()).short();
    Part { text: short, href: Some(address::search(address::OUTSTANDING, &entry.object)) }
}

/// Which fields a change is of: "email and is staff".
fn changed(detail: &Value) -> String {
    let names: Vec<_> = detail["changes"]
        .as_object()
        .map(|changes| changes.keys().map(|name| name.replace('_', " ")).collect())
        .unwrap_or_default();
    match names.as_slice() {
        [] => "something".to_owned(),
        [one] => one.clone(),
        [firsts @ .., last] => format!("{} and {last}", firsts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::types::{Instant, RowId, UserId};

    fn words(action: &str, detail: &str) -> String {
        let entry = ListedEntry {
            id: RowId(1),
            ip: None,
            last_at: None,
            at: Instant::from_timestamp(0).unwrap(),
            action: action.to_owned(),
            actor_id: Some(UserId(1)),
            actor: "root".to_owned(),
            user_id: Some(UserId(7)),
            username: Some("alice".to_owned()),
            object: "6a46e0a14cd94f4c8e4a".to_owned(),
            detail: detail.to_owned(),
            count: 3,
        };
        of(&entry).into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn an_entry_is_a_sentence() {
        for (action, detail, sentence) in [
            ("user.blacklist_tokens", r#"{"tokens":2}"#, "root blacklisted 2 tokens of alice"),
            ("token.reveal", "{}", "root revealed token 6a46e0a14cd9… of alice"),
            ("user.change", r#"{"changes":{"email":[],"is_staff":[]}}"#, "root changed email and is staff of alice"),
            ("logout", r#"{"which":"others"}"#, "root logged out everywhere else"),
            ("login.failed", "{}", "root failed to log in as alice, 3 times"),
            ("login.throttled", "{}", "root had to wait before logging in as alice, 3 times"),
            ("login.wrong_factor", "{}", "root gave a wrong second factor for alice, 3 times"),
            ("second_factor.add", r#"{"kind":"totp","name":"x"}"#, "root added an authenticator app"),
            ("second_factor.remove", r#"{"kind":"passkey"}"#, "root removed a passkey of alice"),
            ("second_factor.require", "{}", "root required a second factor of alice"),
            ("second_factor.forget_browser", r#"{"browsers":1}"#, "root forgot 1 remembered browser of alice"),
            ("some.new_thing", "nonsense", "root: some new thing alice"),
        ] {
            assert_eq!(words(action, detail), sentence);
        }
    }
}
