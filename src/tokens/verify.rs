//! Is this token good? An access token costs no query, a refresh or sliding one a single one.

use super::TokenError;
use crate::app::App;
use crate::config::TokenClass;
use crate::crypto::jwt::Claims;
use crate::db::DbError;
use crate::db::users::User;

/// Who a request comes from.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// The user of the token.
    pub user: User,
    /// The token's claims.
    pub claims: Claims,
}

/// Why a request is not authenticated: SimpleJWT's `JWTAuthentication`.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No accepted class takes the token: for each class why (`token_class`, `token_type`, `message` of the answer).
    #[error("Given token not valid for any token type")]
    InvalidToken(Vec<(TokenClass, TokenError)>),
    /// The token names no user.
    #[error("Token contained no recognizable user identification")]
    NoUserId,
    /// The user is gone.
    #[error("User not found")]
    UserNotFound,
    /// The user is inactive.
    #[error("User is inactive")]
    UserInactive,
    /// The password changed since (`JWT_CHECK_REVOKE_TOKEN`).
    #[error("The user's password has been changed.")]
    PasswordChanged,
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// `verify/`: any type of token; refresh and sliding ones must not be blacklisted.
pub async fn verify(_app: &App, _token: &str) -> Result<(), TokenError> {
    unimplemented!()
}

/// The user whose token authenticates a request.
pub async fn authenticate(_app: &App, _token: &str) -> Result<Authenticated, AuthError> {
    unimplemented!()
}
