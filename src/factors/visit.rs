//! A visit to one's own account: a short login to the pages of users, where they manage their factors. It is a challenge
//! that lives a quarter of an hour and is used many times. Nothing but those pages takes it, no token comes from it, and
//! whoever changes something by it is looked at again under the lock on the user's row.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;

use super::answer::{self, Answer, AnswerError};
use super::challenge::{self, Purpose, Waiting};
use super::{Due, Method, Opened};
use crate::app::{App, Tx};
use crate::db::latchkey_challenge::{self, Challenge};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_second_factor};
use crate::guard::device;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::events::{self, Event};
use crate::journal::failed_login::Door;
use crate::journal::{Actor, Client};

/// What the challenge of a login to these pages gives.
const VISIT: &str = "visit";
/// A visit that was opened by a password alone: good while its user has no factor.
const BY_PASSWORD: &str = "password";
/// One that was opened by a factor too, or that enrolled the first one.
const BY_FACTOR: &str = "factor";

/// A visit that was found open.
#[derive(Clone)]
pub struct Visit(Arc<Waiting>);

impl Visit {
    /// Whether it is open now, of a user whose password is still that of when it was found.
    pub fn is_still_open(&self, tx: &mut Tx<'_>) -> Result<bool, DbError> {
        let row = latchkey_challenge::find(tx.conn, self.token_hash())?.filter(|row| row.expires_at > tx.now);
        row.map_or(Ok(false), |row| is_open(tx.conn, &row))
    }

    /// Whose it is, as they are now.
    pub fn user(&self) -> &User {
        &self.0.user
    }

    /// Names it among the challenges.
    pub(super) fn token_hash(&self) -> &str {
        &self.0.row.token_hash
    }
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").field("user", &self.user().id).finish_non_exhaustive()
    }
}

/// What a login to the pages still needs.
pub enum Step {
    /// Nothing: the token of the visit.
    In(SecretString),
    /// An answer to this challenge, by one of these methods.
    Factor(SecretString, Vec<Method>),
}

/// The password of this user was right just now. Who must have a factor and has none comes in and enrols it; a browser
/// that is remembered does not count here.
pub async fn begin(app: &App, user: &User, client: &Client) -> Result<Step, DbError> {
    let (user, client) = (user.clone(), client.clone());
    app.write(move |tx| match super::due(tx, &user, None, &client)? {
        Due::Nothing(_) | Due::Enrolment => open(tx, &user, &client, Opened::Password).map(Step::In),
        Due::Factor(methods) => {
            let token = challenge::begin(tx, &user, &client, Purpose::Login, VISIT, None)?;
            Ok(Step::Factor(token, methods))
        }
    })
    .await
}

/// Takes the answer for good: the token of the visit.
pub async fn finish(app: &App, answer: Answer, client: &Client) -> Result<SecretString, AnswerError> {
    let right = answer::check(app, answer, Purpose::Login, Door::Account, client).await?;
    // A challenge of the API or the panel does not open these pages, nor the other way round.
    if right.what() != VISIT {
        return Err(AnswerError::NoChallenge);
    }
    let client = client.clone();
    app.write(move |tx| {
        let user = answer::spend(tx, &right)?;
        open(tx, &user, &client, Opened::By(right.method())).map_err(AnswerError::from)
    })
    .await
}

fn open(tx: &mut Tx<'_>, user: &User, client: &Client, opened: Opened) -> Result<SecretString, DbError> {
    let what = if opened.method().is_some() { BY_FACTOR } else { BY_PASSWORD };
    let token = challenge::begin(tx, user, client, Purpose::Visit, what, None)?;
    let mut detail = json!({"user_agent": client.user_agent});
    opened.note(&mut detail);
    let actor = Actor::user(user, client);
    AuditEntry::new(Action::AccountLogin, &actor).about_user(user).detail(detail).write(tx)?;
    events::count(tx, &[Event::Login])?;
    device::note(tx, user, client)?;
    Ok(token)
}

/// The visit of a token, if it is open. Up to three statements.
pub async fn find(app: &App, token: SecretString) -> Result<Option<Visit>, DbError> {
    app.read(move |tx| {
        let Some(waiting) = challenge::find(tx, &token, &[Purpose::Visit])? else { return Ok(None) };
        Ok(is_open(tx.conn, &waiting.row)?.then_some(Visit(Arc::new(waiting))))
    })
    .await
}

/// Ends it.
pub async fn end(app: &App, visit: Visit) -> Result<(), DbError> {
    app.write(move |tx| latchkey_challenge::delete(tx.conn, visit.token_hash()).map(drop)).await
}

/// The user of a visit that is still open, locked: what every change by a visit begins with, in its transaction.
pub(super) fn lock(tx: &mut Tx<'_>, visit: &Visit) -> Result<User, AnswerError> {
    let user = users::lock(tx.conn, &UserRef::Id(visit.user().id), Intent::Revoke)?.ok_or(AnswerError::NoChallenge)?;
    let row = latchkey_challenge::find(tx.conn, visit.token_hash())?.filter(|row| challenge::holds(tx.app, row, &user));
    let is_still_open = row.map(|row| is_open(tx.conn, &row)).transpose()?;
    if is_still_open == Some(true) { Ok(user) } else { Err(AnswerError::NoChallenge) }
}

/// The same for what only somebody who has shown a factor may do.
pub(super) fn lock_by_factor(tx: &mut Tx<'_>, visit: &Visit) -> Result<User, AnswerError> {
    let user = lock(tx, visit)?;
    let has_factor = latchkey_second_factor::standing(tx.conn, user.id)?.has_factor;
    // While there is a factor, an open visit is one that has shown it.
    if has_factor { Ok(user) } else { Err(AnswerError::NoChallenge) }
}

/// The visit has enrolled a factor, in its transaction: it goes on, and every other one that knew the password only is over.
pub(super) fn note_factor(conn: &mut Conn, visit: &Visit) -> Result<(), DbError> {
    latchkey_challenge::update_what(conn, visit.token_hash(), BY_FACTOR)
}

/// Of two who know the password, the one who enrols first is in, and the other one is not.
fn is_open(conn: &mut Conn, row: &Challenge) -> Result<bool, DbError> {
    Ok(row.what == BY_FACTOR || !latchkey_second_factor::standing(conn, row.user_id)?.has_factor)
}
