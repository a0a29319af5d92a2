//! Blacklisting: one token, all of a user, by its owner or by a superuser. And forgetting what has expired.

use std::sync::Arc;

use super::claims::{self, Kind};
use super::record::{self, Reason};
use super::{TokenError, refresh};
use crate::accounts::{Actor, audit};
use crate::app::App;
use crate::db::types::{TokenId, UserId};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{DbError, outstanding_tokens};

/// How many expired tokens one write job deletes: short enough that a refresh behind it does not notice.
const FLUSH_BATCH: i64 = 500;

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
pub async fn blacklist(app: &Arc<App>, refresh: &str) -> Result<(), TokenError> {
    revoke(app, refresh, None, Reason::Blacklist).await.map_err(|error| match error {
        LogoutError::Token(error) => error,
        LogoutError::NotYours => TokenError::Invalid,
    })
}

/// `logout/`: blacklists the caller's own refresh token.
pub async fn logout(app: &Arc<App>, user: &User, refresh: &str) -> Result<(), LogoutError> {
    revoke(app, refresh, Some(user.id), Reason::Logout).await
}

async fn revoke(app: &Arc<App>, refresh: &str, caller: Option<UserId>, reason: Reason) -> Result<(), LogoutError> {
    let claims = claims::decode(app, refresh).await?;
    let shared = Arc::clone(app);
    app.db
        .write(move |conn| {
            let app = &*shared;
            let owner = refresh::find_user(app, conn, &claims, Some(Intent::Revoke))?;
            let recorded = record::find_unless_blacklisted(app, conn, &claims)?;
            claims::check(app, &claims, Some(Kind::Refresh))?;
            let owner_id = owner.as_ref().map(|user| user.id);
            if caller.is_some() && caller != owner_id {
                return Err(LogoutError::NotYours);
            }
            // Without a caller nobody knows who did it: whoever held the token.
            let by = owner.as_ref().map_or("", |user| user.username.as_str());
            record::blacklist(app, conn, &claims, recorded, owner_id, (reason, by))?;
            Ok(())
        })
        .await
}

/// `logout/` with `all`: blacklists every outstanding token of the caller.
pub async fn logout_all(app: &Arc<App>, user: &User) -> Result<usize, DbError> {
    let (id, by, now) = (user.id, user.username.clone(), app.now());
    app.db
        .write(move |conn| {
            users::lock(conn, &UserRef::Id(id), Intent::Revoke)?;
            record::blacklist_all_of(conn, id, (Reason::LogoutAll, &by), now)
        })
        .await
}

/// A superuser blacklists one token; `false` if it was blacklisted already, `None` if there is no such token.
pub async fn blacklist_token(app: &Arc<App>, actor: &Actor, id: TokenId) -> Result<Option<bool>, DbError> {
    let (now, actor) = (app.now(), actor.clone());
    app.db
        .write(move |conn| {
            let Some(found) = outstanding_tokens::find_detail(conn, id)? else { return Ok(None) };
            if let Some(owner) = found.row.user_id {
                users::lock(conn, &UserRef::Id(owner), Intent::Revoke)?;
            }
            if outstanding_tokens::find_by_jti(conn, &found.row.jti)?.is_none_or(|row| row.blacklisted_at.is_some()) {
                return Ok(Some(false));
            }
            record::blacklist_row(conn, id, (Reason::Admin, &actor.name), now)?;
            audit::write(conn, now, &actor, "token.blacklist", found.row.user_id, &found.row.jti)?;
            Ok(Some(true))
        })
        .await
}

/// A superuser blacklists all tokens of a user; answers how many.
pub async fn blacklist_all_of(app: &Arc<App>, actor: &Actor, user: UserId) -> Result<usize, DbError> {
    let (now, actor) = (app.now(), actor.clone());
    app.db
        .write(move |conn| {
            let Some(owner) = users::lock(conn, &UserRef::Id(user), Intent::Revoke)? else { return Ok(0) };
            let count = record::blacklist_all_of(conn, user, (Reason::Admin, &actor.name), now)?;
            audit::write(conn, now, &actor, "user.blacklist_tokens", Some(user), &owner.username)?;
            Ok(count)
        })
        .await
}

/// Deletes the tokens that expired, with their blacklist entries, in batches; `tell` hears the size of each.
pub async fn flush_expired(app: &App, mut tell: impl FnMut(usize)) -> Result<usize, DbError> {
    // A token within the leeway is still accepted.
    let before = app.now() - app.config.jwt.leeway;
    let mut flushed = 0;
    loop {
        let batch = app.db.write(move |conn| outstanding_tokens::delete_expired(conn, before, FLUSH_BATCH)).await?;
        if batch == 0 {
            return Ok(flushed);
        }
        flushed += batch;
        tell(batch);
    }
}

/// How many tokens `flush_expired` would delete.
pub async fn count_expired(app: &App) -> Result<i64, DbError> {
    let before = app.now() - app.config.jwt.leeway;
    app.db.read(move |conn| outstanding_tokens::count_expired(conn, before)).await
}
