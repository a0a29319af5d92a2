//! One user on the command line: how it is named and shown, and what a command prints after it has changed it.

use serde::Serialize;

use crate::accounts::change;
use crate::accounts::confirm::Confirmed;
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::text::plain;
use crate::cli::{open, output};
use crate::db;
use crate::db::types::{Instant, UserId};
use crate::db::users::User;

/// The user named on the command line, by username or by key as `id:7` (usernames have no colon).
pub async fn find(app: &App, name: &str) -> Result<User, Failure> {
    let named = name.to_owned();
    let user = app.read(move |tx| match named.strip_prefix("id:").map(|id| tx.app.users.parse_key(id)) {
        Some(Some(id)) => tx.app.users.find(tx.conn, id),
        Some(None) => Ok(None),
        None => tx.app.users.find_by_name(tx.conn, &named),
    });
    user.await?.ok_or_else(|| {
        Failure::say(format!("user '{}' does not exist; 'latchkey users list' shows all users", plain(name)))
    })
}

/// A user as JSON, without the password.
#[derive(Serialize)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct UserView {
    pub id: UserId,
    /// Our own random id; null until Latchkey first needs it.
    pub uuid: Option<String>,
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub date_joined: Option<String>,
    pub last_login: Option<String>,
}

impl UserView {
    /// The row of a user, with our id.
    pub fn new(user: User, uuid: Option<String>) -> Self {
        Self {
            id: user.id,
            uuid,
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            date_joined: user.date_joined.map(Instant::iso),
            last_login: user.last_login.map(Instant::iso),
        }
    }
}

/// The user as in the database now.
pub async fn shown(app: &App, id: UserId) -> Result<UserView, Failure> {
    let found = app.read(move |tx| match tx.app.users.find(tx.conn, id)? {
        Some(user) => Ok(Some((user, db::latchkey_user::find_uuid(tx.conn, id)?))),
        None => Ok::<_, db::DbError>(None),
    });
    let (user, uuid) = found.await?.ok_or_else(|| Failure::say("The user has been deleted in the meantime."))?;
    Ok(UserView::new(user, uuid))
}

/// Reports what was done to a user: a sentence, or the user as JSON.
pub async fn answer(app: &App, id: UserId, json: bool, sentence: &str) -> Result<(), Failure> {
    if json { output::json(&shown(app, id).await?) } else { output::say(sentence) }
}

/// `users activate` and `users deactivate`.
pub async fn set_active(name: &str, active: bool, json: bool) -> Result<(), Failure> {
    let app = open::app().await?;
    let user = find(&app, name).await?;
    let name = plain(&user.username).into_owned();
    let word = if active { "active" } else { "inactive" };
    if user.is_active == active {
        return answer(&app, user.id, json, &format!("User '{name}' is already {word}.")).await;
    }
    change::set_active(&app, &Confirmed::command_line(), user.id, active).await?;
    answer(&app, user.id, json, &format!("User '{name}' is now {word}.")).await
}

/// `users promote` and `users demote`.
pub async fn set_superuser(name: &str, is_superuser: bool, json: bool) -> Result<(), Failure> {
    let app = open::app().await?;
    let user = find(&app, name).await?;
    let name = plain(&user.username).into_owned();
    let changed = change::set_superuser(&app, &Confirmed::command_line(), user.id, is_superuser).await?;
    let sentence = match (changed, is_superuser) {
        (true, true) => format!("User '{name}' is now a superuser."),
        (true, false) => format!("User '{name}' is no longer a superuser."),
        (false, true) => format!("User '{name}' is already a superuser."),
        (false, false) => format!("User '{name}' is not a superuser."),
    };
    answer(&app, user.id, json, &sentence).await
}
