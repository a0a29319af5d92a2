//! What users can see of their own sessions and do to them: list, read, rename and end them. An id that is unknown,
//! belongs to another user or to a session that is over is treated the same: not found.

use super::error::TokenError;
use super::record;
use super::verify::Authenticated;
use crate::app::{App, Tx};
use crate::crypto::jwt::Claims;
use crate::db::DbError;
use crate::db::latchkey_session::{self, Session};
use crate::db::types::UserId;
use crate::db::users::{Intent, User, UserRef};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::reason::Reason;
use crate::journal::{Actor, Client};
use crate::sessions;

/// How many sessions are listed.
const MOST: i64 = 500;

/// A session of the caller.
#[derive(Debug, Clone)]
pub struct Own {
    /// The session.
    pub session: Session,
    /// Whether the caller's token belongs to it; `None` if the token does not say.
    pub is_current: Option<bool>,
}

/// Lists the caller's live sessions, newest first.
pub async fn list(app: &App, caller: &Authenticated) -> Result<Vec<Own>, DbError> {
    let caller = caller.clone();
    app.read(move |tx| {
        let here = here(tx, &caller)?;
        let live = list_of(tx, caller.user.id)?;
        Ok(live.into_iter().map(|session| own(session, here.as_deref())).collect())
    })
    .await
}

/// Lists a user's live sessions, newest first.
pub fn list_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Session>, DbError> {
    let live = latchkey_session::list_newest_live_of(tx.conn, user, tx.now, MOST)?;
    Ok(live.into_iter().filter(|session| is_live(tx.app, session)).collect())
}

/// Finds one of the caller's live sessions.
pub async fn find(app: &App, caller: &Authenticated, id: &str) -> Result<Option<Own>, DbError> {
    let (caller, id) = (caller.clone(), id.to_owned());
    app.read(move |tx| {
        let Some(session) = live(tx, caller.user.id, &id)? else { return Ok(None) };
        Ok(Some(own(session, here(tx, &caller)?.as_deref())))
    })
    .await
}

/// Returns the session that the caller's token belongs to, if known.
pub async fn current(app: &App, caller: &Authenticated) -> Result<Option<String>, DbError> {
    let caller = caller.clone();
    app.read(move |tx| here(tx, &caller)).await
}

/// Renames one of the caller's sessions; `false` if it does not exist.
pub async fn rename(app: &App, caller: &Authenticated, id: &str, label: &str) -> Result<bool, DbError> {
    let (user, id, label) = (caller.user.id, id.to_owned(), label.to_owned());
    app.write(move |tx| match live(tx, user, &id)? {
        Some(session) => latchkey_session::update_label(tx.conn, &session.id, &label),
        None => Ok(false),
    })
    .await
}

/// Ends one of the user's sessions; `false` if it does not exist.
pub async fn end(app: &App, user: &User, id: &str, client: &Client) -> Result<bool, DbError> {
    let (user, id) = (user.clone(), id.to_owned());
    let actor = Actor { user_id: Some(user.id), name: user.username.clone(), ip: client.address() };
    app.write(move |tx| {
        tx.app.users.lock(tx.conn, &UserRef::Id(user.id), Intent::Revoke)?;
        let Some(session) = live(tx, user.id, &id)? else { return Ok(false) };
        sessions::end(tx, &session, (Reason::SessionEnd, &actor.name))?;
        AuditEntry::new(Action::SessionEnd, &actor).about(Some(user.id), &session.id).write(tx)?;
        Ok(true)
    })
    .await
}

/// The live session with this id, if it belongs to the user.
fn live(tx: &mut Tx<'_>, user: UserId, id: &str) -> Result<Option<Session>, DbError> {
    if !sessions::is_id(id) {
        return Ok(None);
    }
    let session = latchkey_session::find(tx.conn, id)?;
    Ok(session.filter(|session| session.user_id == user && is_live(tx.app, session)))
}

/// Whether a session has neither ended nor expired and is within the limits of the settings.
pub fn is_live(app: &App, session: &Session) -> bool {
    session.expires_at > app.now() && sessions::fault(app, session, &Claims::new()).is_none()
}

/// The id of the session that the caller's token belongs to, from its claim or from the record of a sliding token.
fn here(tx: &mut Tx<'_>, caller: &Authenticated) -> Result<Option<String>, DbError> {
    if let Some(id) = sessions::claim(tx.app, &caller.claims) {
        return Ok(Some(id.to_owned()));
    }
    match record::find(tx, &caller.claims) {
        Ok(recorded) => Ok(recorded.and_then(|recorded| recorded.session).map(|session| session.id)),
        Err(TokenError::Db(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

fn own(session: Session, here: Option<&str>) -> Own {
    Own { is_current: here.map(|here| here == session.id), session }
}
