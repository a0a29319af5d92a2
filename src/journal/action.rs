//! The actions of the audit log, each with its stored word and its texts. The panel's filter and sentences, the
//! dashboard and docs/audit-log.md are made from them.

#![allow(missing_docs, reason = "strum generates a method without any; `about` says what each action is")]

use strum::{EnumString, IntoStaticStr, VariantArray};

/// An action that the audit log records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray, EnumString, IntoStaticStr)]
#[strum(const_into_str)]
pub enum Action {
    #[strum(serialize = "login")]
    Login,
    #[strum(serialize = "login.failed")]
    LoginFailed,
    #[strum(serialize = "login.wrong_factor")]
    LoginWrongFactor,
    #[strum(serialize = "login.throttled")]
    LoginThrottled,
    #[strum(serialize = "logout")]
    Logout,
    #[strum(serialize = "account.login")]
    AccountLogin,
    #[strum(serialize = "admin.login")]
    AdminLogin,
    #[strum(serialize = "admin.logout")]
    AdminLogout,
    #[strum(serialize = "admin.session_end")]
    AdminSessionEnd,
    #[strum(serialize = "session.reuse")]
    SessionReuse,
    #[strum(serialize = "session.end")]
    SessionEnd,
    #[strum(serialize = "token.revoke")]
    TokenRevoke,
    #[strum(serialize = "token.blacklist")]
    TokenBlacklist,
    #[strum(serialize = "token.unblacklist")]
    TokenUnblacklist,
    #[strum(serialize = "token.reveal")]
    TokenReveal,
    #[strum(serialize = "user.create")]
    UserCreate,
    #[strum(serialize = "user.change")]
    UserChange,
    #[strum(serialize = "user.set_password")]
    UserSetPassword,
    #[strum(serialize = "user.reset_request")]
    UserResetRequest,
    #[strum(serialize = "user.reset_link")]
    UserResetLink,
    #[strum(serialize = "user.reset_password")]
    UserResetPassword,
    #[strum(serialize = "user.email_request")]
    UserEmailRequest,
    #[strum(serialize = "user.email_confirm")]
    UserEmailConfirm,
    #[strum(serialize = "second_factor.add")]
    FactorAdd,
    #[strum(serialize = "second_factor.remove")]
    FactorRemove,
    #[strum(serialize = "second_factor.recovery_codes")]
    FactorRecoveryCodes,
    #[strum(serialize = "second_factor.require")]
    FactorRequire,
    #[strum(serialize = "second_factor.unrequire")]
    FactorUnrequire,
    #[strum(serialize = "second_factor.forget_browser")]
    FactorForgetBrowser,
    #[strum(serialize = "user.activate")]
    UserActivate,
    #[strum(serialize = "user.deactivate")]
    UserDeactivate,
    #[strum(serialize = "user.delete")]
    UserDelete,
    #[strum(serialize = "user.blacklist_tokens")]
    UserBlacklistTokens,
    #[strum(serialize = "user.export")]
    UserExport,
    #[strum(serialize = "audit_log.export")]
    AuditLogExport,
}

/// The texts of an action.
struct About {
    /// Its name in the panel's filter: `Logins`.
    filter: &'static str,
    /// What happened, as a phrase: `Logged in`.
    summary: &'static str,
    /// When it is recorded, for docs/audit-log.md.
    documentation: &'static str,
}

const fn about(filter: &'static str, summary: &'static str, documentation: &'static str) -> About {
    About { filter, summary, documentation }
}

impl Action {
    #[rustfmt::skip] // a table is read in columns
    const fn about(self) -> About {
        match self {
            Self::Login => about("Logins", "Logged in", "A user logged in through the API. `detail` has the session, the `User-Agent`, and the `second_factor` or `remembered_browser` that was used."),
            Self::LoginFailed => about("Failed logins", "Failed login", "A login failed, through the API, the panel or the account pages (`door`)."),
            Self::LoginWrongFactor => about("Wrong second factors", "Wrong second factor", "The password was right, but the second factor was wrong or already used ([second-factors.md](second-factors.md))."),
            Self::LoginThrottled => about("Throttled logins", "Throttled login", "A login was refused unchecked because too many had failed before ([passwords.md](passwords.md#guessing))."),
            Self::Logout => about("Logouts", "Logged out", "A user called `logout/`; `which` is `one`, `all` or `others`."),
            Self::AccountLogin => about("Account page logins", "Logged in to the account pages", "A user logged in to the account pages ([second-factors.md](second-factors.md#pages)). `detail` as for `login`."),
            Self::AdminLogin => about("Panel logins", "Logged in to the panel", "A user logged in to the panel. `detail` as for `login`."),
            Self::AdminLogout => about("Panel logouts", "Logged out of the panel", "A user logged out of the panel."),
            Self::AdminSessionEnd => about("Panel sessions ended", "Ended another panel session", "A user ended another of their own panel sessions."),
            Self::SessionReuse => about("Reuse alarms", "Reuse alarm: a used refresh token came back", "A rotated refresh token came back, and its session was ended ([sessions.md](sessions.md))."),
            Self::SessionEnd => about("Sessions ended", "Session ended", "A user or a superuser ended a session."),
            Self::TokenRevoke => about("Tokens revoked", "Token revoked by its holder", "Someone who held a token sent it to `token/revoke/` or `token/blacklist/`."),
            Self::TokenBlacklist => about("Tokens blacklisted", "Token blacklisted", "A superuser blacklisted one or more tokens."),
            Self::TokenUnblacklist => about("Blacklistings undone", "Blacklisting undone", "A superuser took a token off the blacklist."),
            Self::TokenReveal => about("Tokens revealed", "Token revealed", "A superuser looked at a whole token."),
            Self::UserCreate => about("Users added", "User added", "A user was added, in the panel or at the command line."),
            Self::UserChange => about("Users changed", "User changed", "An account was changed; `changes` has the old and new value of each field."),
            Self::UserSetPassword => about("Passwords set", "Password set", "A password was set by its user, by a superuser or at the command line."),
            Self::UserResetRequest => about("Password resets requested", "Password reset requested", "Someone asked for a password reset link ([passwords.md](passwords.md))."),
            Self::UserResetLink => about("Password reset links sent", "Password reset link sent", "A superuser sent a user a password reset link."),
            Self::UserResetPassword => about("Passwords reset", "Password reset with a link", "A user set a new password with a reset link."),
            Self::UserEmailRequest => about("Email confirmations requested", "Email confirmation requested", "A user asked to confirm an address (`email`)."),
            Self::UserEmailConfirm => about("Email addresses confirmed", "Email address confirmed", "A user confirmed an address; `changes` is there if it is a new one."),
            Self::FactorAdd => about("Second factors added", "Second factor added", "A user added a second factor (`kind`, `name`)."),
            Self::FactorRemove => about("Second factors removed", "Second factor removed", "A second factor (`kind`, `name`) was removed by its user, by a superuser or at the command line."),
            Self::FactorRecoveryCodes => about("Recovery codes replaced", "Recovery codes replaced", "A user made new recovery codes."),
            Self::FactorRequire => about("Second factors required", "Second factor required at the next login", "A superuser requires a second factor of a user from the next login on."),
            Self::FactorUnrequire => about("Second factors made optional", "Second factor no longer required", "A superuser no longer requires a second factor of a user."),
            Self::FactorForgetBrowser => about("Browsers forgotten", "Remembered browsers forgotten", "A user or a superuser made Latchkey forget remembered browsers (`browsers`: how many); they are asked for a second factor again."),
            Self::UserActivate => about("Users activated", "User activated", "An account was activated."),
            Self::UserDeactivate => about("Users deactivated", "User deactivated", "An account was deactivated."),
            Self::UserDelete => about("Users deleted", "User deleted", "An account was deleted."),
            Self::UserBlacklistTokens => about("Logged out by an admin", "Logged out everywhere by an admin", "A superuser ended all sessions of a user and blacklisted their tokens (`tokens`: how many)."),
            Self::UserExport => about("Users exported", "Users exported", "A superuser exported the list of users; `detail` has the filters."),
            Self::AuditLogExport => about("Audit log exported", "Audit log exported", "Staff exported the audit log; `detail` has the filters."),
        }
    }

    /// The word in `latchkey_audit_log.action`.
    pub const fn word(self) -> &'static str {
        self.into_str()
    }

    /// The action of a stored word. `None` for one that a newer version wrote.
    pub fn of(word: &str) -> Option<Self> {
        word.parse().ok()
    }

    /// The name in a filter: `Failed logins`.
    pub const fn filter(self) -> &'static str {
        self.about().filter
    }

    /// What happened: `Failed login`.
    pub const fn summary(self) -> &'static str {
        self.about().summary
    }

    /// Whether this is a login or logout: there are so many that they would hide everything else.
    pub const fn is_routine(self) -> bool {
        matches!(
            self,
            Self::Login
                | Self::LoginFailed
                | Self::LoginWrongFactor
                | Self::LoginThrottled
                | Self::Logout
                | Self::AccountLogin
                | Self::AdminLogin
                | Self::AdminLogout
        )
    }

    /// Whether this may be a sign of an attack.
    pub const fn is_suspicious(self) -> bool {
        matches!(self, Self::SessionReuse | Self::LoginFailed | Self::LoginWrongFactor | Self::LoginThrottled)
    }
}

/// The words of the routine actions.
pub fn routine() -> Vec<&'static str> {
    Action::VARIANTS.iter().filter(|action| action.is_routine()).map(|action| action.word()).collect()
}

/// The table of docs/audit-log.md, in Markdown.
pub fn documentation() -> String {
    let rows =
        Action::VARIANTS.iter().map(|action| format!("| `{}` | {} |\n", action.word(), action.about().documentation));
    ["| action | when |\n| --- | --- |\n".to_owned()].into_iter().chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_words_are_read_back() {
        for action in Action::VARIANTS {
            assert_eq!(Action::of(action.word()), Some(*action));
        }
        assert_eq!(Action::of("some.new_thing"), None);
    }

    #[test]
    fn the_documentation_has_the_table_of_actions() {
        let page = include_str!("../../docs/audit-log.md");
        let table =
            page.split("<!-- actions:begin -->\n").nth(1).and_then(|rest| rest.split("<!-- actions:end -->").next());
        assert_eq!(table, Some(documentation().as_str()), "docs/audit-log.md: copy the table from here");
    }

    #[test]
    fn routine_actions_are_logins_and_logouts() {
        let is_login = |word: &&str| word.contains("login") || word.contains("logout");
        let logins: Vec<_> = Action::VARIANTS.iter().map(|action| action.word()).filter(is_login).collect();
        assert_eq!(routine(), logins);
    }
}
