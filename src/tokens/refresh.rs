//! A refresh: a new access token, and by rotation a new refresh token. Exactly one of N parallel ones wins.

use super::TokenError;
use crate::app::App;

/// What a refresh answers. No `Debug`: both are secrets.
pub struct Refreshed {
    /// The new access token.
    pub access: String,
    /// The new refresh token, if `JWT_ROTATE_REFRESH_TOKENS`.
    pub refresh: Option<String>,
}

/// Why a refresh was refused.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token itself.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Its user is gone or inactive.
    #[error("No active account found for the given token.")]
    NoActiveAccount,
}

impl From<crate::db::DbError> for RefreshError {
    fn from(error: crate::db::DbError) -> Self {
        Self::Token(TokenError::Db(error))
    }
}

/// Exchanges a refresh token.
pub async fn rotate(_app: &App, _refresh: &str) -> Result<Refreshed, RefreshError> {
    unimplemented!()
}
