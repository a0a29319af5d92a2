//! Confirms an enrolment: its answer is verified, and from then on the factor counts. With the first factor the user
//! gets recovery codes, which are shown once.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::answer::{self, AnswerError, FactorResponse};
use super::challenge::{self, EnrolmentBasis, Pending, Purpose};
use super::code;
use super::enrol::{EnrolError, may_add};
use super::enrolled::Enrolled;
use crate::accounts::account_session::AccountSession;
use crate::accounts::endings::{self, Ending, Kept};
use crate::accounts::notice;
use crate::app::{App, Tx};
use crate::crypto::passkey::Registered;
use crate::crypto::totp;
use crate::db::DbError;
use crate::db::latchkey_second_factor::{self, Factor, NewRow};
use crate::db::users::{Intent, User, UserRef};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::authentication::{FactorKind, Method};
use crate::journal::{Actor, Client};

/// The longest name of a factor, in characters.
pub const MAX_NAME: usize = 100;

/// The answer to an enrolment. No `Debug`: it is as good as a password.
pub struct EnrolmentAnswer {
    /// The token of the challenge.
    pub token: SecretString,
    /// The code, or the passkey's response.
    pub response: FactorResponse,
    /// The user's name for the factor.
    pub name: Option<String>,
}

/// A finished enrolment. No `Debug`: it holds secrets.
pub struct Done {
    /// The factor.
    pub factor: Factor,
    /// The method that confirmed it, for a login that waits.
    pub method: Method,
    /// Recovery codes, shown once; only with the first factor.
    pub recovery_codes: Option<Vec<SecretString>>,
}

/// An answer that was verified. `add` uses it up.
pub struct VerifiedEnrolment {
    pending: Pending,
    kind: FactorKind,
    data: String,
    credential_id: Option<String>,
    last_step: Option<i64>,
    name: Option<String>,
}

/// Accepts the answer; from then on the factor counts. For a login that waits, `tokens::login` does this.
pub async fn finish(app: &App, answer: EnrolmentAnswer, client: &Client) -> Result<Done, EnrolError> {
    let accepts = |basis| matches!(basis, EnrolmentBasis::Password | EnrolmentBasis::Factor);
    let verified = check(app, answer, accepts).await?;
    let client = client.clone();
    app.write(move |tx| add(tx, &verified, &client).map(|(done, _)| done)).await
}

/// The same in an account session, which counts as one with a factor from then on.
pub async fn finish_in_session(
    app: &App,
    session: &AccountSession,
    answer: EnrolmentAnswer,
    client: &Client,
) -> Result<Done, EnrolError> {
    let verified = check(app, answer, |basis| basis == EnrolmentBasis::AccountSession).await?;
    if verified.pending.user.id != session.user().id {
        return Err(AnswerError::NoChallenge.into());
    }
    let (session, client) = (session.clone(), client.clone());
    app.write(move |tx| {
        session.lock(tx)?.ok_or(AnswerError::NoChallenge)?;
        let (done, _) = add(tx, &verified, &client)?;
        session.note_factor(tx)?;
        Ok(done)
    })
    .await
}

/// Verifies the answer to an enrolment whose basis is accepted. The attempt is counted first.
pub async fn check(
    app: &App,
    answer: EnrolmentAnswer,
    accepts: fn(EnrolmentBasis) -> bool,
) -> Result<VerifiedEnrolment, AnswerError> {
    let token = answer.token;
    let found = app.write(move |tx| {
        let is_accepted = |purpose| matches!(purpose, Purpose::Enrol(_, basis) if accepts(basis));
        let Some(pending) = challenge::find(tx, &token, is_accepted)? else { return Ok(None) };
        Ok::<_, DbError>(challenge::count_attempt(tx, &pending.row)?.then_some(pending))
    });
    let pending = found.await?.ok_or(AnswerError::NoChallenge)?;
    let verified = verify(app, pending, answer.response).ok_or(AnswerError::Wrong)?;
    Ok(VerifiedEnrolment { name: answer.name, ..verified })
}

fn verify(app: &App, pending: Pending, response: FactorResponse) -> Option<VerifiedEnrolment> {
    let (row, user) = (&pending.row, pending.user.id);
    let Purpose::Enrol(kind, _) = pending.purpose else { return None };
    let secret = challenge::secret(app, row)?;
    let (data, credential_id, last_step) = match (kind, response) {
        (FactorKind::Email, FactorResponse::Code(typed)) => {
            let address = code::is_mailed(app, row, &typed).then(|| secret.expose_secret().to_owned())?;
            (address, None, None)
        }
        (FactorKind::Totp, FactorResponse::Code(typed)) => {
            let step = totp::check(&secret, typed.expose_secret(), app.now().timestamp())?;
            (app.factors.seal.seal(&answer::totp_context(user), &secret), None, Some(step))
        }
        (FactorKind::Passkey, FactorResponse::Passkey(response)) => {
            let registered = app.factors.passkeys.as_ref()?.finish_registration(secret.expose_secret(), &response);
            let Registered { credential_id, data } = registered.ok()?;
            (data, Some(credential_id), None)
        }
        _ => return None,
    };
    Some(VerifiedEnrolment { pending, kind, data, credential_id, last_step, name: None })
}

/// Adds the factor, under the lock on the user's row. Also returns the user.
pub fn add(tx: &mut Tx<'_>, verified: &VerifiedEnrolment, client: &Client) -> Result<(Done, User), EnrolError> {
    let pending = &verified.pending;
    let gone = || EnrolError::Answer(AnswerError::NoChallenge);
    let user = tx.app.users.lock(tx.conn, &UserRef::Id(pending.user.id), Intent::Revoke)?.ok_or_else(gone)?;
    if !challenge::spend(tx, pending, &user)? {
        return Err(gone());
    }
    let enrolled = Enrolled::find(tx.conn, user.id)?;
    // The password alone may only add the first factor.
    let takes_password_only =
        matches!(pending.purpose, Purpose::Enrol(_, EnrolmentBasis::Password | EnrolmentBasis::PendingLogin));
    if takes_password_only && !enrolled.factors.is_empty() {
        return Err(gone());
    }
    // Several enrolments may have begun while there was room for one.
    may_add(tx.app, &user, &enrolled, verified.kind)?;
    let factor = insert(tx, &user, verified)?;
    let actor = Actor::user(&user, client);
    if enrolled.factors.is_empty() {
        // An attacker who knew only the password may have asked to change the address.
        endings::apply(tx, Ending::FirstFactor, (user.id, &user.username), &Kept::default())?;
    }
    let has_codes = enrolled.recovery_codes() > 0;
    let recovery_codes = if has_codes { None } else { Some(code::replace(tx, user.id)?) };
    let detail = json!({"kind": factor.kind, "name": factor.name});
    AuditEntry::new(Action::FactorAdd, &actor).about_user(&user).detail(detail).write(tx)?;
    notice::factor_added(tx, &user, verified.kind, &actor)?;
    Ok((Done { factor, method: Method::Factor(verified.kind), recovery_codes }, user))
}

fn insert(tx: &mut Tx<'_>, user: &User, verified: &VerifiedEnrolment) -> Result<Factor, EnrolError> {
    let row = NewRow {
        user_id: user.id,
        kind: verified.kind.name(),
        name: verified.name.as_deref().unwrap_or(verified.kind.title()),
        data: &verified.data,
        credential_id: verified.credential_id.as_deref(),
        last_step: verified.last_step,
        created_at: tx.now,
    };
    latchkey_second_factor::insert(tx.conn, &row).map_err(|error| match error {
        DbError::Unique(_) => EnrolError::Exists,
        other => other.into(),
    })
}
