//! Whether a token is valid. An access token costs no query, a refresh or sliding one a single query.

use super::claims::{self, Kind};
use super::error::TokenError;
use super::record;
use crate::app::{App, Tx};
use crate::config::TokenClass;
use crate::crypto::decode_error::DecodeError;
use crate::crypto::jwt::Claims;
use crate::db::DbError;
use crate::db::users::User;
use crate::sessions;

/// The sender of a request.
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
    /// No accepted class takes the token: the reason for each class (`token_class`, `token_type`, `message` in the
    /// answer).
    #[error("Given token not valid for any token type")]
    InvalidToken(Vec<(TokenClass, TokenError)>),
    /// The token names no user.
    #[error("Token contained no recognizable user identification")]
    NoUserId,
    /// The user was deleted.
    #[error("User not found")]
    UserNotFound,
    /// The user is inactive.
    #[error("User is inactive")]
    UserInactive,
    /// The password has changed since (`JWT_CHECK_REVOKE_TOKEN`).
    #[error("The user's password has been changed.")]
    PasswordChanged,
    /// The session ended (`JWT_CHECK_SESSION`).
    #[error("Session has ended")]
    SessionEnded,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// `verify/`: accepts any type of token; types other than access must not be blacklisted.
pub async fn verify(app: &App, token: &str) -> Result<(), TokenError> {
    verify_read(app, claims::decode(app, token).await?).await
}

/// The same for a token that has already been read.
pub(super) async fn verify_read(app: &App, claims: Claims) -> Result<(), TokenError> {
    claims::check(app, &claims, None)?;
    if !claims::is_kind(app, &claims, Kind::Access) {
        not_blacklisted(app, claims.clone()).await?;
    }
    if !app.config.jwt.check_session {
        return Ok(());
    }
    let goes_on = app.read(move |tx| session_goes_on(tx, &claims)).await?;
    if goes_on { Ok(()) } else { Err(TokenError::SessionEnded) }
}

/// Returns the user whose token authenticates a request.
pub async fn authenticate(app: &App, token: &str) -> Result<Authenticated, AuthError> {
    authenticate_read(app, claims::read(app, token).await).await
}

/// The same for a token that has already been read.
pub(super) async fn authenticate_read(
    app: &App,
    read: Result<Claims, DecodeError>,
) -> Result<Authenticated, AuthError> {
    let claims = accepted(app, &read).await?;
    if !claims.contains_key(&app.config.jwt.user_id_claim) {
        return Err(AuthError::NoUserId);
    }
    let wanted = claims::user_ref(app, &claims).ok_or(AuthError::UserNotFound)?;
    let named = claims.clone();
    let user = app.read(move |tx| {
        if tx.app.config.jwt.check_session && !session_goes_on(tx, &named)? {
            return Err(AuthError::SessionEnded);
        }
        Ok::<_, AuthError>(tx.app.users.find_by_ref(tx.conn, &wanted)?)
    });
    let user = user.await?.ok_or(AuthError::UserNotFound)?;
    let jwt = &app.config.jwt;
    if jwt.check_user_is_active && !user.may_log_in() {
        return Err(AuthError::UserInactive);
    }
    if jwt.check_revoke_token && !claims::has_revoke_value(app, &claims, &user) {
        return Err(AuthError::PasswordChanged);
    }
    Ok(Authenticated { user, claims })
}

/// Returns the claims, if one of `JWT_AUTH_TOKEN_CLASSES` accepts the token.
async fn accepted(app: &App, read: &Result<Claims, DecodeError>) -> Result<Claims, AuthError> {
    let mut refusals = Vec::new();
    for class in &app.config.jwt.auth_token_classes {
        match accept(app, read, *class).await {
            Ok(claims) => return Ok(claims),
            Err(TokenError::Db(error)) => return Err(error.into()),
            Err(error) => refusals.push((*class, error)),
        }
    }
    Err(AuthError::InvalidToken(refusals))
}

async fn accept(app: &App, read: &Result<Claims, DecodeError>, class: TokenClass) -> Result<Claims, TokenError> {
    let claims = read.clone()?;
    match class {
        TokenClass::Access => claims::check(app, &claims, Some(Kind::Access))?,
        TokenClass::Sliding => {
            // As in SimpleJWT, the blacklist comes first, unless the token cannot be a sliding one.
            if claims::is_kind(app, &claims, Kind::Sliding) || app.config.jwt.token_type_claim.is_none() {
                not_blacklisted(app, claims.clone()).await?;
            }
            claims::check(app, &claims, Some(Kind::Sliding))?;
        }
    }
    Ok(claims)
}

/// Whether the session that a token names is open; a token that names none passes.
pub(super) fn session_goes_on(tx: &mut Tx<'_>, claims: &Claims) -> Result<bool, DbError> {
    if tx.app.config.jwt.session_claim.as_ref().is_none_or(|name| !claims.contains_key(name)) {
        return Ok(true);
    }
    let session = sessions::named(tx, claims)?;
    Ok(session.is_some_and(|session| sessions::fault(tx.app, &session, claims).is_none()))
}

async fn not_blacklisted(app: &App, claims: Claims) -> Result<(), TokenError> {
    app.read(move |tx| record::find_unless_blacklisted(tx, &claims).map(drop)).await
}
