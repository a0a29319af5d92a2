//! A token pair for a username and a password.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::claims::{self, Kind};
use super::{TokenError, record, sessions};
use crate::accounts::events::{self, Event};
use crate::accounts::failed_login::{self, Door};
use crate::accounts::login::{Credentials, LoginError, authenticate};
use crate::accounts::{Actor, Client, audit, device};
use crate::app::App;
use crate::config::UserIdField;
use crate::crypto::jwt::{self, Claims};
use crate::db::latchkey_token::Lineage;
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

/// Checks the credentials, starts a session and issues a pair; the refresh token is recorded.
pub async fn pair(app: &Arc<App>, credentials: Credentials, client: Client) -> Result<TokenPair, LoginError> {
    let (claims, refresh) = issue(app, credentials, client, Kind::Refresh).await?;
    let mut access = claims::access_from(app, &claims, app.now());
    claims::finish(app, &mut access);
    Ok(TokenPair { refresh: jwt::sign(&app.keys, &refresh), access: signed(app, &access) })
}

/// Checks the credentials, starts a session and records its first token; answers its claims and `header.payload`.
pub(super) async fn issue(
    app: &Arc<App>,
    credentials: Credentials,
    client: Client,
    kind: Kind,
) -> Result<(Claims, String), LoginError> {
    let checked = authenticate(app, credentials, Door::Api, &client).await?;
    let (shared, user, from) = (Arc::clone(app), checked.clone(), client.clone());
    let logged_in = app.db.write(move |conn| log_in(&shared, conn, &checked, &client, kind)).await;
    match logged_in {
        Ok(LoggedIn { token, has_mail }) => {
            if has_mail {
                app.mailer.ring();
            }
            Ok(token)
        }
        Err(LoginError::NoActiveAccount) => {
            failed_login::note(app, Door::Api, &from, &user).await?;
            Err(LoginError::NoActiveAccount)
        }
        Err(error) => Err(error),
    }
}

/// What a login's transaction leaves.
struct LoggedIn {
    /// The claims of the first token, and its `header.payload`.
    token: (Claims, String),
    /// Whether a mail about it waits.
    has_mail: bool,
}

/// One transaction, under the lock on the user's row.
fn log_in(app: &App, conn: &mut Conn, checked: &User, client: &Client, kind: Kind) -> Result<LoggedIn, LoginError> {
    let now = app.now();
    let due = |last: Instant| last + LAST_LOGIN_STEP <= now;
    let touch = app.config.jwt.update_last_login && checked.last_login.is_none_or(due);
    // Two logins that both hold a shared lock and both want to write would block each other.
    let alone = touch || app.config.sessions.max_per_user.is_some();
    let intent = if alone { Intent::Revoke } else { Intent::Issue };
    let user = users::lock(conn, &UserRef::Id(checked.id), intent)?;
    // The password was checked before the lock: what was true then must still be.
    let user = user.filter(|user| user.is_active && user.password == checked.password);
    let user = user.ok_or(LoginError::NoActiveAccount)?;
    if touch {
        users::update_last_login(conn, user.id, now)?;
    }
    sessions::make_room(app, conn, user.id, now)?;
    let mut claims = claims::new(app, kind, now);
    claims::set_user(app, &mut claims, &user, uuid_if_wanted(app, conn, user.id)?.as_deref());
    if kind == Kind::Refresh {
        claims::set_extra(app, &mut claims, &user, false);
    }
    let session = sessions::start(app, conn, user.id, client, claims::expires_at(app, &claims)?)?;
    sessions::set_claim(app, &mut claims, session.as_ref());
    sessions::cap(app, &mut claims, session.as_ref());
    claims::finish(app, &mut claims);
    let session_id = session.as_ref().map(|session| session.id.as_str());
    let ip = client.address();
    let lineage = Lineage { session_id, ip: ip.as_deref(), ..Lineage::default() };
    let unsigned = record::outstand(app, conn, &claims, user.id, lineage)?;
    let counted: &[Event] = if session_id.is_some() { &[Event::Login, Event::TokenCreated] } else { &[Event::Login] };
    events::count(conn, now, counted)?;
    let detail = json!({"session": session_id, "user_agent": client.user_agent});
    audit::write_with(conn, now, &Actor::user(&user, client), "login", Some(user.id), &user.username, &detail)?;
    let has_mail = device::note(app, conn, &user, client, now)?;
    Ok(LoggedIn { token: (claims, unsigned), has_mail })
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

impl From<TokenError> for LoginError {
    /// Nothing that a client sends can make our own claims wrong.
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Db(error) => Self::Db(error),
            other => Self::Db(DbError::Other(other.to_string())),
        }
    }
}

/// Signs the claims of a token that is not recorded.
pub(super) fn signed(app: &App, claims: &Claims) -> String {
    jwt::sign(&app.keys, &jwt::unsigned(&app.keys, claims))
}
