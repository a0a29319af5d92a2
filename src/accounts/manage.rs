//! Creates accounts, with the rules for their fields and the errors of creating and changing them. Bulk loading is in
//! `load`, changes to existing accounts are in `change`.

use secrecy::SecretString;

use super::confirm::Confirmed;
use super::policy::{self, Owner};
use super::user::{self, FieldError, normalize_email, normalize_username};
use crate::app::{App, Tx};
use crate::config::UserField;
use crate::crypto::password::Busy;
use crate::crypto::random;
use crate::db::types::{EncodedPassword, UserId};
use crate::db::user_table::UserTable;
use crate::db::users::User;
use crate::db::users::profile::Profile;
use crate::db::users::write::NewRow;
use crate::db::{DbError, latchkey_user};
use crate::journal::Actor;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::events::{self, Event};

/// A user to create.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct NewUser {
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub password: NewPassword,
    pub origin: Origin,
}

/// Where a new user comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    /// Created in Latchkey: the name follows the rules of Django's forms.
    #[default]
    New,
    /// Imported from another database: any name is accepted, as Django's `create_user` does.
    Imported,
}

/// How the password of a new user is given.
#[derive(Debug, Clone, Default)]
pub enum NewPassword {
    /// No usable password (Django's `!…`), until one is set.
    #[default]
    Unusable,
    /// As typed. It has to follow the rules, and is hashed here.
    Plain(SecretString),
    /// The same, but an operator at the command line overrode the rules.
    Unruled(SecretString),
    /// Already encoded in one of Django's formats.
    Encoded(EncodedPassword),
}

/// Why an account was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// The input is invalid; every error is listed.
    #[error("{}", .0.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldError>),
    /// The users would lock themselves out, or no active superuser would be left.
    #[error("{}", .0.message)]
    Protected(FieldError),
    /// The account was changed in the meantime.
    #[error("the user was changed in the meantime")]
    Stale,
    /// The user table takes no new users from here.
    #[error("{0}")]
    NoCreation(String),
    /// There is no such user.
    #[error("no such user")]
    NoSuchUser,
    /// Another table refers to the user.
    #[error("other tables of the database refer to this user; delete it there (Django's admin)")]
    Referenced,
    /// Too many passwords are being hashed already.
    #[error("too many passwords are being hashed at once")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Db(DbError),
}

impl From<DbError> for ManageError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Referenced(_) => Self::Referenced,
            other => Self::Db(other),
        }
    }
}

impl From<Busy> for ManageError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// Creates a user, validated and normalised as Django does. Django's signals do not run.
pub async fn create(app: &App, by: &Confirmed, user: NewUser) -> Result<User, ManageError> {
    let row = prepare(app, user).await?;
    let actor = by.actor().clone();
    app.write(move |tx| insert(tx, &actor, &row)).await
}

/// Whether `create` would accept this user; for a form or a prompt that asks field by field.
pub async fn check(app: &App, user: &NewUser) -> Result<(), ManageError> {
    if let Some(obstacle) = app.users.creation_obstacle() {
        return Err(ManageError::NoCreation(obstacle));
    }
    let profile = named(&app.users, user.profile());
    refuse(all_faults(app, user, &profile))?;
    app.read(move |tx| refuse_taken(tx, None, &profile)).await
}

impl NewUser {
    /// The user as the password rules see them.
    pub fn owner(&self) -> Owner {
        Owner::from(&self.profile())
    }

    /// Everything but the password, normalised.
    fn profile(&self) -> Profile {
        Profile {
            username: normalize_username(&self.username),
            email: normalize_email(&self.email),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            is_active: self.is_active,
            is_staff: self.is_staff,
            is_superuser: self.is_superuser,
        }
    }
}

/// Validates, normalises and hashes: everything that needs no transaction.
pub(super) async fn prepare(app: &App, user: NewUser) -> Result<NewRow, ManageError> {
    if let Some(obstacle) = app.users.creation_obstacle() {
        return Err(ManageError::NoCreation(obstacle));
    }
    let profile = named(&app.users, user.profile());
    refuse(all_faults(app, &user, &profile))?;
    let password = hash(app, user.password).await?;
    Ok(NewRow {
        password,
        is_superuser: profile.is_superuser,
        username: profile.username,
        first_name: profile.first_name,
        last_name: profile.last_name,
        email: profile.email,
        is_staff: profile.is_staff,
        is_active: profile.is_active,
        date_joined: app.now(),
        uuid4: random::uuid4,
    })
}

/// The same profile, whose name is the address where users have no other name.
pub(super) fn named(users: &UserTable, profile: Profile) -> Profile {
    if users.has_names() { profile } else { Profile { username: profile.email.clone(), ..profile } }
}

fn all_faults(app: &App, user: &NewUser, profile: &Profile) -> Vec<FieldError> {
    let mut faults = faults(&app.users, user.origin, None, profile);
    faults.extend(password_faults(app, &Owner::from(profile), &user.password));
    faults
}

/// Checks every rule that needs no query. For an existing user, only fields that change have to follow them.
pub(super) fn faults(users: &UserTable, origin: Origin, old: Option<&Profile>, new: &Profile) -> Vec<FieldError> {
    let email_required = users.is_login_by_email();
    let is_new = |field: fn(&Profile) -> &String| old.is_none_or(|old| field(old) != field(new));
    let username = || match origin {
        Origin::New => user::validate_username(&new.username),
        Origin::Imported => user::validate_existing_username(&new.username),
    };
    let length = |field: UserField, name: &'static str, of: fn(&Profile) -> &String| {
        let limit = users.max_length(field)?;
        if is_new(of) { user::validate_length(name, of(new), limit) } else { None }
    };
    [
        (users.has_names() && is_new(|profile| &profile.username)).then(username),
        is_new(|profile| &profile.email).then(|| user::validate_email(&new.email, email_required)),
        is_new(|profile| &profile.first_name).then(|| user::validate_name("first_name", &new.first_name)),
        is_new(|profile| &profile.last_name).then(|| user::validate_name("last_name", &new.last_name)),
        Some(length(UserField::Username, "username", |profile| &profile.username)),
        Some(length(UserField::Email, "email", |profile| &profile.email)),
        Some(length(UserField::FirstName, "first_name", |profile| &profile.first_name)),
        Some(length(UserField::LastName, "last_name", |profile| &profile.last_name)),
    ]
    .into_iter()
    .flatten()
    .flatten()
    .collect()
}

/// Refuses with all of these errors, if there are any.
pub(super) fn refuse(faults: Vec<FieldError>) -> Result<(), ManageError> {
    if faults.is_empty() { Ok(()) } else { Err(ManageError::Fields(faults)) }
}

/// The errors of a new password. One that is already encoded cannot be checked.
fn password_faults(app: &App, owner: &Owner, password: &NewPassword) -> Vec<FieldError> {
    match password {
        NewPassword::Plain(password) => policy::faults(&app.config, owner, password),
        NewPassword::Unruled(password) => policy::unusable(password).into_iter().map(FieldError::from).collect(),
        NewPassword::Unusable | NewPassword::Encoded(_) => Vec::new(),
    }
}

/// Encodes a password for storage. Hashes on the pool.
pub(super) async fn encode(app: &App, owner: &Owner, password: NewPassword) -> Result<EncodedPassword, ManageError> {
    refuse(password_faults(app, owner, &password))?;
    hash(app, password).await
}

async fn hash(app: &App, password: NewPassword) -> Result<EncodedPassword, ManageError> {
    Ok(match password {
        NewPassword::Unusable => EncodedPassword(format!("!{}", random::hex(&random::bytes::<20>()))),
        NewPassword::Plain(password) | NewPassword::Unruled(password) => {
            EncodedPassword(app.passwords.hash(password).await?)
        }
        NewPassword::Encoded(encoded) => encoded,
    })
}

/// Inserts a prepared user; a name or address that is taken is a field error in Django's words.
pub(super) fn insert(tx: &mut Tx<'_>, actor: &Actor, row: &NewRow) -> Result<User, ManageError> {
    let names = Profile { username: row.username.clone(), email: row.email.clone(), ..Profile::default() };
    refuse_taken(tx, None, &names)?;
    let user = tx.app.users.insert(tx.conn, row).map_err(name_taken)?;
    latchkey_user::insert(tx.conn, user.id, &new_uuid())?;
    AuditEntry::new(Action::UserCreate, actor).about_user(&user).write(tx)?;
    events::count(tx, &[Event::UserCreated])?;
    Ok(user)
}

const SAME_NAME: &str = "A user with that username already exists.";

fn taken(field: &'static str, message: &str) -> ManageError {
    ManageError::Fields(vec![FieldError { field, message: message.to_owned() }])
}

/// Turns a unique violation into a field error: a concurrent transaction took the name.
pub(super) fn name_taken(error: DbError) -> ManageError {
    if let DbError::Unique(_) = error { taken("username", SAME_NAME) } else { error.into() }
}

/// Refuses a name that is taken, an address that is taken in any case, and a name that is another user's address: a
/// login must name one user. Of an existing user (`old`), only the fields that change are checked.
pub(super) fn refuse_taken(tx: &mut Tx<'_>, old: Option<(UserId, &Profile)>, new: &Profile) -> Result<(), ManageError> {
    let (users, (own, old)) = (&tx.app.users, old.unzip());
    let (username, email) = (&new.username, &new.email);
    if users.has_names() && old.is_none_or(|old| old.username != *username) {
        if users.find_by_name(tx.conn, username)?.is_some_and(|user| Some(user.id) != own) {
            return Err(taken("username", SAME_NAME));
        }
        if users.has_address(tx.conn, username, own)? {
            return Err(taken("username", "This is another user's email address."));
        }
    }
    let is_new = !email.is_empty() && old.is_none_or(|old| old.email != *email);
    if is_new && (users.has_address(tx.conn, email, own)? || users.has_name(tx.conn, email, own)?) {
        return Err(taken("email", "A user with that email address already exists."));
    }
    Ok(())
}

/// Returns a random id (RFC 9562, version 4) as text.
pub(crate) fn new_uuid() -> String {
    uuid::Builder::from_random_bytes(random::bytes()).into_uuid().hyphenated().to_string()
}
