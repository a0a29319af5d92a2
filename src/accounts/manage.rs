//! Every change to an account: create, change password, activate, deactivate, delete. Each is one transaction and one
//! line of the audit log. Loading many is in `load`.

use secrecy::{ExposeSecret, SecretString};

use super::events::{self, Event};
use super::user::{self, FieldError, normalize_email, normalize_username};
use super::{Actor, audit};
use crate::app::App;
use crate::config::UsernameField;
use crate::crypto::password::Busy;
use crate::crypto::random;
use crate::db::types::{EncodedPassword, Instant, UserId};
use crate::db::users::{self, Intent, NewRow, User, UserRef};
use crate::db::{Conn, DbError, latchkey_admin_session, latchkey_user, outstanding_tokens};
use crate::tokens::record::Reason;
use crate::tokens::sessions;

/// A user to be made.
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
    /// Made here and now: the name follows the rules of Django's forms.
    #[default]
    New,
    /// Brought along from another database: the name is taken as it is, as Django's `create_user` does.
    Imported,
}

/// How the password of a new user is given.
#[derive(Debug, Clone, Default)]
pub enum NewPassword {
    /// None can be used until one is set (Django's `!…`).
    #[default]
    Unusable,
    /// As typed; it is hashed here.
    Plain(SecretString),
    /// Already encoded in one of Django's formats.
    Encoded(EncodedPassword),
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// The input is not acceptable; every problem is listed.
    #[error("{}", .0.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldError>),
    /// There is no such user.
    #[error("no such user")]
    NoSuchUser,
    /// Another table refers to the user.
    #[error("other tables of the database refer to this user; delete it where they are kept (Django's admin)")]
    Referenced,
    /// Too many passwords are being hashed already.
    #[error("too many passwords are being hashed at once")]
    Busy,
    /// The database did not answer.
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

/// Makes a user, validated and normalised as Django does.
pub async fn create(app: &App, actor: &Actor, user: NewUser) -> Result<User, ManageError> {
    let row = prepare(app, user).await?;
    let (actor, now) = (actor.clone(), app.now());
    app.db.write(move |conn| insert(conn, &actor, now, &row)).await
}

/// Whether `create` would take this user (its password apart); for a form or a prompt that asks field by field.
pub async fn check(app: &App, user: &NewUser) -> Result<(), ManageError> {
    let (username, email) = (normalize_username(&user.username), normalize_email(&user.email));
    validate(app, &username, &email, user)?;
    app.db.read(move |conn| refuse_taken(conn, &username, &email)).await
}

/// Validates, normalises and hashes: everything that needs no transaction.
pub(super) async fn prepare(app: &App, mut user: NewUser) -> Result<NewRow, ManageError> {
    user.username = normalize_username(&user.username);
    user.email = normalize_email(&user.email);
    validate(app, &user.username, &user.email, &user)?;
    let password = match user.password {
        NewPassword::Unusable => EncodedPassword(format!("!{}", random::hex(&random::bytes::<20>()))),
        NewPassword::Plain(password) => EncodedPassword(app.passwords.hash(acceptable(password)?).await?),
        NewPassword::Encoded(encoded) => encoded,
    };
    Ok(NewRow {
        password: password.0,
        is_superuser: user.is_superuser,
        username: user.username,
        first_name: user.first_name,
        last_name: user.last_name,
        email: user.email,
        is_staff: user.is_staff,
        is_active: user.is_active,
        date_joined: app.now(),
    })
}

/// Every rule that needs no look into the database.
fn validate(app: &App, username: &str, email: &str, user: &NewUser) -> Result<(), ManageError> {
    let email_required = app.config.accounts.username_field == UsernameField::Email;
    let problems: Vec<_> = [
        match user.origin {
            Origin::New => user::validate_username(username),
            Origin::Imported => user::validate_existing_username(username),
        },
        user::validate_email(email, email_required),
        user::validate_name("first_name", &user.first_name),
        user::validate_name("last_name", &user.last_name),
    ]
    .into_iter()
    .flatten()
    .collect();
    if problems.is_empty() { Ok(()) } else { Err(ManageError::Fields(problems)) }
}

/// An empty password can never be typed, and an endless one is an attack.
fn acceptable(password: SecretString) -> Result<SecretString, ManageError> {
    let message = match password.expose_secret().len() {
        0 => "This field cannot be blank.",
        4097.. => "Ensure this value has at most 4096 bytes.",
        _ => return Ok(password),
    };
    Err(ManageError::Fields(vec![FieldError { field: "password", message: message.to_owned() }]))
}

/// Inserts a prepared user; a name or address that is taken is a field error in Django's words.
pub(super) fn insert(conn: &mut Conn, actor: &Actor, now: Instant, row: &NewRow) -> Result<User, ManageError> {
    refuse_taken(conn, &row.username, &row.email)?;
    let user = users::insert(conn, row).map_err(|error| match error {
        DbError::Unique(_) => taken("username", SAME_NAME),
        other => other.into(),
    })?;
    latchkey_user::insert(conn, user.id, &new_uuid())?;
    audit::write(conn, now, actor, "user.create", Some(user.id), &user.username)?;
    events::count(conn, now, &[Event::UserCreated])?;
    Ok(user)
}

const SAME_NAME: &str = "A user with that username already exists.";

fn taken(field: &'static str, message: &str) -> ManageError {
    ManageError::Fields(vec![FieldError { field, message: message.to_owned() }])
}

/// No name twice, no address twice in any case, and no name that is another's address: a login must name one user.
fn refuse_taken(conn: &mut Conn, username: &str, email: &str) -> Result<(), ManageError> {
    if users::find_by_username(conn, username)?.is_some() {
        return Err(taken("username", SAME_NAME));
    }
    if users::has_address(conn, username)? {
        return Err(taken("username", "This is another user's email address."));
    }
    if !email.is_empty() && (users::has_address(conn, email)? || users::has_name(conn, email)?) {
        return Err(taken("email", "A user with that email address already exists."));
    }
    Ok(())
}

/// A random id (RFC 9562, version 4), as text.
pub(crate) fn new_uuid() -> String {
    uuid::Builder::from_random_bytes(random::bytes()).into_uuid().hyphenated().to_string()
}

/// Sets a password; ends the user's sessions as `END_SESSIONS_ON_USER_CHANGE` says.
pub async fn set_password(app: &App, actor: &Actor, id: UserId, password: SecretString) -> Result<(), ManageError> {
    let encoded = EncodedPassword(app.passwords.hash(acceptable(password)?).await?);
    change(app, actor, id, "user.set_password", Some(Reason::PasswordChange), move |conn, id| {
        users::update_password(conn, id, None, &encoded).map(drop)
    })
    .await
}

/// Activates or deactivates; deactivating ends the user's sessions as `END_SESSIONS_ON_USER_CHANGE` says.
pub async fn set_active(app: &App, actor: &Actor, id: UserId, active: bool) -> Result<(), ManageError> {
    let (action, ends) = if active { ("user.activate", None) } else { ("user.deactivate", Some(Reason::Deactivated)) };
    change(app, actor, id, action, ends, move |conn, id| users::update_active(conn, id, active).map(drop)).await
}

/// Deletes a user as Django does: its outstanding tokens stay, blacklisted, without an owner.
pub async fn delete(app: &App, actor: &Actor, id: UserId) -> Result<(), ManageError> {
    change(app, actor, id, "user.delete", Some(Reason::Deleted), |conn, id| {
        outstanding_tokens::update_owner_to_none(conn, id)?;
        users::delete(conn, id).map(drop)
    })
    .await
}

/// One change of one user: lock, end the sessions where the change ends them, change, note it.
async fn change(
    app: &App,
    actor: &Actor,
    id: UserId,
    action: &'static str,
    ends: Option<Reason>,
    apply: impl Fn(&mut Conn, UserId) -> Result<(), DbError> + Send + 'static,
) -> Result<(), ManageError> {
    let (actor, now) = (actor.clone(), app.now());
    let ends_tokens = app.config.accounts.end_sessions_on_user_change;
    app.db
        .write(move |conn| {
            let user = users::lock(conn, &UserRef::Id(id), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
            if let Some(reason) = ends {
                latchkey_admin_session::delete_of(conn, id)?;
                if ends_tokens {
                    sessions::end_all(conn, id, None, (reason, &actor.name), now)?;
                }
            }
            apply(conn, id)?;
            audit::write(conn, now, &actor, action, Some(id), &user.username)?;
            Ok(())
        })
        .await
}

/// Replaces an outdated hash after a correct login, unless the password was changed meanwhile.
pub(super) async fn rehash(
    app: &App,
    mut user: User,
    password: SecretString,
) -> Result<User, super::login::LoginError> {
    let encoded = EncodedPassword(app.passwords.hash(password).await?);
    let (id, old, new) = (user.id, user.password.clone(), encoded.clone());
    if app.db.write(move |conn| users::update_password(conn, id, Some(&old), &new)).await? {
        user.password = encoded;
    }
    Ok(user)
}
