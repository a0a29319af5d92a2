//! Account sessions: short logins to the account pages, where users manage their passwords and second factors. No token
//! is issued from one and nothing else accepts it. A change checks its session again, under the lock on the user's row.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;

use crate::app::{App, Tx};
use crate::db::latchkey_account_session::{self, AccountSession as Row};
use crate::db::users::{Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_second_factor};
use crate::guard::device;
use crate::guard::ticket::{Purpose, Stored, Ticket};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::authentication::AuthenticatedBy;
use crate::journal::events::{self, Event};
use crate::journal::{Actor, Client};

/// Sessions that one user may have from one network; beyond that, the oldest one ends. An attacker who knows the
/// password cannot end the sessions of the owner.
const MAX_FROM_ONE_NETWORK: i64 = 20;

/// An open session and its user.
#[derive(Clone)]
pub struct AccountSession(Arc<(Row, User)>);

impl AccountSession {
    /// The user, as of when the session was found.
    pub fn user(&self) -> &User {
        &self.0.1
    }

    /// Identifies the session among the account sessions.
    pub fn token_hash(&self) -> &str {
        &self.0.0.token_hash
    }

    /// Whether the session is still open. Does not check the password again.
    pub fn is_still_open(&self, tx: &mut Tx<'_>) -> Result<bool, DbError> {
        let row = latchkey_account_session::find(tx.conn, self.token_hash())?.filter(|row| row.expires_at > tx.now);
        row.map_or(Ok(false), |row| is_open(tx.conn, &row))
    }

    /// Locks the user if the session is still open. Every change begins with this.
    pub fn lock(&self, tx: &mut Tx<'_>) -> Result<Option<User>, DbError> {
        let Some(user) = tx.app.users.lock(tx.conn, &UserRef::Id(self.user().id), Intent::Revoke)? else {
            return Ok(None);
        };
        let row = latchkey_account_session::find(tx.conn, self.token_hash())?;
        let Some(row) = row.filter(|row| stored(row).is_good(tx.app, Purpose::AccountSession, &user)) else {
            return Ok(None);
        };
        Ok(is_open(tx.conn, &row)?.then_some(user))
    }

    /// The same for changes that need a second factor: `None` if the user has none.
    pub fn lock_by_factor(&self, tx: &mut Tx<'_>) -> Result<Option<User>, DbError> {
        let Some(user) = self.lock(tx)? else { return Ok(None) };
        // Once the user has a factor, sessions without one are closed.
        Ok(latchkey_second_factor::standing(tx.conn, user.id)?.has_factor.then_some(user))
    }

    /// Notes that a factor was enrolled in this session: it stays open, while sessions opened with the password alone
    /// close.
    pub fn note_factor(&self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        latchkey_account_session::update_by_factor(tx.conn, self.token_hash())
    }
}

impl fmt::Debug for AccountSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountSession").field("user", &self.user().id).finish_non_exhaustive()
    }
}

/// Opens a session and returns the token for its cookie.
pub fn open(tx: &mut Tx<'_>, user: &User, client: &Client, by: AuthenticatedBy) -> Result<SecretString, DbError> {
    let ticket = Ticket::issue(tx.app, tx.now, Purpose::AccountSession, user);
    let network = client.network();
    latchkey_account_session::delete_oldest_of(tx.conn, user.id, &network, MAX_FROM_ONE_NETWORK - 1)?;
    let row = Row {
        token_hash: ticket.hash,
        user_id: user.id,
        by_factor: by.method().is_some(),
        network,
        state: ticket.fingerprint,
        created_at: ticket.created_at,
        expires_at: ticket.expires_at,
    };
    latchkey_account_session::insert(tx.conn, &row)?;
    let mut detail = json!({"user_agent": client.user_agent});
    by.describe(&mut detail);
    let actor = Actor::user(user, client);
    AuditEntry::new(Action::AccountLogin, &actor).about_user(user).detail(detail).write(tx)?;
    events::count(tx, &[Event::Login])?;
    device::note(tx, user, client)?;
    Ok(ticket.token)
}

/// Finds the session of a token, if it is open. Up to three statements.
pub async fn find(app: &App, token: SecretString) -> Result<Option<AccountSession>, DbError> {
    app.read(move |tx| {
        let hash = Purpose::AccountSession.hash(&token);
        let Some(row) = latchkey_account_session::find(tx.conn, &hash)? else { return Ok(None) };
        let Some(user) = tx.app.users.find(tx.conn, row.user_id)? else { return Ok(None) };
        let is_good = stored(&row).is_good(tx.app, Purpose::AccountSession, &user) && is_open(tx.conn, &row)?;
        Ok(is_good.then(|| AccountSession(Arc::new((row, user)))))
    })
    .await
}

/// Ends a session.
pub async fn end(app: &App, session: AccountSession) -> Result<(), DbError> {
    app.write(move |tx| latchkey_account_session::delete(tx.conn, session.token_hash())).await
}

fn stored(row: &Row) -> Stored<'_> {
    Stored { user_id: row.user_id, fingerprint: &row.state, expires_at: row.expires_at }
}

/// A session opened with the password alone stays open only while the user has no factor: of two people who know the
/// password, the one who enrols first stays logged in.
fn is_open(conn: &mut Conn, row: &Row) -> Result<bool, DbError> {
    Ok(row.by_factor || !latchkey_second_factor::standing(conn, row.user_id)?.has_factor)
}
