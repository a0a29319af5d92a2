//! Checking a username and a password, in the same time whatever the reason of a refusal.

use std::time::Instant as Moment;

use secrecy::SecretString;

use super::manage;
use crate::app::App;
use crate::config::UsernameField;
use crate::crypto::password::{Busy, Check};
use crate::db::users::{self, User};
use crate::db::{Conn, DbError};

/// What a login form or request names.
#[derive(Debug)]
pub struct Credentials {
    /// Username or e-mail address, as `USERNAME_FIELD` says.
    pub login: String,
    /// The password as typed.
    pub password: SecretString,
}

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Unknown, inactive, wrong password: never told apart.
    #[error("No active account found with the given credentials")]
    NoActiveAccount,
    /// Too many passwords are being checked already.
    #[error("too many logins at once")]
    Busy,
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Busy> for LoginError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// The user whose password this is. Costs one hash, whatever the answer.
pub async fn authenticate(app: &App, credentials: Credentials) -> Result<User, LoginError> {
    let started = Moment::now();
    let Credentials { login, password } = credentials;
    let field = app.config.accounts.username_field;
    let user = app.db.read(move |conn| find(conn, field, &login)).await?;
    let checked = match user {
        None => {
            app.passwords.pretend(password).await?;
            None
        }
        Some(user) => match app.passwords.verify(password.clone(), user.password.0.clone()).await? {
            Check::Wrong => None,
            // As Django's ModelBackend: whatever `JWT_CHECK_USER_IS_ACTIVE` says, inactive users cannot log in.
            Check::Right { .. } if !user.is_active => None,
            Check::Right { outdated } if outdated && app.may_rehash() => {
                Some(manage::rehash(app, user, password).await?)
            }
            Check::Right { .. } => Some(user),
        },
    };
    if let Some(user) = checked {
        return Ok(user);
    }
    // A user with a quick hash must not be told from one with a slow hash, or from nobody.
    tokio::time::sleep_until((started + app.passwords.slowest()).into()).await;
    Err(LoginError::NoActiveAccount)
}

/// Whom a login names. An address that several users have names nobody.
fn find(conn: &mut Conn, field: UsernameField, login: &str) -> Result<Option<User>, DbError> {
    if login.contains('\0') {
        return Ok(None);
    }
    match field {
        UsernameField::Username => users::find_by_username(conn, login),
        UsernameField::Email => Ok(users::only(users::find_by_email(conn, login)?)),
        UsernameField::UsernameOrEmail => match users::find_by_username(conn, login)? {
            Some(user) => Ok(Some(user)),
            None => Ok(users::only(users::find_by_email(conn, login)?)),
        },
    }
}
