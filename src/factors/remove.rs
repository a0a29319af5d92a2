//! Removes factors and replaces recovery codes: for their user, who has used a factor (`FactorProof`), or for a
//! superuser who helps a user with a lost phone.

use secrecy::SecretString;
use serde_json::json;

use super::answer::{self, AnswerError, VerifiedAnswer};
use super::code;
use crate::accounts::account_session::AccountSession;
use crate::accounts::confirm::Confirmed;
use crate::accounts::endings::{self, Ending, Kept};
use crate::accounts::manage::{self, ManageError};
use crate::accounts::notice;
use crate::app::{App, Tx};
use crate::db::types::{RowId, UserId};
use crate::db::users::{Intent, User, UserRef};
use crate::db::{DbError, latchkey_second_factor, latchkey_user};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::authentication::FactorKind;
use crate::journal::{Actor, Client};

/// Proof that a user who changes their factors has used one. Changes take it, so none can be made without one.
pub enum FactorProof {
    /// The answer to a challenge for the change.
    Answer(VerifiedAnswer),
    /// An account session that was opened with a factor.
    AccountSession(AccountSession),
}

impl FactorProof {
    /// Uses the proof up; returns the user, locked.
    fn take(&self, tx: &mut Tx<'_>) -> Result<User, AnswerError> {
        match self {
            Self::Answer(answer) => answer::spend(tx, answer),
            Self::AccountSession(session) => session.lock_by_factor(tx)?.ok_or(AnswerError::NoChallenge),
        }
    }

    /// The user whose factors change.
    fn user(&self) -> UserId {
        match self {
            Self::Answer(answer) => answer.user().id,
            Self::AccountSession(session) => session.user().id,
        }
    }

    /// The account session, which is kept.
    fn kept(&self) -> Kept {
        match self {
            Self::Answer(_) => Kept::default(),
            Self::AccountSession(session) => {
                Kept { account_session: Some(session.token_hash().to_owned()), ..Kept::default() }
            }
        }
    }
}

/// Removes one of the user's own factors; `false` if it does not exist.
pub async fn remove(app: &App, by: FactorProof, id: RowId, client: &Client) -> Result<bool, AnswerError> {
    let client = client.clone();
    app.write(move |tx| {
        // Checked first: a wrong id must not use up a recovery code.
        if !latchkey_second_factor::list_of(tx.conn, by.user())?.iter().any(|factor| factor.id == id) {
            return Ok(false);
        }
        let user = by.take(tx)?;
        take(tx, (&user, id), &Actor::user(&user, &client), &by.kept()).map_err(AnswerError::from)
    })
    .await
}

/// Makes new recovery codes, shown once; the old ones stop working.
pub async fn replace_recovery_codes(
    app: &App,
    by: FactorProof,
    client: &Client,
) -> Result<Vec<SecretString>, AnswerError> {
    let client = client.clone();
    app.write(move |tx| {
        let user = by.take(tx)?;
        let codes = code::replace(tx, user.id)?;
        let actor = Actor::user(&user, &client);
        AuditEntry::new(Action::FactorRecoveryCodes, &actor).about_user(&user).write(tx)?;
        notice::recovery_codes_made(tx, &user, &actor)?;
        Ok::<_, AnswerError>(codes)
    })
    .await
}

/// Removes a user's factor on behalf of a superuser, for example after a lost phone. The user is notified by mail.
pub async fn remove_of(app: &App, by: &Confirmed, user: UserId, id: RowId) -> Result<bool, ManageError> {
    let actor = by.actor().clone();
    app.write(move |tx| {
        let user = tx.app.users.lock(tx.conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
        take(tx, (&user, id), &actor, &Kept::default()).map_err(ManageError::from)
    })
    .await
}

/// Removes all factors of a user who has lost everything; returns how many.
pub async fn remove_all_of(app: &App, by: &Confirmed, user: UserId) -> Result<usize, ManageError> {
    let actor = by.actor().clone();
    app.write(move |tx| {
        let user = tx.app.users.lock(tx.conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
        let all = latchkey_second_factor::list_of(tx.conn, user.id)?;
        for factor in &all {
            take(tx, (&user, factor.id), &actor, &Kept::default())?;
        }
        Ok::<_, ManageError>(all.len())
    })
    .await
}

/// Sets whether the user must have a factor from the next login on.
pub async fn require(app: &App, by: &Confirmed, user: UserId, is_required: bool) -> Result<(), ManageError> {
    let (actor, uuid) = (by.actor().clone(), manage::new_uuid());
    app.write(move |tx| {
        let user = tx.app.users.lock(tx.conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
        latchkey_user::upsert_second_factor_required(tx.conn, user.id, &uuid, is_required)?;
        let action = if is_required { Action::FactorRequire } else { Action::FactorUnrequire };
        AuditEntry::new(action, &actor).about_user(&user).write(tx)?;
        Ok(())
    })
    .await
}

/// Removes a factor and what relied on it (`endings`).
fn take(tx: &mut Tx<'_>, (user, id): (&User, RowId), actor: &Actor, kept: &Kept) -> Result<bool, DbError> {
    let all = latchkey_second_factor::list_of(tx.conn, user.id)?;
    let Some(factor) = all.iter().find(|factor| factor.id == id) else { return Ok(false) };
    latchkey_second_factor::delete(tx.conn, user.id, id)?;
    // When a superuser helps after a lost phone, the recovery codes may have been lost with it.
    let is_last = all.len() == 1 || actor.user_id != Some(user.id);
    let ending = if is_last { Ending::LastFactorRemoval } else { Ending::FactorRemoval };
    endings::apply(tx, ending, (user.id, &actor.name), kept)?;
    let detail = json!({"kind": factor.kind, "name": factor.name});
    AuditEntry::new(Action::FactorRemove, actor).about_user(user).detail(detail).write(tx)?;
    if let Some(kind) = FactorKind::of(&factor.kind) {
        notice::factor_removed(tx, user, kind, actor)?;
    }
    Ok(true)
}
