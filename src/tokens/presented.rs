//! A token presented for a refresh: its user, and whether it is valid for one. Shared by `refresh`, `renew` and
//! `replay`.

use super::claims::{self, Kind};
use super::error::TokenError;
use crate::app::{App, Tx};
use crate::crypto::jwt::Claims;
use crate::db::latchkey_session::Session;
use crate::db::latchkey_token;
use crate::db::outstanding_tokens::Recorded;
use crate::db::users::{Intent, User};
use crate::db::{Conn, DbError};
use crate::journal::Client;
use crate::journal::reason::Reason;

/// Why a refresh was refused.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token itself.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The user was deleted or is inactive.
    #[error("No active account found for the given token.")]
    NoActiveAccount,
    /// The password has changed since (`JWT_CHECK_REVOKE_TOKEN`).
    #[error("The user's password has been changed.")]
    PasswordChanged,
}

impl RefreshError {
    /// As `TokenError::is_final`.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Token(error) => error.is_final(),
            Self::NoActiveAccount | Self::PasswordChanged => true,
        }
    }
}

impl From<DbError> for RefreshError {
    fn from(error: DbError) -> Self {
        Self::Token(TokenError::Db(error))
    }
}

/// A refresh token and the client that presents it. No `Debug`: a token can be made from the claims.
#[derive(Clone)]
pub(super) struct Presented {
    /// The claims; the signature is valid.
    pub claims: Claims,
    /// HMAC of the `Idempotency-Key`, bound to this token.
    pub retry_key: Option<String>,
    /// The client that presents it.
    pub client: Client,
}

/// The result of a rotation.
pub(super) enum Outcome {
    /// The new tokens: the access token's claims, and `header.payload` of the refresh token.
    Tokens(Claims, String),
    /// No tokens, and the session has to end.
    End(Box<Session>, Reason),
}

/// Adds a token that is kept and has no session to the session that its first refresh starts.
pub(super) fn join(conn: &mut Conn, recorded: Option<&Recorded>, session: Option<&str>) -> Result<(), DbError> {
    match (recorded, session) {
        (Some(Recorded { id, session: None, .. }), Some(session)) => latchkey_token::update_session(conn, *id, session),
        _ => Ok(()),
    }
}

/// Makes the access token of a refresh token.
pub(super) fn access(app: &App, refresh: &Claims, user: &User) -> Claims {
    let mut access = claims::access_from(app, refresh, app.now());
    claims::set_extra(app, &mut access, user, true);
    claims::finish(app, &mut access);
    access
}

/// Finds the user whom a token names; an `intent` locks them.
pub(super) fn find_user(tx: &mut Tx<'_>, claims: &Claims, intent: Option<Intent>) -> Result<Option<User>, DbError> {
    match (claims::user_ref(tx.app, claims), intent) {
        (None, _) => Ok(None),
        (Some(user), None) => tx.app.users.find_by_ref(tx.conn, &user),
        (Some(user), Some(intent)) => tx.app.users.lock(tx.conn, &user, intent),
    }
}

/// Checks everything about a refresh but the blacklist, in SimpleJWT's order: `exp`, id, type, then the user.
pub(super) fn check(
    app: &App,
    claims: &Claims,
    (user, recorded): (Option<User>, Option<&Recorded>),
    kind: Kind,
) -> Result<User, RefreshError> {
    claims::check(app, claims, Some(kind))?;
    let jwt = &app.config.jwt;
    if kind == Kind::Sliding {
        claims::check_time(app, claims, &jwt.sliding_token_refresh_exp_claim)?;
    }
    // The name or address may belong to another user by now: the token stays with its original owner.
    let is_owner = |user: &User| recorded.is_none_or(|recorded| recorded.user_id.is_none_or(|owner| owner == user.id));
    let user = user.filter(|user| is_owner(user) && (user.may_log_in() || !jwt.check_user_is_active));
    let user = user.ok_or(RefreshError::NoActiveAccount)?;
    if jwt.check_revoke_token && !claims::has_revoke_value(app, claims, &user) {
        return Err(RefreshError::PasswordChanged);
    }
    Ok(user)
}
