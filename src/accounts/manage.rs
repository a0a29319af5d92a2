//! Every change to an account: create, change password, activate, deactivate, delete, load.

use secrecy::SecretString;

use super::Actor;
use super::user::FieldError;
use crate::app::App;
use crate::db::DbError;
use crate::db::types::{EncodedPassword, UserId};
use crate::db::users::User;

/// A user to be made.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct NewUser {
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub password: NewPassword,
}

/// How the password of a new user is given.
#[derive(Debug, Clone, Default)]
pub enum NewPassword {
    /// None can be used until one is set (Django's `!…`).
    #[default]
    Unusable,
    /// As typed; it is hashed here.
    Plain(SecretString),
    /// Already encoded in one of Django's formats.
    Encoded(EncodedPassword),
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// The input is not acceptable; every problem is listed.
    #[error("{}", .0.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldError>),
    /// There is no such user.
    #[error("no such user")]
    NoSuchUser,
    /// Too many passwords are being hashed already.
    #[error("too many passwords are being hashed at once")]
    Busy,
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Makes a user, validated and normalised as Django does.
pub async fn create(_app: &App, _actor: &Actor, _user: NewUser) -> Result<User, ManageError> {
    unimplemented!()
}

/// Makes all of these users or none; problems come with their position in the list (from 0).
pub async fn load(_app: &App, _actor: &Actor, _users: Vec<NewUser>) -> Result<usize, Vec<(usize, ManageError)>> {
    unimplemented!()
}

/// Sets a password; ends the user's sessions as `END_SESSIONS_ON_USER_CHANGE` says.
pub async fn set_password(_app: &App, _actor: &Actor, _id: UserId, _password: SecretString) -> Result<(), ManageError> {
    unimplemented!()
}

/// Activates or deactivates; deactivating blacklists the user's tokens as `END_SESSIONS_ON_USER_CHANGE` says.
pub async fn set_active(_app: &App, _actor: &Actor, _id: UserId, _active: bool) -> Result<(), ManageError> {
    unimplemented!()
}

/// Deletes a user as Django does: its outstanding tokens stay, blacklisted, without an owner.
pub async fn delete(_app: &App, _actor: &Actor, _id: UserId) -> Result<(), ManageError> {
    unimplemented!()
}
