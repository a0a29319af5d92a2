//! Blacklisting: one token, all of a user, by its owner or by a superuser.

use super::TokenError;
use crate::accounts::Actor;
use crate::app::App;
use crate::db::DbError;
use crate::db::types::{TokenId, UserId};
use crate::db::users::User;

/// Why a logout was refused.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The refresh token itself.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// It belongs to somebody else.
    #[error("The refresh token belongs to another user.")]
    NotYours,
}

impl From<DbError> for LogoutError {
    fn from(error: DbError) -> Self {
        Self::Token(TokenError::Db(error))
    }
}

/// `token/blacklist/`: blacklists a refresh token, whoever presents it.
pub async fn blacklist(_app: &App, _refresh: &str) -> Result<(), TokenError> {
    unimplemented!()
}

/// `logout/`: blacklists the caller's own refresh token.
pub async fn logout(_app: &App, _user: &User, _refresh: &str) -> Result<(), LogoutError> {
    unimplemented!()
}

/// `logout/` with `all`: blacklists every outstanding token of the caller.
pub async fn logout_all(_app: &App, _user: &User) -> Result<usize, DbError> {
    unimplemented!()
}

/// A superuser blacklists one token; `false` if it was blacklisted already, `None` if there is no such token.
pub async fn blacklist_token(_app: &App, _actor: &Actor, _id: TokenId) -> Result<Option<bool>, DbError> {
    unimplemented!()
}

/// A superuser blacklists all live tokens of a user; answers how many.
pub async fn blacklist_all_of(_app: &App, _actor: &Actor, _user: UserId) -> Result<usize, DbError> {
    unimplemented!()
}
