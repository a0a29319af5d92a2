//! Who changes an account first shows that it is really them: by a login of the last minutes or by their password
//! (OWASP ASVS 5.0, 7.5). Without a `Confirmed` there is no change, so no door can forget to ask.

use std::time::Duration;

use secrecy::SecretString;

use super::login::{self, LoginError};
use crate::app::{App, Tx};
use crate::db::types::{EncodedPassword, Instant};
use crate::db::users::User;
use crate::db::{DbError, latchkey_second_factor};
use crate::factors::visit::Visit;
use crate::journal::failed_login::Door;
use crate::journal::{Actor, Client};

/// So long a login, or a password given again, vouches for who is behind it.
pub const FRESH: Duration = Duration::from_mins(15);

/// An actor of whom it is known that it is really them.
#[derive(Debug, Clone)]
pub struct Confirmed {
    actor: Actor,
    /// The hash that the password was checked against, where one was given.
    checked: Option<EncodedPassword>,
    standing: Standing,
}

/// What has to be true of the actor besides, until the end.
#[derive(Debug, Clone)]
enum Standing {
    Any,
    /// They have no second factor, for they have shown none.
    NoFactor,
    /// Their visit is open.
    Visit(Visit),
}

impl Confirmed {
    /// Somebody at the command line, who has the database anyway.
    pub fn command_line() -> Self {
        Self { actor: Actor::command_line(), checked: None, standing: Standing::Any }
    }

    /// Somebody who logged in, or gave their password, at that time: `None` if that is too long ago.
    pub fn by_login(actor: Actor, at: Instant, now: Instant) -> Option<Self> {
        (now < at + FRESH).then_some(Self { actor, checked: None, standing: Standing::Any })
    }

    /// A user whose login was checked just now (`login::authenticate`).
    pub fn by_credentials(actor: Actor, user: &User) -> Self {
        Self { actor, checked: Some(user.password.clone()), standing: Standing::Any }
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
        Ok(is_right.then(|| Self::by_credentials(actor, user)))
    }

    /// The same for who shows that they have no second factor: until the end they must not have one.
    #[must_use]
    pub fn without_factor(self) -> Self {
        Self { standing: Standing::NoFactor, ..self }
    }

    /// The same in a visit to one's own account, which must be open until the end.
    #[must_use]
    pub fn in_visit(self, visit: &Visit) -> Self {
        Self { standing: Standing::Visit(visit.clone()), ..self }
    }

    /// Who it is.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whether what was checked is still true of the user, who is locked now: between a check and what follows from it
    /// the password may have been reset, because somebody else knew it.
    pub fn still_holds(&self, tx: &mut Tx<'_>, user: &User) -> Result<bool, DbError> {
        if self.actor.user_id != Some(user.id) {
            return Ok(true);
        }
        let is_same = self.checked.as_ref().is_none_or(|checked| *checked == user.password);
        Ok(is_same
            && user.is_active
            && match &self.standing {
                Standing::Any => true,
                Standing::NoFactor => !latchkey_second_factor::standing(tx.conn, user.id)?.has_factor,
                Standing::Visit(visit) => visit.is_still_open(tx)?,
            })
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
