//! Taking factors away, and making new recovery codes: by their user, who has shown a factor for it (`Shown`), or by a
//! superuser for somebody who lost their phone.

use secrecy::SecretString;
use serde_json::json;

use super::answer::{self, AnswerError, Right};
use super::visit::{self, Visit};
use super::{Kind, challenge, code};
use crate::accounts::confirm::Confirmed;
use crate::accounts::manage::{self, ManageError};
use crate::accounts::notice;
use crate::app::{App, Tx};
use crate::db::types::{RowId, UserId};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{DbError, latchkey_browser, latchkey_recovery_code, latchkey_second_factor, latchkey_user};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::{Actor, Client};

/// What shows that whoever changes their factors has one of them. No door can forget to ask for it.
pub enum Shown {
    /// The answer to a challenge for it.
    Answer(Right),
    /// A visit that was opened with one.
    Visit(Visit),
}

impl Shown {
    /// Takes it, in the transaction of what it is for; answers the user, locked.
    fn take(&self, tx: &mut Tx<'_>) -> Result<User, AnswerError> {
        match self {
            Self::Answer(right) => answer::spend(tx, right),
            Self::Visit(visit) => visit::lock_by_factor(tx, visit),
        }
    }

    /// Whose factors it is about.
    fn user(&self) -> UserId {
        match self {
            Self::Answer(right) => right.user().id,
            Self::Visit(visit) => visit.user().id,
        }
    }

    fn visit(&self) -> Option<&Visit> {
        match self {
            Self::Answer(_) => None,
            Self::Visit(visit) => Some(visit),
        }
    }
}

/// Removes a factor of one's own; `false` if there is none of that id.
pub async fn remove(app: &App, by: Shown, id: RowId, client: &Client) -> Result<bool, AnswerError> {
    let client = client.clone();
    app.write(move |tx| {
        // Looked for first: an id that is wrong must not cost a recovery code.
        if !latchkey_second_factor::list_of(tx.conn, by.user())?.iter().any(|factor| factor.id == id) {
            return Ok(false);
        }
        let user = by.take(tx)?;
        take(tx, &user, id, &Actor::user(&user, &client), by.visit()).map_err(AnswerError::from)
    })
    .await
}

/// Makes new recovery codes; the old ones are worth nothing any more. They are shown once.
pub async fn replace_recovery_codes(app: &App, by: Shown, client: &Client) -> Result<Vec<SecretString>, AnswerError> {
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

/// Removes somebody else's factor: a superuser helps who lost a phone. The user is told by mail.
pub async fn remove_of(app: &App, by: &Confirmed, user: UserId, id: RowId) -> Result<bool, ManageError> {
    let actor = by.actor().clone();
    app.write(move |tx| {
        let user = users::lock(tx.conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
        take(tx, &user, id, &actor, None).map_err(ManageError::from)
    })
    .await
}

/// Removes all that somebody has who lost everything; answers how many there were.
pub async fn remove_all_of(app: &App, by: &Confirmed, user: UserId) -> Result<usize, ManageError> {
    let actor = by.actor().clone();
    app.write(move |tx| {
        let user = users::lock(tx.conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
        let all = latchkey_second_factor::list_of(tx.conn, user.id)?;
        for factor in &all {
            take(tx, &user, factor.id, &actor, None)?;
        }
        Ok::<_, ManageError>(all.len())
    })
    .await
}

/// Whether the user must have a factor at the next login.
pub async fn require(app: &App, by: &Confirmed, user: UserId, is_required: bool) -> Result<(), ManageError> {
    let (actor, uuid) = (by.actor().clone(), manage::new_uuid());
    app.write(move |tx| {
        let user = users::lock(tx.conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
        latchkey_user::upsert_second_factor_required(tx.conn, user.id, &uuid, is_required)?;
        let action = if is_required { Action::FactorRequire } else { Action::FactorUnrequire };
        AuditEntry::new(action, &actor).about_user(&user).write(tx)?;
        Ok(())
    })
    .await
}

/// The remembered browsers, the visits and what else was begun go too: they stood for a factor that may be in other hands.
/// With the last one go the recovery codes.
fn take(tx: &mut Tx<'_>, user: &User, id: RowId, actor: &Actor, by: Option<&Visit>) -> Result<bool, DbError> {
    let all = latchkey_second_factor::list_of(tx.conn, user.id)?;
    let Some(factor) = all.iter().find(|factor| factor.id == id) else { return Ok(false) };
    latchkey_second_factor::delete(tx.conn, user.id, id)?;
    latchkey_browser::delete_of(tx.conn, user.id)?;
    challenge::end_all(tx.conn, user.id, by)?;
    // A superuser helps who lost it: recovery codes may lie beside it.
    if all.len() == 1 || actor.user_id != Some(user.id) {
        latchkey_recovery_code::delete_of(tx.conn, user.id)?;
    }
    let detail = json!({"kind": factor.kind, "name": factor.name});
    AuditEntry::new(Action::FactorRemove, actor).about_user(user).detail(detail).write(tx)?;
    if let Some(kind) = Kind::of(&factor.kind) {
        notice::factor_removed(tx, user, kind, actor)?;
    }
    Ok(true)
}
