//! Who changes an account first shows that it is really them: by a login of the last minutes or by their password
//! (OWASP ASVS 5.0, 7.5). Without a `Confirmed` there is no change, so no door can forget to ask.

use std::time::Duration;

use secrecy::SecretString;

use super::failed_login::Door;
use super::login::{self, LoginError};
use super::{Actor, Client};
use crate::app::App;
use crate::db::types::{EncodedPassword, Instant};
use crate::db::users::User;

/// So long a login, or a password given again, vouches for who is behind it.
pub const FRESH: Duration = Duration::from_mins(15);

/// An actor of whom it is known that it is really them.
#[derive(Debug, Clone)]
pub struct Confirmed {
    actor: Actor,
    /// The hash that the password was checked against, where one was given.
    checked: Option<EncodedPassword>,
}

impl Confirmed {
    /// Somebody at the command line, who has the database anyway.
    pub fn command_line() -> Self {
        Self { actor: Actor::command_line(), checked: None }
    }

    /// Somebody who logged in, or gave their password, at that time: `None` if that is too long ago.
    pub fn by_login(actor: Actor, at: Instant, now: Instant) -> Option<Self> {
        (now < at + FRESH).then_some(Self { actor, checked: None })
    }

    /// A user whose login was checked just now (`login::authenticate`).
    pub fn by_credentials(actor: Actor, user: &User) -> Self {
        Self { actor, checked: Some(user.password.clone()) }
    }

    /// Somebody who gives their password now: `None` if it is wrong, which counts as a failed login. Costs one hash.
    pub async fn by_password(
        app: &App,
        actor: Actor,
        user: &User,
        door: Door,
        client: &Client,
        password: SecretString,
    ) -> Result<Option<Self>, LoginError> {
        let is_right = login::is_password_of(app, user, password, door, client).await?;
        Ok(is_right.then(|| Self { actor, checked: Some(user.password.clone()) }))
    }

    /// Who it is.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whether what was checked is still true of the user, who is locked now: between a check and what follows from it
    /// the password may have been reset, because somebody else knew it.
    pub fn still_holds(&self, user: &User) -> bool {
        let is_own = self.actor.user_id == Some(user.id);
        let is_same = self.checked.as_ref().is_none_or(|checked| *checked == user.password);
        !is_own || (is_same && user.is_active)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_vouches_for_fifteen_minutes() {
        let at = |seconds| Instant::from_timestamp(seconds).unwrap();
        let vouches = |now| Confirmed::by_login(Actor::command_line(), at(1000), at(now)).is_some();
        assert!(vouches(1000) && vouches(1000 + 15 * 60 - 1));
        assert!(!vouches(1000 + 15 * 60) && !vouches(i64::from(i32::MAX)));
    }
}
