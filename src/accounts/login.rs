//! Checking a username and a password, in the same time whatever the reason of a refusal.

use secrecy::SecretString;

use crate::app::App;
use crate::db::DbError;
use crate::db::users::User;

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

/// The user whose password this is. Costs one hash, whatever the answer.
pub async fn authenticate(_app: &App, _credentials: Credentials) -> Result<User, LoginError> {
    unimplemented!()
}
