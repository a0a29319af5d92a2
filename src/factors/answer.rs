//! Answers to challenges: counted, then verified, and then used up in the transaction that they authorise. If the same
//! answer is given twice at the same time, exactly one succeeds: it has to delete the challenge and to record the
//! code's time step or use up the recovery code.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::challenge::{self, Pending, Purpose};
use super::code;
use super::enrolled::Enrolled;
use crate::app::{App, Tx};
use crate::crypto::totp;
use crate::db::latchkey_second_factor::{self, Factor};
use crate::db::types::{RowId, UserId};
use crate::db::users::{Intent, User, UserRef};
use crate::db::{DbError, latchkey_device, latchkey_recovery_code};
use crate::guard::device::KNOWN_FOR;
use crate::guard::throttle::{self, Counted, Wait};
use crate::journal::Client;
use crate::journal::authentication::{FactorKind, Method};
use crate::journal::failed_login::{Entry, Refusal};

/// The response of a user to a challenge. No `Debug`: it is as good as a password.
pub enum FactorResponse {
    /// A code.
    Code(SecretString),
    /// The response of `navigator.credentials.get`, as JSON.
    Passkey(Value),
}

/// An answer.
pub struct Answer {
    /// The token of the challenge.
    pub challenge: SecretString,
    /// Which factor, or a recovery code.
    pub method: Method,
    /// The code, or the passkey's response.
    pub response: FactorResponse,
}

/// Why an answer was refused.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The challenge is unknown, used, expired, invalidated, or has another purpose.
    #[error("The challenge is invalid or has expired.")]
    NoChallenge,
    /// The challenge is valid, but the answer is wrong.
    #[error("The code is wrong or was used before.")]
    Wrong,
    /// Too many attempts; the answer was not checked.
    #[error("too many attempts; the next one in {} seconds", .0.seconds())]
    Throttled(Wait),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// An answer that was verified. `spend` uses it up.
pub struct VerifiedAnswer {
    pending: Box<Pending>,
    method: Method,
    proof: Proof,
    counted: Counted,
}

/// What has to be recorded so that the answer works only once.
enum Proof {
    /// A mailed code is deleted with its challenge.
    Mailed(RowId),
    Totp(RowId, i64),
    /// The passkey as it was, and with its new counter.
    Passkey(RowId, String, String),
    Recovery(String),
}

impl VerifiedAnswer {
    /// The method that was used.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The purpose of the challenge.
    pub fn purpose(&self) -> Purpose {
        self.pending.purpose
    }

    /// The user, as of when the answer was checked.
    pub fn user(&self) -> &User {
        &self.pending.user
    }
}

/// Verifies an answer to a challenge whose purpose is accepted. The attempt is counted first, as with passwords.
pub async fn check(
    app: &App,
    answer: Answer,
    accepts: fn(Purpose) -> bool,
    client: &Client,
) -> Result<VerifiedAnswer, AnswerError> {
    let found = find(app, answer.challenge.clone(), accepts, client).await?.ok_or(AnswerError::NoChallenge)?;
    let counted = count(app, &found, client).await?;
    if let Some(proof) = prove(app, &found, &answer) {
        return Ok(VerifiedAnswer { pending: Box::new(found.pending), method: answer.method, proof, counted });
    }
    let entry = Entry::new(client, Some(&found.pending.user), Refusal::WrongFactor);
    app.write(move |tx| entry.write(tx)).await?;
    Err(AnswerError::Wrong)
}

/// Uses up the challenge and the answer, in the transaction that they authorise; returns the user, locked. If another
/// request was faster, or the user has changed, that transaction has to be rolled back.
pub fn spend(tx: &mut Tx<'_>, answer: &VerifiedAnswer) -> Result<User, AnswerError> {
    let (now, id) = (tx.now, answer.pending.user.id);
    let user = tx.app.users.lock(tx.conn, &UserRef::Id(id), Intent::Revoke)?.ok_or(AnswerError::NoChallenge)?;
    if !challenge::spend(tx, &answer.pending, &user)? {
        return Err(AnswerError::NoChallenge);
    }
    let is_first = match &answer.proof {
        Proof::Mailed(factor) => latchkey_second_factor::update_used(tx.conn, *factor, now)?,
        Proof::Totp(factor, step) => latchkey_second_factor::update_step(tx.conn, *factor, *step, now)?,
        Proof::Passkey(factor, old, new) => latchkey_second_factor::update_data(tx.conn, *factor, (old, new), now)?,
        Proof::Recovery(hash) => latchkey_recovery_code::update_used(tx.conn, user.id, hash, now)?,
    };
    if !is_first {
        return Err(AnswerError::Wrong);
    }
    throttle::forgive(tx, &answer.counted, true)?;
    Ok(user)
}

struct Found {
    pending: Pending,
    enrolled: Enrolled,
    /// Whether the user logged in from this network recently.
    is_known: bool,
}

async fn find(
    app: &App,
    token: SecretString,
    accepts: fn(Purpose) -> bool,
    client: &Client,
) -> Result<Option<Found>, DbError> {
    let (network, since) = (client.network(), app.now() - KNOWN_FOR);
    app.read(move |tx| {
        let Some(pending) = challenge::find(tx, &token, accepts)? else { return Ok(None) };
        let enrolled = Enrolled::find(tx.conn, pending.user.id)?;
        let is_known = latchkey_device::is_known(tx.conn, pending.user.id, &network, since)?;
        Ok(Some(Found { pending, enrolled, is_known }))
    })
    .await
}

/// Counts an attempt before it is verified: against its challenge, and against its user. Attempts with a password are
/// counted separately, because anyone who knows the password can begin any number of challenges.
async fn count(app: &App, found: &Found, client: &Client) -> Result<Counted, AnswerError> {
    let Found { pending, is_known, .. } = found;
    let is_limited = app.config.accounts.login_throttle;
    let keys = is_limited.then(|| throttle::factor_keys(app, &client.network(), pending.user.id, *is_known));
    let keys = keys.unwrap_or_default();
    let refused = Entry::new(client, Some(&pending.user), Refusal::Throttled);
    let row = pending.row.clone();
    let counted = app.write(move |tx| match throttle::count(tx, &keys)? {
        Ok(counted) => {
            let is_left = challenge::count_attempt(tx, &row)?;
            Ok(if is_left { Ok(counted) } else { Err(AnswerError::NoChallenge) })
        }
        Err(wait) => {
            refused.write(tx)?;
            Ok::<_, DbError>(Err(AnswerError::Throttled(wait)))
        }
    });
    counted.await?
}

/// Returns the proof if the answer is right. Writes nothing.
fn prove(app: &App, found: &Found, answer: &Answer) -> Option<Proof> {
    let Found { pending, enrolled, .. } = found;
    let user = pending.user.id;
    match (answer.method, &answer.response) {
        (Method::Factor(FactorKind::Email), FactorResponse::Code(typed)) => {
            let factor = enrolled.of(FactorKind::Email).next()?;
            code::is_mailed(app, &pending.row, typed).then_some(Proof::Mailed(factor.id))
        }
        (Method::Factor(FactorKind::Totp), FactorResponse::Code(typed)) => prove_totp(app, user, enrolled, typed),
        (Method::Factor(FactorKind::Passkey), FactorResponse::Passkey(response)) => {
            prove_passkey(app, pending, enrolled, response)
        }
        (Method::Recovery, FactorResponse::Code(typed)) => {
            enrolled.recovery_code(app, user, typed).map(|hash| Proof::Recovery(hash.to_owned()))
        }
        _ => None,
    }
}

fn prove_totp(app: &App, user: UserId, enrolled: &Enrolled, typed: &SecretString) -> Option<Proof> {
    let factor = enrolled.of(FactorKind::Totp).next()?;
    let secret = app.factors.seal.open(&totp_context(user), &factor.data)?;
    let step = totp::check(&secret, typed.expose_secret(), app.now().timestamp())?;
    factor.last_step.is_none_or(|last| last < step).then_some(Proof::Totp(factor.id, step))
}

fn prove_passkey(app: &App, pending: &Pending, enrolled: &Enrolled, response: &Value) -> Option<Proof> {
    let (state, passkeys) = (challenge::secret(app, &pending.row)?, app.factors.passkeys.as_ref()?);
    let used = passkeys.finish_authentication(state.expose_secret(), response, &enrolled.passkeys()).ok()?;
    let is_it = |factor: &&Factor| factor.credential_id.as_deref() == Some(&*used.credential_id);
    let factor = enrolled.of(FactorKind::Passkey).find(is_it)?;
    let old = factor.data.clone();
    Some(Proof::Passkey(factor.id, old.clone(), used.data.unwrap_or(old)))
}

/// The context that the secret of an authenticator app is sealed with.
pub(super) fn totp_context(user: UserId) -> String {
    format!("totp {user}")
}
