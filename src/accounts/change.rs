//! Changes to an account that is there: its profile, its password, whether it is active, its end. Each is one transaction
//! and one line of the audit log. Somebody is always left who can change things, and nobody locks themselves out.

use serde_json::{Map, Value, json};

use super::confirm::Confirmed;
use super::manage::{self, ManageError, NewPassword, Origin};
use super::policy::Owner;
use super::user::{FieldError, normalize_email, normalize_username};
use super::{admin_session, notice};
use crate::app::{App, Tx};
use crate::crypto::digest::sha256_hex;
use crate::db::types::{EncodedPassword, UserId};
use crate::db::users::profile::{self, Profile};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_admin_session, latchkey_browser, outstanding_tokens};
use crate::factors::challenge;
use crate::journal::Actor;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::reason::Reason;
use crate::sessions;

const LAST: &str = "This is the last active superuser. Nobody could change anything any more: make another one first.";
const OWN_RIGHT: &str = "You cannot take this from yourself. Another superuser can.";
const ONESELF: &str = "You cannot delete yourself. Another superuser can.";

/// Names a state of a profile, so that a form can tell whether it was made from the present one.
pub fn fingerprint(profile: &Profile) -> String {
    sha256_hex(json!(profile).to_string().as_bytes())
}

/// Replaces a profile that is still as it was read (`as_read` is its fingerprint then). Answers whether anything changed.
/// Deactivating ends the user's sessions as `END_SESSIONS_ON_USER_CHANGE` says.
pub async fn update(app: &App, by: &Confirmed, id: UserId, as_read: &str, new: Profile) -> Result<bool, ManageError> {
    let (actor, as_read) = (by.actor().clone(), as_read.to_owned());
    app.write(move |tx| {
        let rules = &tx.app.config.accounts;
        let (user, is_last) = lock(tx.conn, id, !(new.is_superuser && new.is_active))?;
        let old = Profile::from(&user);
        if fingerprint(&old) != as_read {
            return Err(ManageError::Stale);
        }
        let new = normalize(&old, &new);
        manage::refuse(manage::faults(rules, Origin::New, Some(&old), &new))?;
        protect(&actor, &user, is_last, &new)?;
        manage::refuse_taken(tx.conn, Some((id, &old)), &new)?;
        let changes = differences(&old, &new);
        if changes.is_empty() {
            return Ok(false);
        }
        if old.is_active && !new.is_active {
            latchkey_admin_session::delete_of(tx.conn, id, None)?;
            if rules.end_sessions_on_user_change {
                sessions::end_all(tx, id, None, (Reason::Deactivated, &actor.name))?;
            }
        }
        if old.email != new.email {
            notice::email_changed(tx, &user, &new.email, &actor)?;
        }
        profile::update(tx.conn, id, &new).map_err(manage::name_taken)?;
        let detail = json!({ "changes": changes });
        AuditEntry::new(Action::UserChange, &actor).about(Some(id), &new.username).detail(detail).write(tx)?;
        Ok(true)
    })
    .await
}

/// Sets a password, or sees to it that none can be used; ends the user's sessions as `END_SESSIONS_ON_USER_CHANGE` says.
pub async fn set_password(app: &App, by: &Confirmed, id: UserId, password: NewPassword) -> Result<(), ManageError> {
    let user = app.read(move |tx| users::find(tx.conn, id)).await?.ok_or(ManageError::NoSuchUser)?;
    let encoded = manage::encode(app, &Owner::find(app, &user).await?, password).await?;
    store(app, by, id, Keeps::default(), encoded).await
}

/// The sessions that go on when their owner changes the password: that of the panel or of the API in which they do it.
#[derive(Debug, Clone, Default)]
pub struct Keeps {
    /// The hash of the panel's key.
    panel: Option<String>,
    /// The id of a session of the API.
    api: Option<String>,
}

impl Keeps {
    /// The session of the panel that this key is of.
    pub fn panel(key: &str) -> Self {
        Self { panel: Some(admin_session::key_hash(key)), api: None }
    }

    /// This session of the API, if it is known.
    pub fn api(session: Option<String>) -> Self {
        Self { panel: None, api: session }
    }
}

/// Sets one's own password. Ends one's other sessions; answers the user with the new password.
pub async fn set_own_password(
    app: &App,
    by: &Confirmed,
    user: &User,
    keeps: Keeps,
    password: NewPassword,
) -> Result<User, ManageError> {
    let encoded = manage::encode(app, &Owner::find(app, user).await?, password).await?;
    let changed = User { password: encoded.clone(), ..user.clone() };
    store(app, by, user.id, keeps, encoded).await?;
    Ok(changed)
}

async fn store(
    app: &App,
    by: &Confirmed,
    id: UserId,
    keeps: Keeps,
    encoded: EncodedPassword,
) -> Result<(), ManageError> {
    let what = Change { action: Action::UserSetPassword, ends: Some(Reason::PasswordChange), keeps, loses: None };
    let actor = by.actor().clone();
    let apply = move |tx: &mut Tx<'_>, user: &User| {
        notice::password_changed(tx, user, &actor)?;
        users::update_password(tx.conn, user.id, None, &encoded).map(drop)
    };
    change(app, by, id, what, apply).await
}

/// Activates or deactivates; deactivating ends the user's sessions as `END_SESSIONS_ON_USER_CHANGE` says.
pub async fn set_active(app: &App, by: &Confirmed, id: UserId, active: bool) -> Result<(), ManageError> {
    let what = if active {
        Change { action: Action::UserActivate, ends: None, keeps: Keeps::default(), loses: None }
    } else {
        let loses = Some(("is_active", OWN_RIGHT));
        Change { action: Action::UserDeactivate, ends: Some(Reason::Deactivated), keeps: Keeps::default(), loses }
    };
    let apply = move |tx: &mut Tx<'_>, user: &User| {
        if !active {
            // Whoever is let in again begins anew.
            latchkey_browser::delete_of(tx.conn, user.id)?;
            challenge::end_all(tx.conn, user.id, None)?;
        }
        users::update_active(tx.conn, user.id, active).map(drop)
    };
    change(app, by, id, what, apply).await
}

/// Deletes a user as Django does: its outstanding tokens stay, blacklisted, without an owner.
pub async fn delete(app: &App, by: &Confirmed, id: UserId) -> Result<(), ManageError> {
    let loses = Some(("user", ONESELF));
    let what = Change { action: Action::UserDelete, ends: Some(Reason::Deleted), keeps: Keeps::default(), loses };
    change(app, by, id, what, |tx, user| {
        outstanding_tokens::update_owner_to_none(tx.conn, user.id)?;
        users::delete(tx.conn, user.id).map(drop)
    })
    .await
}

/// One change that is not of the profile.
struct Change {
    action: Action,
    /// Why it ends the user's sessions, if it does.
    ends: Option<Reason>,
    /// What goes on nevertheless.
    keeps: Keeps,
    /// Where it takes all rights: the field that a refusal is about, and what is said to who does it to themselves.
    loses: Option<(&'static str, &'static str)>,
}

/// Lock, protect, end the sessions where the change ends them, change, note it.
async fn change(
    app: &App,
    by: &Confirmed,
    id: UserId,
    what: Change,
    apply: impl Fn(&mut Tx<'_>, &User) -> Result<(), DbError> + Send + 'static,
) -> Result<(), ManageError> {
    let (by, actor) = (by.clone(), by.actor().clone());
    let ends_tokens = app.config.accounts.end_sessions_on_user_change;
    app.write(move |tx| {
        let (user, is_last) = lock(tx.conn, id, what.loses.is_some())?;
        if !by.still_holds(tx, &user)? {
            return Err(ManageError::Stale);
        }
        if let Some((field, to_oneself)) = what.loses {
            refuse(field, is_last, to_oneself, actor.user_id == Some(id))?;
        }
        if let Some(reason) = what.ends {
            latchkey_admin_session::delete_of(tx.conn, id, what.keeps.panel.as_deref())?;
            if ends_tokens {
                sessions::end_all(tx, id, what.keeps.api.as_deref(), (reason, &actor.name))?;
            }
        }
        apply(tx, &user)?;
        AuditEntry::new(what.action, &actor).about(Some(id), &user.username).write(tx)?;
        Ok(())
    })
    .await
}

/// Locks a user, and tells whether it is the last active superuser where that may matter (`may_lose`). Then all of them
/// are locked first, in one order: two who demote each other wait for each other, and the second finds itself the last.
fn lock(conn: &mut Conn, id: UserId, may_lose: bool) -> Result<(User, bool), ManageError> {
    let superusers = if may_lose { profile::lock_superusers(conn)? } else { Vec::new() };
    let user = users::lock(conn, &UserRef::Id(id), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
    Ok((user, superusers == [id]))
}

/// Refuses to take the rights of oneself, and those of the last who has them.
fn protect(actor: &Actor, user: &User, is_last: bool, new: &Profile) -> Result<(), ManageError> {
    let is_own = actor.user_id == Some(user.id);
    let rights = [
        ("is_active", user.is_active, new.is_active, is_last),
        ("is_staff", user.is_staff, new.is_staff, false),
        ("is_superuser", user.is_superuser, new.is_superuser, is_last),
    ];
    let mut taken = rights.into_iter().filter(|(_, had, has, _)| *had && !has);
    taken.try_for_each(|(field, .., is_last)| refuse(field, is_last, OWN_RIGHT, is_own))
}

fn refuse(field: &'static str, is_last: bool, to_oneself: &str, is_own: bool) -> Result<(), ManageError> {
    let message = match (is_own, is_last) {
        (true, _) => to_oneself,
        (false, true) => LAST,
        (false, false) => return Ok(()),
    };
    Err(ManageError::Protected(FieldError { field, message: message.to_owned() }))
}

/// As Django does, but what was not changed stays as it is.
fn normalize(old: &Profile, new: &Profile) -> Profile {
    let keep = |old: &str, new: &str, normalize: fn(&str) -> String| {
        if old == new { old.to_owned() } else { normalize(new) }
    };
    Profile {
        username: keep(&old.username, &new.username, normalize_username),
        email: keep(&old.email, &new.email, normalize_email),
        ..new.clone()
    }
}

/// `{"email": [old, new]}`
fn differences(old: &Profile, new: &Profile) -> Map<String, Value> {
    let (Value::Object(old), Value::Object(new)) = (json!(old), json!(new)) else { return Map::new() };
    let both = old.into_iter().filter_map(|(field, old)| Some((new.get(&field)?.clone(), field, old)));
    both.filter(|(new, _, old)| new != old).map(|(new, field, old)| (field, json!([old, new]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        Profile {
            username: "ann".to_owned(),
            email: "Ann@EXAMPLE.com".to_owned(),
            is_active: true,
            ..Profile::default()
        }
    }

    #[test]
    fn differences_are_told_field_by_field() {
        let new = Profile { email: "b@c.co".to_owned(), is_staff: true, ..profile() };
        assert_eq!(
            Value::Object(differences(&profile(), &new)),
            json!({"email": ["Ann@EXAMPLE.com", "b@c.co"], "is_staff": [false, true]})
        );
        assert!(differences(&profile(), &profile()).is_empty());
    }

    #[test]
    fn every_field_is_in_the_fingerprint() {
        let is_same = |change: fn(&mut Profile)| {
            let mut changed = profile();
            change(&mut changed);
            fingerprint(&changed) == fingerprint(&profile())
        };
        assert!(is_same(|_| {}));
        let changes: [fn(&mut Profile); 7] = [
            |profile| profile.username.push('x'),
            |profile| profile.email.push('x'),
            |profile| profile.first_name.push('x'),
            |profile| profile.last_name.push('x'),
            |profile| profile.is_active = false,
            |profile| profile.is_staff = true,
            |profile| profile.is_superuser = true,
        ];
        assert!(changes.into_iter().all(|change| !is_same(change)));
    }

    #[test]
    fn what_was_not_changed_is_not_normalised() {
        let typed = Profile { username: "ﬀ".to_owned(), ..profile() };
        let normal = normalize(&profile(), &typed);
        assert_eq!((&*normal.username, &*normal.email), ("ff", "Ann@EXAMPLE.com"));
    }
}
