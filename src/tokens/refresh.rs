//! A refresh: a new access token, and by rotation a new refresh token. Exactly one of N parallel ones wins.

use std::sync::Arc;

use super::TokenError;
use super::claims::{self, Kind};
use super::obtain::signed;
use super::record::{self, Reason};
use crate::app::App;
use crate::crypto::jwt::{self, Claims};
use crate::db::outstanding_tokens::Recorded;
use crate::db::users::{self, Intent, User};
use crate::db::{Conn, DbError};

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
    /// The password changed since (`JWT_CHECK_REVOKE_TOKEN`).
    #[error("The user's password has been changed.")]
    PasswordChanged,
}

impl From<DbError> for RefreshError {
    fn from(error: DbError) -> Self {
        Self::Token(TokenError::Db(error))
    }
}

/// Exchanges a refresh token.
pub async fn rotate(app: &Arc<App>, refresh: &str) -> Result<Refreshed, RefreshError> {
    let presented = claims::decode(app, refresh).await?;
    let shared = Arc::clone(app);
    if app.config.jwt.rotate_refresh_tokens {
        let (access, next) = app.db.write(move |conn| exchange(&shared, conn, presented.clone())).await?;
        return Ok(Refreshed { access: signed(app, &access), refresh: Some(jwt::sign(&app.keys, &next)) });
    }
    let access = app.db.read(move |conn| {
        let user = find_user(&shared, conn, &presented, None)?;
        let (_, user) = check(&shared, conn, &presented, user, Kind::Refresh)?;
        Ok::<_, RefreshError>(access(&shared, &presented, &user))
    });
    Ok(Refreshed { access: signed(app, &access.await?), refresh: None })
}

/// The rotation, in one transaction: blacklist the presented token, record the next.
fn exchange(app: &App, conn: &mut Conn, presented: Claims) -> Result<(Claims, String), RefreshError> {
    let now = app.now();
    let user = find_user(app, conn, &presented, Some(Intent::Issue))?;
    let (recorded, user) = check(app, conn, &presented, user, Kind::Refresh)?;
    let from = if app.config.jwt.blacklist_after_rotation {
        let why = (Reason::Rotated, user.username.as_str());
        Some(record::blacklist(app, conn, &presented, recorded, Some(user.id), why)?)
    } else {
        recorded.map(|recorded| recorded.id)
    };
    let access = access(app, &presented, &user);
    let mut next = presented;
    claims::set_extra(app, &mut next, &user, true);
    claims::set_jti(app, &mut next);
    claims::set_times(app, &mut next, Kind::Refresh, now);
    claims::finish(app, &mut next);
    let next = record::outstand(app, conn, &next, user.id, from)?;
    Ok((access, next))
}

fn access(app: &App, refresh: &Claims, user: &User) -> Claims {
    let mut access = claims::access_from(app, refresh, app.now());
    claims::set_extra(app, &mut access, user, true);
    claims::finish(app, &mut access);
    access
}

/// The user whom a token names, locked where `intent` says so. A token of nobody has none.
pub(super) fn find_user(
    app: &App,
    conn: &mut Conn,
    claims: &Claims,
    intent: Option<Intent>,
) -> Result<Option<User>, DbError> {
    match (claims::user_ref(app, claims), intent) {
        (None, _) => Ok(None),
        (Some(user), None) => users::find_by_ref(conn, &user),
        (Some(user), Some(intent)) => users::lock(conn, &user, intent),
    }
}

/// Is it good for a refresh? In SimpleJWT's order: blacklist, `exp`, id, type, then the user.
pub(super) fn check(
    app: &App,
    conn: &mut Conn,
    claims: &Claims,
    user: Option<User>,
    kind: Kind,
) -> Result<(Option<Recorded>, User), RefreshError> {
    let recorded = record::find_unless_blacklisted(app, conn, claims)?;
    claims::check(app, claims, Some(kind))?;
    let jwt = &app.config.jwt;
    let user = user.filter(|user| user.is_active || !jwt.check_user_is_active).ok_or(RefreshError::NoActiveAccount)?;
    if jwt.check_revoke_token && !claims::has_revoke_value(app, claims, &user) {
        return Err(RefreshError::PasswordChanged);
    }
    Ok((recorded, user))
}
