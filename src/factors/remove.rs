//! Taking factors away, and making new recovery codes: by their user, who has shown a factor for it (`Shown`), or by a
//! superuser for somebody who lost their phone.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;

use super::answer::{self, AnswerError, Right};
use super::visit::{self, Visit};
use super::{Kind, challenge, code};
use crate::accounts::confirm::Confirmed;
use crate::accounts::manage::{self, ManageError};
use crate::accounts::notice;
use crate::app::App;
use crate::db::types::{RowId, UserId};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_browser, latchkey_recovery_code, latchkey_second_factor, latchkey_user};
use crate::journal::{Actor, Client, audit};

/// What shows that whoever changes their factors has one of them. No door can forget to ask for it.
pub enum Shown {
    /// The answer to a challenge for it.
    Answer(Right),
    /// A visit that was opened with one.
    Visit(Visit),
}

impl Shown {
    /// Takes it, in the transaction of what it is for; answers the user, locked.
    fn take(&self, app: &App, conn: &mut Conn) -> Result<User, AnswerError> {
        match self {
            Self::Answer(right) => answer::spend(app, conn, right),
            Self::Visit(visit) => visit::lock_by_factor(app, conn, visit),
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
pub async fn remove(app: &Arc<App>, by: Shown, id: RowId, client: &Client) -> Result<bool, AnswerError> {
    let (shared, client) = (Arc::clone(app), client.clone());
    let removed = app.db.write(move |conn| {
        // Looked for first: an id that is wrong must not cost a recovery code.
        if !latchkey_second_factor::list_of(conn, by.user())?.iter().any(|factor| factor.id == id) {
            return Ok(false);
        }
        let user = by.take(&shared, conn)?;
        take(&shared, conn, &user, id, &Actor::user(&user, &client), by.visit()).map_err(AnswerError::from)
    });
    let removed = removed.await?;
    app.mailer.ring();
    Ok(removed)
}

/// Makes new recovery codes; the old ones are worth nothing any more. They are shown once.
pub async fn replace_recovery_codes(
    app: &Arc<App>,
    by: Shown,
    client: &Client,
) -> Result<Vec<SecretString>, AnswerError> {
    let (shared, client) = (Arc::clone(app), client.clone());
    let made = app.db.write(move |conn| {
        let user = by.take(&shared, conn)?;
        let codes = code::replace(&shared, conn, user.id)?;
        let (now, actor) = (shared.now(), Actor::user(&user, &client));
        audit::write(conn, now, &actor, "second_factor.recovery_codes", Some(user.id), &user.username)?;
        notice::recovery_codes_made(&shared, conn, &user, &actor)?;
        Ok::<_, AnswerError>(codes)
    });
    let codes = made.await?;
    app.mailer.ring();
    Ok(codes)
}

/// Removes somebody else's factor: a superuser helps who lost a phone. The user is told by mail.
pub async fn remove_of(app: &Arc<App>, by: &Confirmed, user: UserId, id: RowId) -> Result<bool, ManageError> {
    let (shared, actor) = (Arc::clone(app), by.actor().clone());
    let removed = app
        .db
        .write(move |conn| {
            let user = users::lock(conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
            take(&shared, conn, &user, id, &actor, None).map_err(ManageError::from)
        })
        .await?;
    app.mailer.ring();
    Ok(removed)
}

/// Removes all that somebody has who lost everything; answers how many there were.
pub async fn remove_all_of(app: &Arc<App>, by: &Confirmed, user: UserId) -> Result<usize, ManageError> {
    let (shared, actor) = (Arc::clone(app), by.actor().clone());
    let removed = app
        .db
        .write(move |conn| {
            let user = users::lock(conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
            let all = latchkey_second_factor::list_of(conn, user.id)?;
            for factor in &all {
                take(&shared, conn, &user, factor.id, &actor, None)?;
            }
            Ok::<_, ManageError>(all.len())
        })
        .await?;
    app.mailer.ring();
    Ok(removed)
}

/// Whether the user must have a factor at the next login.
pub async fn require(app: &Arc<App>, by: &Confirmed, user: UserId, is_required: bool) -> Result<(), ManageError> {
    let (actor, now, uuid) = (by.actor().clone(), app.now(), manage::new_uuid());
    app.db
        .write(move |conn| {
            let user = users::lock(conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
            latchkey_user::upsert_second_factor_required(conn, user.id, &uuid, is_required)?;
            let action = if is_required { "second_factor.require" } else { "second_factor.unrequire" };
            audit::write(conn, now, &actor, action, Some(user.id), &user.username)?;
            Ok(())
        })
        .await
}

/// The remembered browsers, the visits and what else was begun go too: they stood for a factor that may be in other hands.
/// With the last one go the recovery codes.
fn take(
    app: &App,
    conn: &mut Conn,
    user: &User,
    id: RowId,
    actor: &Actor,
    by: Option<&Visit>,
) -> Result<bool, DbError> {
    let all = latchkey_second_factor::list_of(conn, user.id)?;
    let Some(factor) = all.iter().find(|factor| factor.id == id) else { return Ok(false) };
    latchkey_second_factor::delete(conn, user.id, id)?;
    latchkey_browser::delete_of(conn, user.id)?;
    challenge::end_all(conn, user.id, by)?;
    // A superuser helps who lost it: recovery codes may lie beside it.
    if all.len() == 1 || actor.user_id != Some(user.id) {
        latchkey_recovery_code::delete_of(conn, user.id)?;
    }
    let detail = json!({"kind": factor.kind, "name": factor.name});
    audit::write_with(conn, app.now(), actor, "second_factor.remove", Some(user.id), &user.username, &detail)?;
    if let Some(kind) = Kind::of(&factor.kind) {
        notice::factor_removed(app, conn, user, kind, actor)?;
    }
    Ok(true)
}
