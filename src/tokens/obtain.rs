//! A token pair for a username and a password.

use std::sync::Arc;
use std::time::Duration;

use super::claims::{self, Kind};
use super::{TokenError, record};
use crate::accounts::login::{Credentials, LoginError, authenticate};
use crate::app::App;
use crate::config::UserIdField;
use crate::crypto::jwt::{self, Claims};
use crate::db::types::{Instant, UserId};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_user};

/// `last_login` is written at most this often per user, so that it is no lever for a flood.
const LAST_LOGIN_STEP: Duration = Duration::from_mins(1);

/// An access token and the refresh token obtained with it. No `Debug`: both are secrets.
pub struct TokenPair {
    /// For the next logins.
    pub refresh: String,
    /// For requests.
    pub access: String,
}

/// Checks the credentials and issues a pair; the refresh token is recorded.
pub async fn pair(app: &Arc<App>, credentials: Credentials) -> Result<TokenPair, LoginError> {
    let (refresh, access) = issue(app, credentials, |app, conn, user, uuid, now| {
        let mut refresh = claims::new(app, Kind::Refresh, now);
        claims::set_user(app, &mut refresh, user, uuid);
        claims::set_extra(app, &mut refresh, user, false);
        let mut access = claims::access_from(app, &refresh, now);
        claims::finish(app, &mut refresh);
        claims::finish(app, &mut access);
        let refresh = record::outstand(app, conn, &refresh, user.id, None)?;
        Ok((refresh, jwt::unsigned(&app.keys, &access)))
    })
    .await?;
    Ok(TokenPair { refresh: jwt::sign(&app.keys, &refresh), access: jwt::sign(&app.keys, &access) })
}

/// Checks the credentials, then runs `make` in one transaction under the lock on the user's row.
pub(super) async fn issue<T: Send + 'static>(
    app: &Arc<App>,
    credentials: Credentials,
    make: impl Fn(&App, &mut Conn, &User, Option<&str>, Instant) -> Result<T, TokenError> + Send + 'static,
) -> Result<T, LoginError> {
    let checked = authenticate(app, credentials).await?;
    let now = app.now();
    let due = |last: Instant| last + LAST_LOGIN_STEP <= now;
    let touch = app.config.jwt.update_last_login && checked.last_login.is_none_or(due);
    let shared = Arc::clone(app);
    app.db
        .write(move |conn| {
            let app = &*shared;
            // Two logins that both hold a shared lock and both want to write would block each other.
            let intent = if touch { Intent::Revoke } else { Intent::Issue };
            let user = users::lock(conn, &UserRef::Id(checked.id), intent)?;
            // The password was checked before the lock: what was true then must still be.
            let user = user.filter(|user| user.is_active && user.password == checked.password);
            let user = user.ok_or(LoginError::NoActiveAccount)?;
            if touch {
                users::update_last_login(conn, user.id, now)?;
            }
            let uuid = uuid_if_wanted(app, conn, user.id)?;
            make(app, conn, &user, uuid.as_deref(), now).map_err(|error| match error {
                TokenError::Db(error) => LoginError::Db(error),
                other => LoginError::Db(DbError::Other(other.to_string())),
            })
        })
        .await
}

/// The user's random id where tokens carry it; a user that Django made gets one now.
fn uuid_if_wanted(app: &App, conn: &mut Conn, user: UserId) -> Result<Option<String>, DbError> {
    if app.config.jwt.user_id_field != UserIdField::Uuid {
        return Ok(None);
    }
    if let Some(uuid) = latchkey_user::find_uuid(conn, user)? {
        return Ok(Some(uuid));
    }
    let uuid = crate::accounts::manage::new_uuid();
    latchkey_user::insert(conn, user, &uuid)?;
    Ok(Some(uuid))
}

/// Signs the claims of a token that is not recorded.
pub(super) fn signed(app: &App, claims: &Claims) -> String {
    jwt::sign(&app.keys, &jwt::unsigned(&app.keys, claims))
}
