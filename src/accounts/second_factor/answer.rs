//! The answer to a challenge: checked first, with everything that costs time, and spent in the transaction of what it is
//! for. Of two who give the same answer at once exactly one wins: the challenge is deleted, the code's step is noted, the
//! recovery code is used, and only who did all of it goes on.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::challenge::{self, Purpose, Waiting};
use super::{Enrolled, Kind, Method, code};
use crate::accounts::Client;
use crate::accounts::device::KNOWN_FOR;
use crate::accounts::failed_login::{Door, Entry, Refusal};
use crate::accounts::throttle::{self, Counted, Wait, network};
use crate::app::App;
use crate::crypto::digest::equal;
use crate::crypto::totp;
use crate::db::latchkey_second_factor::Factor;
use crate::db::types::{RowId, UserId};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_challenge, latchkey_device, latchkey_recovery_code, latchkey_second_factor};

/// What is given.
pub enum Given {
    /// A code, by one of the methods that have codes.
    Code(Method, SecretString),
    /// What `navigator.credentials.get` answered, as JSON.
    Passkey(Value),
}

/// Why an answer is refused.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The challenge is unknown, used, expired, dead, or for something else.
    #[error("The challenge is invalid or has expired.")]
    NoChallenge,
    /// It is alive, but this is not the answer.
    #[error("The code is wrong or was used before.")]
    Wrong,
    /// Too many tries before this one: it was not looked at.
    #[error("too many tries")]
    Throttled(Wait),
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// An answer that was right when it was looked at.
pub struct Right {
    waiting: Waiting,
    purpose: Purpose,
    method: Method,
    proof: Proof,
    counted: Counted,
}

/// What has to be noted so that it is right only once.
enum Proof {
    /// A mailed code dies with its challenge.
    Mailed(RowId),
    Totp(RowId, i64),
    Passkey(RowId, Option<String>),
    Recovery(String),
}

impl Right {
    /// By which method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// What the challenge was for: what a login gives.
    pub fn what(&self) -> &str {
        &self.waiting.row.what
    }

    /// Whose it is, as they were when it was checked.
    pub fn user(&self) -> &User {
        &self.waiting.user
    }
}

/// Looks at an answer. A wrong one counts like a wrong password, and against its challenge.
pub async fn check(
    app: &Arc<App>,
    token: SecretString,
    purpose: Purpose,
    given: Given,
    door: Door,
    client: &Client,
) -> Result<Right, AnswerError> {
    let Some(Found { waiting, enrolled, is_known }) = find(app, token, purpose, client).await? else {
        return Err(AnswerError::NoChallenge);
    };
    let counted = count(app, &waiting.user, is_known, door, client).await?;
    match prove(app, &waiting, &enrolled, given) {
        Some((method, proof)) => Ok(Right { waiting, purpose, method, proof, counted }),
        None => {
            note_wrong(app, &waiting, door, client).await?;
            Err(AnswerError::Wrong)
        }
    }
}

/// Takes the challenge and the answer for good, in the transaction of what they are for; answers the user, locked. `None`
/// if somebody was quicker, or the user changed meanwhile: then the transaction has to end without a trace.
pub fn spend(app: &App, conn: &mut Conn, right: &Right, intent: Intent) -> Result<Option<User>, DbError> {
    let (now, row) = (app.now(), &right.waiting.row);
    let Some(user) = users::lock(conn, &UserRef::Id(row.user_id), intent)? else { return Ok(None) };
    if !challenge::spend(app, conn, row, &user, right.purpose)? {
        return Ok(None);
    }
    let is_first = match &right.proof {
        Proof::Mailed(factor) => latchkey_second_factor::update_used(conn, *factor, None, now).map(|()| true)?,
        Proof::Totp(factor, step) => latchkey_second_factor::update_step(conn, *factor, *step, now)?,
        Proof::Passkey(factor, data) => {
            latchkey_second_factor::update_used(conn, *factor, data.as_deref(), now).map(|()| true)?
        }
        Proof::Recovery(hash) => latchkey_recovery_code::update_used(conn, user.id, hash, now)?,
    };
    if !is_first {
        return Ok(None);
    }
    throttle::forgive(conn, now, &right.counted, true)?;
    Ok(Some(user))
}

struct Found {
    waiting: Waiting,
    enrolled: Enrolled,
    is_known: bool,
}

async fn find(
    app: &Arc<App>,
    token: SecretString,
    purpose: Purpose,
    client: &Client,
) -> Result<Option<Found>, DbError> {
    let (shared, from, since) = (Arc::clone(app), network(client), app.now() - KNOWN_FOR);
    app.db
        .read(move |conn| {
            let Some(waiting) = challenge::find(&shared, conn, &token, purpose)? else { return Ok(None) };
            let enrolled = Enrolled::find(conn, waiting.user.id)?;
            let is_known = latchkey_device::is_known(conn, waiting.user.id, &from, since)?;
            Ok(Some(Found { waiting, enrolled, is_known }))
        })
        .await
}

/// Counts the try before it is looked at, apart from those of the password: who has that may guess a million codes.
async fn count(
    app: &Arc<App>,
    user: &User,
    is_known: bool,
    door: Door,
    client: &Client,
) -> Result<Counted, AnswerError> {
    if !app.config.accounts.login_throttle {
        return Ok(Counted::default());
    }
    let account = format!("second factor of {}", user.id);
    let keys = throttle::login_keys(app, &network(client), &account, is_known);
    let (now, refused) = (app.now(), Entry::new(door, client, Some(user), Refusal::Throttled));
    let counted = app.db.write(move |conn| {
        let counted = throttle::count(conn, now, &keys)?;
        if counted.is_err() {
            refused.write(conn, now)?;
        }
        Ok::<_, DbError>(counted)
    });
    counted.await?.map_err(AnswerError::Throttled)
}

/// Whether the answer is one; nothing is written.
fn prove(app: &App, waiting: &Waiting, enrolled: &Enrolled, given: Given) -> Option<(Method, Proof)> {
    let (row, now) = (&waiting.row, app.now());
    let only = |kind| enrolled.of(kind).next();
    match given {
        Given::Code(Method::Factor(Kind::Email), typed) => {
            let (factor, hash) = (only(Kind::Email)?, row.code_hash.as_ref()?);
            let is_right = row.code_expires_at? > now
                && equal(hash.as_bytes(), code::mailed_hash(app, &row.token_hash, &typed).as_bytes());
            is_right.then_some((Method::Factor(Kind::Email), Proof::Mailed(factor.id)))
        }
        Given::Code(Method::Factor(Kind::Totp), typed) => {
            let factor = only(Kind::Totp)?;
            let secret = app.factors.seal.open(&totp_context(waiting.user.id), &factor.data)?;
            let step = totp::check(&secret, typed.expose_secret(), now.timestamp())?;
            let is_new = factor.last_step.is_none_or(|last| last < step);
            is_new.then_some((Method::Factor(Kind::Totp), Proof::Totp(factor.id, step)))
        }
        Given::Code(Method::Recovery, typed) => {
            // Whether there is such a code is seen when it is used.
            Some((Method::Recovery, Proof::Recovery(code::recovery_hash(app, waiting.user.id, &typed))))
        }
        Given::Code(Method::Factor(Kind::Passkey), _) => None,
        Given::Passkey(answer) => {
            let state = challenge::secret(app, row)?;
            let passkeys = app.factors.passkeys.as_ref()?;
            let used = passkeys.finish_authentication(state.expose_secret(), &answer, &enrolled.passkeys()).ok()?;
            let is_it = |factor: &&Factor| factor.credential_id.as_deref() == Some(&*used.credential_id);
            let factor = enrolled.of(Kind::Passkey).find(is_it)?;
            Some((Method::Factor(Kind::Passkey), Proof::Passkey(factor.id, used.data)))
        }
    }
}

/// What the secret of an authenticator app is bound to.
pub(super) fn totp_context(user: UserId) -> String {
    format!("totp {user}")
}

/// The same for an answer that was right when it was looked at, and was used up before it could be spent.
pub async fn note_lost(app: &Arc<App>, right: &Right, door: Door, client: &Client) -> Result<(), DbError> {
    note_wrong(app, &right.waiting, door, client).await
}

/// Counts a wrong answer against its challenge, and writes it down.
pub(super) async fn note_wrong(app: &Arc<App>, waiting: &Waiting, door: Door, client: &Client) -> Result<(), DbError> {
    let (now, token_hash) = (app.now(), waiting.row.token_hash.clone());
    let entry = Entry::new(door, client, Some(&waiting.user), Refusal::WrongFactor);
    app.db
        .write(move |conn| {
            latchkey_challenge::update_tries(conn, &token_hash)?;
            entry.write(conn, now)
        })
        .await
}
