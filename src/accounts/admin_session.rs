//! Sessions of the panel: rows that can be listed and ended. Of the cookie's key, only a SHA-256 is stored.

use std::collections::HashMap;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;

use crate::app::App;
use crate::crypto::digest::sha256_hex;
use crate::db::latchkey_admin_session::{Listed, NewRow};
use crate::db::types::{RowId, UserId};
use crate::db::users::User;
use crate::db::{DbError, latchkey_admin_session as sessions};
use crate::guard::device;
use crate::guard::ticket::{Purpose, Ticket};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::authentication::AuthenticatedBy;
use crate::journal::events::{self, Event};
use crate::journal::{Actor, Client};

/// What a session stores between requests.
pub type State = HashMap<String, String>;

/// The last use is recorded at most this often.
const SEEN_STEP: Duration = Duration::from_mins(1);
/// The entry of the state that ties a session to the password it was made under.
const AUTH_HASH: &str = "_auth_hash";

/// A live session and its user.
#[derive(Debug, Clone)]
pub struct AdminSession {
    /// What the session stores.
    pub state: State,
    /// The user, read in the same query, so never stale.
    pub user: User,
}

/// Starts a session for `user` and returns the key for the cookie. Deletes expired sessions.
pub async fn start(
    app: &App,
    user: &User,
    (by, mut state): (AuthenticatedBy, State),
    client: &Client,
) -> Result<String, DbError> {
    let ticket = Ticket::issue(app, app.now(), Purpose::PanelSession, user);
    let now = ticket.created_at;
    state.insert(AUTH_HASH.to_owned(), ticket.fingerprint);
    let row = NewRow {
        key_hash: ticket.hash,
        user_id: user.id,
        state: encode(&state)?,
        created_at: now,
        last_seen_at: now,
        expires_at: ticket.expires_at,
        ip: client.address(),
        user_agent: client.user_agent.clone(),
    };
    let actor = Actor::user(user, client);
    let (user, client) = (user.clone(), client.clone());
    // As in Django's admin, whatever JWT_UPDATE_LAST_LOGIN says of tokens.
    let is_due = user.last_login.is_none_or(|last| last + SEEN_STEP <= now);
    app.write(move |tx| {
        sessions::delete_expired(tx.conn, now)?;
        if is_due {
            tx.app.users.update_last_login(tx.conn, row.user_id, now)?;
        }
        sessions::insert(tx.conn, &row)?;
        events::count(tx, &[Event::Login])?;
        let mut detail = json!({"user_agent": client.user_agent});
        by.describe(&mut detail);
        AuditEntry::new(Action::AdminLogin, &actor).about(actor.user_id, &actor.name).detail(detail).write(tx)?;
        device::note(tx, &user, &client)
    })
    .await?;
    Ok(ticket.token.expose_secret().to_owned())
}

/// Finds the session of a key: `None` if it ended or expired, if the user is inactive, or if their password changed.
/// One query.
pub async fn find(app: &App, key: &str) -> Result<Option<AdminSession>, DbError> {
    let (now, key_hash) = (app.now(), sha256_hex(key.as_bytes()));
    let wanted = key_hash.clone();
    let Some(found) = app.read(move |tx| sessions::find(tx.conn, &tx.app.users, &wanted, now)).await? else {
        return Ok(None);
    };
    let state: State = serde_json::from_str(&found.state).unwrap_or_default();
    let made_under = state.get(AUTH_HASH).map_or("", String::as_str);
    if !found.user.may_log_in() || !Purpose::PanelSession.is_current(app, &found.user, made_under) {
        return Ok(None);
    }
    if found.last_seen_at + SEEN_STEP <= now {
        let until = now + Purpose::PanelSession.lifetime(app);
        app.write(move |tx| sessions::update_seen(tx.conn, &key_hash, now, until)).await?;
    }
    Ok(Some(AdminSession { state, user: found.user }))
}

/// Replaces what the session stores. `user` is the user as this request knows them: users who have just changed their
/// own password stay logged in, and a session that ended because of somebody else's change stays ended.
pub async fn save(app: &App, key: &str, user: &User, mut state: State) -> Result<(), DbError> {
    state.insert(AUTH_HASH.to_owned(), Purpose::PanelSession.fingerprint(app, user));
    let (key_hash, state) = (key_hash(key), encode(&state)?);
    app.write(move |tx| sessions::update_state(tx.conn, &key_hash, &state)).await
}

/// Lists the live sessions of a user, last used first, each with whether it is the one of `key`.
pub async fn list(app: &App, user: UserId, key: &str) -> Result<Vec<(Listed, bool)>, DbError> {
    const MOST: i64 = 100;
    let (now, current) = (app.now(), key_hash(key));
    let all = app.read(move |tx| sessions::list_of(tx.conn, user, now, MOST)).await?;
    Ok(all
        .into_iter()
        .map(|session| {
            let is_current = session.key_hash == current;
            (session, is_current)
        })
        .collect())
}

/// Ends one of the user's own sessions; `false` if it does not exist, or if it is the one of `key`.
pub async fn end_own(app: &App, actor: &Actor, user: UserId, id: RowId, key: &str) -> Result<bool, DbError> {
    let (actor, current) = (actor.clone(), key_hash(key));
    app.write(move |tx| {
        let is_ended = sessions::delete_one_of(tx.conn, user, id, &current)?;
        if is_ended {
            AuditEntry::new(Action::AdminSessionEnd, &actor).about(Some(user), &actor.name).write(tx)?;
        }
        Ok(is_ended)
    })
    .await
}

/// Ends a session, from the address `ip`; no error if it has already ended.
pub async fn end(app: &App, key: &str, ip: Option<String>) -> Result<(), DbError> {
    let (now, key_hash) = (app.now(), sha256_hex(key.as_bytes()));
    app.write(move |tx| {
        let found = sessions::find(tx.conn, &tx.app.users, &key_hash, now)?;
        sessions::delete(tx.conn, &key_hash)?;
        let Some(user) = found.map(|found| found.user) else { return Ok(()) };
        let actor = Actor { user_id: Some(user.id), name: user.username, ip: ip.clone() };
        AuditEntry::new(Action::AdminLogout, &actor).about(actor.user_id, &actor.name).write(tx)
    })
    .await
}

/// Hashes a key for storage.
pub(super) fn key_hash(key: &str) -> String {
    sha256_hex(key.as_bytes())
}

fn encode(state: &State) -> Result<String, DbError> {
    serde_json::to_string(state).map_err(|error| DbError::Other(error.to_string()))
}
