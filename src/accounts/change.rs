//! Changes accounts: profile, password, activation and deletion. Each change is one transaction and one audit entry.
//! The last active superuser is protected, and users cannot take away their own rights.

use serde_json::{Map, Value, json};

use super::confirm::Confirmed;
use super::endings::{self, Ending, Kept};
use super::manage::{self, ManageError, NewPassword, Origin};
use super::policy::Owner;
use super::user::{FieldError, normalize_email, normalize_username};
use super::{admin_session, notice};
use crate::app::{App, Tx};
use crate::config::UserField;
use crate::crypto::digest::sha256_hex;
use crate::db::types::{EncodedPassword, UserId};
use crate::db::users::profile::Profile;
use crate::db::users::{Intent, User, UserRef};
use crate::db::{DbError, outstanding_tokens};
use crate::journal::Actor;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;

const LAST: &str = "This is the last active superuser. Make another one first, or nobody could manage users.";
const OWN_RIGHT: &str = "You cannot take this right away from yourself. Another superuser can.";
const ONESELF: &str = "You cannot delete yourself. Another superuser can.";

/// Identifies a state of a profile, so that a form can tell whether it was made from the current one.
pub fn fingerprint(profile: &Profile) -> String {
    sha256_hex(json!(profile).to_string().as_bytes())
}

/// An edited profile.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The fingerprint of the profile before the edit.
    pub of: String,
    /// The new profile.
    pub new: Profile,
}

/// Replaces a profile, unless it has changed since it was read. Returns whether anything changed.
pub async fn update(app: &App, by: &Confirmed, id: UserId, edit: Edit) -> Result<bool, ManageError> {
    let actor = by.actor().clone();
    app.write(move |tx| {
        let (user, is_last) = lock(tx, id, !(edit.new.is_superuser && edit.new.is_active))?;
        let old = Profile::from(&user);
        if fingerprint(&old) != edit.of {
            return Err(ManageError::Stale);
        }
        let new = manage::named(&tx.app.users, normalize(&old, &edit.new));
        manage::refuse(manage::faults(&tx.app.users, Origin::New, Some(&old), &new))?;
        protect(&actor, &user, is_last, &new)?;
        manage::refuse_taken(tx, Some((id, &old)), &new)?;
        let mut changes = differences(&old, &new);
        if !tx.app.users.has_names() {
            changes.remove("username");
        }
        if changes.is_empty() {
            return Ok(false);
        }
        if old.is_active && !new.is_active {
            endings::apply(tx, Ending::Deactivation, (id, &actor.name), &Kept::default())?;
        }
        if old.email != new.email {
            endings::apply(tx, Ending::EmailChange, (id, &actor.name), &Kept::default())?;
            notice::email_changed(tx, &user, &new.email, &actor)?;
        }
        tx.app.users.update_profile(tx.conn, id, &new).map_err(manage::name_taken)?;
        let detail = json!({ "changes": changes });
        AuditEntry::new(Action::UserChange, &actor).about(id, &new.username).detail(detail).write(tx)?;
        Ok(true)
    })
    .await
}

/// Sets a password, or makes it unusable.
pub async fn set_password(app: &App, by: &Confirmed, id: UserId, password: NewPassword) -> Result<(), ManageError> {
    let user = app.read(move |tx| tx.app.users.find(tx.conn, id)).await?.ok_or(ManageError::NoSuchUser)?;
    let encoded = manage::encode(app, &Owner::find(app, &user).await?, password).await?;
    store(app, by, id, (encoded, Kept::default())).await
}

impl Kept {
    /// Keeps the panel session of this key.
    pub fn panel_session(key: &str) -> Self {
        Self { panel_session: Some(admin_session::key_hash(key)), ..Self::default() }
    }

    /// Keeps this session of the API, if it is known.
    pub fn session(id: Option<String>) -> Self {
        Self { session: id, ..Self::default() }
    }
}

/// The new password that users choose for themselves, and the sessions that they keep.
pub struct OwnPassword {
    /// The password.
    pub password: NewPassword,
    /// The sessions that do not end.
    pub kept: Kept,
}

/// Sets the password of the current user. Returns the user with the new password.
pub async fn set_own_password(app: &App, by: &Confirmed, user: &User, new: OwnPassword) -> Result<User, ManageError> {
    let encoded = manage::encode(app, &Owner::find(app, user).await?, new.password).await?;
    let changed = User { password: encoded.clone(), ..user.clone() };
    store(app, by, user.id, (encoded, new.kept)).await?;
    Ok(changed)
}

async fn store(
    app: &App,
    by: &Confirmed,
    id: UserId,
    (encoded, kept): (EncodedPassword, Kept),
) -> Result<(), ManageError> {
    let change =
        Change { id, action: Action::UserSetPassword, ending: Some(Ending::PasswordChange), kept, loses: None };
    let actor = by.actor().clone();
    change
        .make(app, by, move |tx, user| {
            notice::password_changed(tx, user, &actor)?;
            tx.app.users.update_password(tx.conn, user.id, (None, &encoded)).map(drop)
        })
        .await
}

/// Activates or deactivates.
///
/// # Errors
/// `Protected` also where the user table does not say who is active.
pub async fn set_active(app: &App, by: &Confirmed, id: UserId, active: bool) -> Result<(), ManageError> {
    if !app.users.has(UserField::IsActive) {
        let message = format!("The table {} has no column is_active.", app.users.name.name);
        return Err(ManageError::Protected(FieldError { field: "is_active", message }));
    }
    let kept = Kept::default();
    let change = if active {
        Change { id, action: Action::UserActivate, ending: None, kept, loses: None }
    } else {
        let loses = Some(("is_active", OWN_RIGHT));
        Change { id, action: Action::UserDeactivate, ending: Some(Ending::Deactivation), kept, loses }
    };
    change.make(app, by, move |tx, user| tx.app.users.update_active(tx.conn, user.id, active).map(drop)).await
}

/// Makes a user a superuser, or takes that right away.
pub async fn set_superuser(app: &App, by: &Confirmed, id: UserId, is_superuser: bool) -> Result<bool, ManageError> {
    let user = app.read(move |tx| tx.app.users.find(tx.conn, id)).await?.ok_or(ManageError::NoSuchUser)?;
    let old = Profile::from(&user);
    // Django's admin is for staff alone.
    let new = Profile { is_superuser, is_staff: is_superuser || old.is_staff, ..old.clone() };
    update(app, by, id, Edit { of: fingerprint(&old), new }).await
}

/// Deletes a user as Django does: the outstanding tokens stay, blacklisted and without an owner.
pub async fn delete(app: &App, by: &Confirmed, id: UserId) -> Result<(), ManageError> {
    let loses = Some(("user", ONESELF));
    let (ending, kept) = (Some(Ending::Deletion), Kept::default());
    let change = Change { id, action: Action::UserDelete, ending, kept, loses };
    change
        .make(app, by, |tx, user| {
            outstanding_tokens::update_owner_to_none(tx.conn, user.id)?;
            tx.app.users.delete(tx.conn, user.id).map(drop)
        })
        .await
}

/// A change other than one of the profile.
struct Change {
    id: UserId,
    action: Action,
    ending: Option<Ending>,
    kept: Kept,
    /// Set if the change takes all rights away: the field of the error, and its text where users do it to themselves.
    loses: Option<(&'static str, &'static str)>,
}

impl Change {
    /// Locks the user, checks the protections, applies the ending, makes the change and writes the audit entry.
    async fn make(
        self,
        app: &App,
        by: &Confirmed,
        apply: impl Fn(&mut Tx<'_>, &User) -> Result<(), DbError> + Send + 'static,
    ) -> Result<(), ManageError> {
        let (by, actor) = (by.clone(), by.actor().clone());
        app.write(move |tx| {
            let (user, is_last) = lock(tx, self.id, self.loses.is_some())?;
            if !by.still_holds(tx, &user)? {
                return Err(ManageError::Stale);
            }
            if let Some((field, to_oneself)) = self.loses {
                refuse(field, is_last, to_oneself, actor.user_id == Some(self.id))?;
            }
            if let Some(ending) = self.ending {
                endings::apply(tx, ending, (self.id, &actor.name), &self.kept)?;
            }
            apply(tx, &user)?;
            AuditEntry::new(self.action, &actor).about_user(&user).write(tx)?;
            Ok(())
        })
        .await
    }
}

/// Locks a user. With `may_lose`, also tells whether this is the last active superuser: then all superusers are locked
/// first, in a fixed order, so that of two who demote each other the second waits and finds itself the last.
fn lock(tx: &mut Tx<'_>, id: UserId, may_lose: bool) -> Result<(User, bool), ManageError> {
    let superusers = if may_lose { tx.app.users.lock_superusers(tx.conn)? } else { Vec::new() };
    let user = tx.app.users.lock(tx.conn, &UserRef::Id(id), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
    Ok((user, superusers == [id]))
}

/// Refuses to take rights away from the actor, or from the last superuser.
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

/// Normalises as Django does, but leaves unchanged fields alone.
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
