//! The answer to a challenge: counted, then checked with everything that costs time, and spent in the transaction of what
//! it is for. Of two who give the same answer at once exactly one wins: the challenge is deleted, the code's step is
//! noted, the recovery code is used, and only who did all of it goes on.

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
use crate::crypto::totp;
use crate::db::latchkey_second_factor::Factor;
use crate::db::types::{RowId, UserId};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_device, latchkey_recovery_code, latchkey_second_factor};

/// What is given. No `Debug`: it is as good as a password.
pub enum Given {
    /// A code.
    Code(SecretString),
    /// What `navigator.credentials` answered, as JSON.
    Passkey(Value),
}

/// An answer.
pub struct Answer {
    /// The token of the challenge.
    pub challenge: SecretString,
    /// Which of the factors, or a recovery code.
    pub method: Method,
    /// What is given.
    pub given: Given,
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
    #[error("too many tries; the next in {} seconds", .0.seconds())]
    Throttled(Wait),
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// An answer that was right when it was looked at.
pub struct Right {
    waiting: Box<Waiting>,
    method: Method,
    proof: Proof,
    counted: Counted,
}

/// What has to be noted so that it is right only once.
enum Proof {
    /// A mailed code dies with its challenge.
    Mailed(RowId),
    Totp(RowId, i64),
    /// The passkey as it was, and as it is with its new counter.
    Passkey(RowId, String, String),
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

/// Looks at an answer. It counts like a password, and against its challenge, before anybody looks.
pub async fn check(
    app: &Arc<App>,
    answer: Answer,
    purpose: Purpose,
    door: Door,
    client: &Client,
) -> Result<Right, AnswerError> {
    let Answer { challenge, method, given } = answer;
    let Some(found) = find(app, challenge, purpose, client).await? else { return Err(AnswerError::NoChallenge) };
    let counted = count(app, &found, door, client).await?;
    let Found { waiting, enrolled, .. } = found;
    if let Some(proof) = prove(app, &waiting, &enrolled, method, given) {
        return Ok(Right { waiting: Box::new(waiting), method, proof, counted });
    }
    let (entry, now) = (Entry::new(door, client, Some(&waiting.user), Refusal::WrongFactor), app.now());
    app.db.write(move |conn| entry.write(conn, now)).await?;
    Err(AnswerError::Wrong)
}

/// Takes the challenge and the answer for good, in the transaction of what they are for; answers the user, locked. Where
/// somebody was quicker, or the user changed meanwhile, that transaction has to end without a trace.
pub fn spend(app: &App, conn: &mut Conn, right: &Right) -> Result<User, AnswerError> {
    let (now, id) = (app.now(), right.waiting.user.id);
    let user = users::lock(conn, &UserRef::Id(id), Intent::Revoke)?.ok_or(AnswerError::NoChallenge)?;
    if !challenge::spend(app, conn, &right.waiting, &user)? {
        return Err(AnswerError::NoChallenge);
    }
    let is_first = match &right.proof {
        Proof::Mailed(factor) => latchkey_second_factor::update_used(conn, *factor, now)?,
        Proof::Totp(factor, step) => latchkey_second_factor::update_step(conn, *factor, *step, now)?,
        Proof::Passkey(factor, old, new) => latchkey_second_factor::update_data(conn, *factor, (old, new), now)?,
        Proof::Recovery(hash) => latchkey_recovery_code::update_used(conn, user.id, hash, now)?,
    };
    if !is_first {
        return Err(AnswerError::Wrong);
    }
    throttle::forgive(conn, now, &right.counted, true)?;
    Ok(user)
}

struct Found {
    waiting: Waiting,
    enrolled: Enrolled,
    /// Whether the user logged in from there lately.
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
            let Some(waiting) = challenge::find(&shared, conn, &token, &[purpose])? else { return Ok(None) };
            let enrolled = Enrolled::find(conn, waiting.user.id)?;
            let is_known = latchkey_device::is_known(conn, waiting.user.id, &from, since)?;
            Ok(Some(Found { waiting, enrolled, is_known }))
        })
        .await
}

/// Counts the try before it is looked at: against its challenge, and for its user apart from the tries of the password,
/// for who has that may ask for as many challenges as they like.
async fn count(app: &Arc<App>, found: &Found, door: Door, client: &Client) -> Result<Counted, AnswerError> {
    let Found { waiting, is_known, .. } = found;
    let is_limited = app.config.accounts.login_throttle;
    let keys = is_limited.then(|| throttle::factor_keys(app, &network(client), waiting.user.id, *is_known));
    let keys = keys.unwrap_or_default();
    let refused = Entry::new(door, client, Some(&waiting.user), Refusal::Throttled);
    let (now, row) = (app.now(), waiting.row.clone());
    let counted = app.db.write(move |conn| match throttle::count(conn, now, &keys)? {
        Ok(counted) => Ok(if challenge::count_try(conn, &row)? { Ok(counted) } else { Err(AnswerError::NoChallenge) }),
        Err(wait) => {
            refused.write(conn, now)?;
            Ok::<_, DbError>(Err(AnswerError::Throttled(wait)))
        }
    });
    counted.await?
}

/// Whether the answer is one; nothing is written.
fn prove(app: &App, waiting: &Waiting, enrolled: &Enrolled, method: Method, given: Given) -> Option<Proof> {
    let user = waiting.user.id;
    match (method, given) {
        (Method::Factor(Kind::Email), Given::Code(typed)) => {
            let factor = enrolled.of(Kind::Email).next()?;
            code::is_mailed(app, &waiting.row, &typed).then_some(Proof::Mailed(factor.id))
        }
        (Method::Factor(Kind::Totp), Given::Code(typed)) => prove_totp(app, user, enrolled, &typed),
        (Method::Factor(Kind::Passkey), Given::Passkey(answer)) => prove_passkey(app, waiting, enrolled, &answer),
        (Method::Recovery, Given::Code(typed)) => {
            let hash = code::recovery_hash(app, user, &typed);
            enrolled.has_recovery_code(&hash).then_some(Proof::Recovery(hash))
        }
        _ => None,
    }
}

fn prove_totp(app: &App, user: UserId, enrolled: &Enrolled, typed: &SecretString) -> Option<Proof> {
    let factor = enrolled.of(Kind::Totp).next()?;
    let secret = app.factors.seal.open(&totp_context(user), &factor.data)?;
    let step = totp::check(&secret, typed.expose_secret(), app.now().timestamp())?;
    factor.last_step.is_none_or(|last| last < step).then_some(Proof::Totp(factor.id, step))
}

fn prove_passkey(app: &App, waiting: &Waiting, enrolled: &Enrolled, answer: &Value) -> Option<Proof> {
    let (state, passkeys) = (challenge::secret(app, &waiting.row)?, app.factors.passkeys.as_ref()?);
    let used = passkeys.finish_authentication(state.expose_secret(), answer, &enrolled.passkeys()).ok()?;
    let is_it = |factor: &&Factor| factor.credential_id.as_deref() == Some(&*used.credential_id);
    let factor = enrolled.of(Kind::Passkey).find(is_it)?;
    let old = factor.data.clone();
    Some(Proof::Passkey(factor.id, old.clone(), used.data.unwrap_or(old)))
}

/// What the secret of an authenticator app is bound to.
pub(super) fn totp_context(user: UserId) -> String {
    format!("totp {user}")
}
