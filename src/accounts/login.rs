//! Checking a username and a password, in the same time whatever the reason of a refusal.

use secrecy::SecretString;

use super::failed_login::{self, Door};
use super::{Client, manage};
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

/// The user whose password this is. Costs one hash, whatever the answer, and a failure one write.
pub async fn authenticate(
    app: &App,
    credentials: Credentials,
    door: Door,
    client: &Client,
) -> Result<User, LoginError> {
    let Credentials { login, password } = credentials;
    let field = app.config.accounts.username_field;
    let user = app.db.read(move |conn| find(conn, field, &login)).await?;
    // The pool sees to it that a failure takes the same time whatever its reason.
    let Some(user) = user else {
        app.passwords.pretend(password).await?;
        failed_login::note(app, door, client, None).await?;
        return Err(LoginError::NoActiveAccount);
    };
    match app.passwords.verify(password.clone(), user.password.0.clone(), user.is_active).await? {
        // As Django's ModelBackend: whatever `JWT_CHECK_USER_IS_ACTIVE` says, inactive users cannot log in.
        Check::Right { outdated } if user.is_active => {
            if outdated && app.may_rehash() {
                Ok(manage::rehash(app, user, password).await?)
            } else {
                Ok(user)
            }
        }
        Check::Wrong | Check::Right { .. } => {
            failed_login::note(app, door, client, Some(&user)).await?;
            Err(LoginError::NoActiveAccount)
        }
    }
}

/// Whether this is the user's password, and they may still log in. Costs one hash, whatever the answer.
pub(super) async fn is_password_of(app: &App, user: &User, password: SecretString) -> Result<bool, LoginError> {
    let check = app.passwords.verify(password, user.password.0.clone(), user.is_active).await?;
    Ok(user.is_active && matches!(check, Check::Right { .. }))
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
