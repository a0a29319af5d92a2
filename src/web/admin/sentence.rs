//! An entry of the audit log as a sentence with links: "root blacklisted 2 tokens of alice". The template escapes the names.

use serde_json::Value;

use super::address;
use super::words::{Jti, amount};
use crate::db::latchkey_audit_log::list::ListedEntry;
use crate::journal::action::Action;
use crate::journal::authentication::FactorKind;

/// A part of a sentence, which may be a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The text.
    pub text: String,
    /// The address of the link.
    pub href: Option<String>,
}

/// The sentence of an entry.
pub fn of(entry: &ListedEntry) -> Vec<Part> {
    let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    let tokens = detail["tokens"].as_i64().unwrap_or(0);
    let (actor, user, jti) = (actor(entry), user(entry), jti(entry));
    let say = |before: &str, what: &[Part]| {
        let mut parts = vec![actor.clone(), text(before)];
        parts.extend_from_slice(what);
        parts
    };
    let Some(action) = Action::of(&entry.action) else {
        return say(&format!(": {} ", entry.action.replace(['.', '_'], " ")), &[user]);
    };
    match action {
        Action::Login => say(" logged in", &[]),
        Action::LoginFailed => say(" failed to log in as ", &[user, text(&times(entry))]),
        Action::LoginWrongFactor => say(" gave a wrong second factor for ", &[user, text(&times(entry))]),
        Action::LoginThrottled => say(" had to wait before logging in as ", &[user, text(&times(entry))]),
        Action::Logout => say(
            match detail["which"].as_str() {
                Some("all") => " logged out everywhere",
                Some("others") => " logged out everywhere else",
                _ => " logged out",
            },
            &[],
        ),
        Action::AccountLogin => say(" logged in to the account pages", &[]),
        Action::AdminLogin => say(" logged in to the panel", &[]),
        Action::AdminLogout => say(" logged out of the panel", &[]),
        Action::AdminSessionEnd => say(" ended another of their panel sessions", &[]),
        Action::SessionEnd => say(" ended a session of ", &[user]),
        Action::SessionReuse => say(" ended a session of ", &[user, text(": a used refresh token came back")]),
        Action::TokenReveal => say(" revealed token ", &[jti, text(" of "), user]),
        Action::TokenBlacklist => match detail["jti"].as_array() {
            Some(several) => say(&format!(" blacklisted {} tokens of ", several.len()), &[user]),
            None => say(" blacklisted token ", &[jti, text(" of "), user]),
        },
        Action::TokenUnblacklist => say(" took token ", &[jti, text(" of "), user, text(" off the blacklist")]),
        Action::TokenRevoke => say(" revoked token ", &[jti, text(" of "), user]),
        Action::UserBlacklistTokens => say(&format!(" blacklisted {} of ", amount(tokens, "token")), &[user]),
        Action::UserCreate => say(" added user ", &[user]),
        Action::UserChange => say(&format!(" changed {} of ", changed(&detail)), &[user]),
        Action::UserSetPassword => say(" set the password of ", &[user]),
        Action::UserResetRequest => say(" asked for a password reset link for ", &[user]),
        Action::UserResetLink => say(" sent a password reset link to ", &[user]),
        Action::UserResetPassword => say(" reset the password with a link", &[]),
        Action::UserEmailRequest => say(" asked to confirm an email address", &[]),
        Action::UserEmailConfirm if detail["changes"].is_object() => say(" confirmed a new email address", &[]),
        Action::UserEmailConfirm => say(" confirmed the email address", &[]),
        Action::FactorAdd => say(&format!(" added {}", factor(&detail)), &[]),
        Action::FactorRemove if entry.actor_id.is_some() && entry.actor_id == entry.user_id => {
            say(&format!(" removed {}", factor(&detail)), &[])
        }
        Action::FactorRemove => say(&format!(" removed {} of ", factor(&detail)), &[user]),
        Action::FactorRecoveryCodes => say(" replaced their recovery codes", &[]),
        Action::FactorRequire => say(" required a second factor from ", &[user]),
        Action::FactorUnrequire => say(" no longer requires a second factor from ", &[user]),
        Action::FactorForgetBrowser => {
            let browsers = amount(detail["browsers"].as_i64().unwrap_or(0), "remembered browser");
            say(&format!(" forgot {browsers} of "), &[user])
        }
        Action::UserActivate => say(" activated ", &[user]),
        Action::UserDeactivate => say(" deactivated ", &[user]),
        Action::UserDelete => say(" deleted user ", &[user]),
        Action::UserExport => say(" exported the list of users", &[]),
        Action::AuditLogExport => say(" exported the audit log", &[]),
    }
}

fn text(text: &str) -> Part {
    Part { text: text.to_owned(), href: None }
}

/// The second factor that the entry is about.
fn factor(detail: &Value) -> &'static str {
    let kind = detail["kind"].as_str().and_then(FactorKind::of);
    kind.map_or("a second factor", FactorKind::phrase)
}

fn times(entry: &ListedEntry) -> String {
    if entry.count == 1 { String::new() } else { format!(", {} times", entry.count) }
}

fn actor(entry: &ListedEntry) -> Part {
    let href = entry.actor_id.map(|id| format!("{}{id}/change/", address::USERS));
    Part { text: entry.actor.clone(), href }
}

/// The user that the entry is about: by the current name, or else by the one in the entry.
fn user(entry: &ListedEntry) -> Part {
    match (entry.user_id, &entry.username) {
        (Some(id), Some(name)) => Part { text: name.clone(), href: Some(format!("{}{id}/change/", address::USERS)) },
        (Some(_), None) if entry.action.starts_with("token.") || entry.action.starts_with("session.") => {
            text("a deleted user")
        }
        (None, _) if entry.action.starts_with("token.") => text("an unknown user"),
        _ => text(&entry.object),
    }
}

fn jti(entry: &ListedEntry) -> Part {
    let short = Jti(entry.object.clone()).short();
    Part { text: short, href: Some(address::search(address::OUTSTANDING, &entry.object)) }
}

/// The changed fields: "email and is staff".
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
            actor_id: Some(UserId::Integer(1)),
            actor: "root".to_owned(),
            user_id: Some(UserId::Integer(7)),
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
            ("second_factor.require", "{}", "root required a second factor from alice"),
            ("second_factor.forget_browser", r#"{"browsers":1}"#, "root forgot 1 remembered browser of alice"),
            ("some.new_thing", "nonsense", "root: some new thing alice"),
        ] {
            assert_eq!(words(action, detail), sentence);
        }
    }
}
