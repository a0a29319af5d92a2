//! Counts events for the dashboard: each is added to its hour, in the transaction in which it happens. The audit log
//! says who did what; this only says how often.

use std::borrow::Cow;

use super::reason::Reason;
use crate::app::Tx;
use crate::db::{DbError, latchkey_rollup};

/// The beginning of the name of every blacklisting; its reason follows.
pub const BLACKLISTED: &str = "blacklisted.";

/// An event that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A refresh or sliding token was recorded.
    TokenCreated,
    /// A refresh that wrote something: each rotation; without rotation, the first in a minute.
    Refresh,
    /// A token was blacklisted.
    Blacklisted(Reason),
    /// A token was blacklisted before Latchkey was installed, or by a Django on the same database: the reason is
    /// unknown.
    BlacklistedUnknown,
    /// A login to the API, the panel or the account pages.
    Login,
    /// A failed login.
    FailedLogin,
    /// A login that has to wait because there were too many attempts.
    ThrottledLogin,
    /// A rotated token was used again.
    ReuseAlarm,
    /// A password was set with a mailed link.
    PasswordReset,
    /// A user was added.
    UserCreated,
}

impl Event {
    /// The word in `latchkey_rollup.event`.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::TokenCreated => "token.create",
            Self::Refresh => "token.refresh",
            Self::Login => "login",
            Self::FailedLogin => "login.failed",
            Self::ThrottledLogin => "login.throttled",
            Self::ReuseAlarm => "session.reuse",
            Self::PasswordReset => "password.reset",
            Self::UserCreated => "user.create",
            Self::BlacklistedUnknown => "blacklisted.unknown",
            Self::Blacklisted(reason) => return Cow::Owned(format!("{BLACKLISTED}{}", reason.name())),
        })
    }
}

impl Event {
    /// The words of all blacklistings, or of those for one reason (empty: the reason is unknown).
    pub fn blacklistings(reason: Option<&str>) -> Vec<Cow<'static, str>> {
        let of = |reason: &Reason| Self::Blacklisted(*reason).name();
        let all = Reason::ALL.iter().map(of).chain([Self::BlacklistedUnknown.name()]);
        let wanted = reason.map(|reason| format!("blacklisted.{}", if reason.is_empty() { "unknown" } else { reason }));
        all.filter(|name| wanted.as_ref().is_none_or(|wanted| wanted == name)).collect()
    }
}

/// Counts these events, each of them once, in one statement.
pub fn count(tx: &mut Tx<'_>, events: &[Event]) -> Result<(), DbError> {
    let names: Vec<_> = events.iter().map(|event| event.name()).collect();
    let counts: Vec<_> = names.iter().map(|name| (&**name, 1)).collect();
    latchkey_rollup::add(tx.conn, tx.now, &counts)
}

/// Counts an event that happened several times.
pub fn count_many(tx: &mut Tx<'_>, event: Event, times: usize) -> Result<(), DbError> {
    latchkey_rollup::add(tx.conn, tx.now, &[(&event.name(), i64::try_from(times).unwrap_or(i64::MAX))])
}
