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
use crate::app::App;
use crate::db::latchkey_challenge::{self, Challenge};
use crate::db::types::Instant;
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_second_factor};
use crate::guard::device;
use crate::journal::events::{self, Event};
use crate::journal::failed_login::Door;
use crate::journal::{Actor, Client, audit};

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
    pub fn is_still_open(&self, conn: &mut Conn, now: Instant) -> Result<bool, DbError> {
        let row = latchkey_challenge::find(conn, self.token_hash())?.filter(|row| row.expires_at > now);
        row.map_or(Ok(false), |row| is_open(conn, &row))
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
pub async fn begin(app: &Arc<App>, user: &User, client: &Client) -> Result<Step, DbError> {
    let (shared, user, client) = (Arc::clone(app), user.clone(), client.clone());
    let step = app.db.write(move |conn| match super::due(&shared, conn, &user, None, &client)? {
        Due::Nothing(_) | Due::Enrolment => open(&shared, conn, &user, &client, Opened::Password).map(Step::In),
        Due::Factor(methods) => {
            let token = challenge::begin(&shared, conn, &user, &client, Purpose::Login, VISIT, None)?;
            Ok(Step::Factor(token, methods))
        }
    });
    let step = step.await?;
    app.mailer.ring();
    Ok(step)
}

/// Takes the answer for good: the token of the visit.
pub async fn finish(app: &Arc<App>, answer: Answer, client: &Client) -> Result<SecretString, AnswerError> {
    let right = answer::check(app, answer, Purpose::Login, Door::Account, client).await?;
    // A challenge of the API or the panel does not open these pages, nor the other way round.
    if right.what() != VISIT {
        return Err(AnswerError::NoChallenge);
    }
    let (shared, client) = (Arc::clone(app), client.clone());
    let token = app.db.write(move |conn| {
        let user = answer::spend(&shared, conn, &right)?;
        open(&shared, conn, &user, &client, Opened::By(right.method())).map_err(AnswerError::from)
    });
    let token = token.await?;
    app.mailer.ring();
    Ok(token)
}

fn open(app: &App, conn: &mut Conn, user: &User, client: &Client, opened: Opened) -> Result<SecretString, DbError> {
    let now = app.now();
    let what = if opened.method().is_some() { BY_FACTOR } else { BY_PASSWORD };
    let token = challenge::begin(app, conn, user, client, Purpose::Visit, what, None)?;
    let mut detail = json!({"user_agent": client.user_agent});
    opened.note(&mut detail);
    let actor = Actor::user(user, client);
    audit::write_with(conn, now, &actor, "account.login", Some(user.id), &user.username, &detail)?;
    events::count(conn, now, &[Event::Login])?;
    device::note(app, conn, user, client, now)?;
    Ok(token)
}

/// The visit of a token, if it is open. Up to three statements.
pub async fn find(app: &Arc<App>, token: SecretString) -> Result<Option<Visit>, DbError> {
    let shared = Arc::clone(app);
    app.db
        .read(move |conn| {
            let Some(waiting) = challenge::find(&shared, conn, &token, &[Purpose::Visit])? else { return Ok(None) };
            Ok(is_open(conn, &waiting.row)?.then_some(Visit(Arc::new(waiting))))
        })
        .await
}

/// Ends it.
pub async fn end(app: &App, visit: Visit) -> Result<(), DbError> {
    app.db.write(move |conn| latchkey_challenge::delete(conn, visit.token_hash()).map(drop)).await
}

/// The user of a visit that is still open, locked: what every change by a visit begins with, in its transaction.
pub(super) fn lock(app: &App, conn: &mut Conn, visit: &Visit) -> Result<User, AnswerError> {
    let user = users::lock(conn, &UserRef::Id(visit.user().id), Intent::Revoke)?.ok_or(AnswerError::NoChallenge)?;
    let row = latchkey_challenge::find(conn, visit.token_hash())?.filter(|row| challenge::holds(app, row, &user));
    let is_still_open = row.map(|row| is_open(conn, &row)).transpose()?;
    if is_still_open == Some(true) { Ok(user) } else { Err(AnswerError::NoChallenge) }
}

/// The same for what only somebody who has shown a factor may do.
pub(super) fn lock_by_factor(app: &App, conn: &mut Conn, visit: &Visit) -> Result<User, AnswerError> {
    let user = lock(app, conn, visit)?;
    let has_factor = latchkey_second_factor::standing(conn, user.id)?.has_factor;
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
