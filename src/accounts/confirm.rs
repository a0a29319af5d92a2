//! Confirms who is about to change an account: by a recent login or by the password (OWASP ASVS 5.0, 7.5). Changes take
//! a `Confirmed`, so none can be made without one.

use std::time::Duration;

use secrecy::SecretString;

use super::account_session::AccountSession;
use super::login::{self, LoginError};
use crate::app::{App, Tx};
use crate::db::types::{EncodedPassword, Instant};
use crate::db::users::User;
use crate::db::{DbError, latchkey_second_factor};
use crate::journal::{Actor, Client};

/// How long a login counts as recent.
pub const FRESH: Duration = Duration::from_mins(15);

/// An actor whose identity was confirmed.
#[derive(Debug, Clone)]
pub struct Confirmed {
    actor: Actor,
    /// The hash that the password was checked against, if one was given.
    checked: Option<EncodedPassword>,
    condition: Condition,
}

/// A condition that must still hold when the change is made.
#[derive(Debug, Clone)]
enum Condition {
    None,
    /// The actor has no second factor, because none was asked for.
    NoFactor,
    /// The account session is open.
    Open(AccountSession),
}

impl Confirmed {
    /// The operator at the command line, who has access to the database anyway.
    pub fn command_line() -> Self {
        Self { actor: Actor::command_line(), checked: None, condition: Condition::None }
    }

    /// A user who logged in, or gave their password, at that time: `None` if that is too long ago.
    pub fn by_login(actor: Actor, at: Instant, now: Instant) -> Option<Self> {
        (now < at + FRESH).then_some(Self { actor, checked: None, condition: Condition::None })
    }

    /// A user whose password was just checked (`login::authenticate`).
    pub fn by_credentials(actor: Actor, user: &User) -> Self {
        Self { actor, checked: Some(user.password.clone()), condition: Condition::None }
    }

    /// A user who gives their password now: `None` if it is wrong, which counts as a failed login. Costs one hash.
    pub async fn by_password(
        app: &App,
        user: &User,
        client: &Client,
        password: SecretString,
    ) -> Result<Option<Self>, LoginError> {
        let is_right = login::is_password_of(app, user, password, client).await?;
        Ok(is_right.then(|| Self::by_credentials(Actor::user(user, client), user)))
    }

    /// The same for a user who was not asked for a second factor: they must have none when the change is made.
    #[must_use]
    pub fn without_factor(self) -> Self {
        Self { condition: Condition::NoFactor, ..self }
    }

    /// The same in an account session, which must still be open when the change is made.
    #[must_use]
    pub fn in_session(self, session: &AccountSession) -> Self {
        Self { condition: Condition::Open(session.clone()), ..self }
    }

    /// The confirmed actor.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whether what was checked is still true of the user, who is locked now: the password may have been reset since
    /// the check.
    pub fn still_holds(&self, tx: &mut Tx<'_>, user: &User) -> Result<bool, DbError> {
        if self.actor.user_id != Some(user.id) {
            return Ok(true);
        }
        let is_same = self.checked.as_ref().is_none_or(|checked| *checked == user.password);
        Ok(is_same
            && user.may_log_in()
            && match &self.condition {
                Condition::None => true,
                Condition::NoFactor => !latchkey_second_factor::standing(tx.conn, user.id)?.has_factor,
                Condition::Open(session) => session.is_still_open(tx)?,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_recent_for_fifteen_minutes() {
        let at = |seconds| Instant::from_timestamp(seconds).unwrap();
        let vouches = |now| Confirmed::by_login(Actor::command_line(), at(1000), at(now)).is_some();
        assert!(vouches(1000) && vouches(1000 + 15 * 60 - 1));
        assert!(!vouches(1000 + 15 * 60) && !vouches(i64::from(i32::MAX)));
    }
}
