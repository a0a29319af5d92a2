//! Another address: it becomes the user's when somebody who gets mail there says so, and whoever has the old one is told.
//! The same confirms an address that is the user's already. Links are in `link`.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;

use super::confirm::Confirmed;
use super::link::{self, Came, LinkError, Purpose};
use super::manage::{self, ManageError};
use super::user::{normalize_email, validate_email};
use super::{Actor, Client, audit, notice, throttle};
use crate::app::App;
use crate::db::types::{Instant, UserId};
use crate::db::users::profile::Profile;
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_user};
use crate::mail::Outgoing;
use crate::mail::letter::Letter;

/// Mails a link to the address that is to be the user's. Where somebody else has it nothing is sent, and the answer is
/// the same, also in time.
pub async fn request(
    app: &Arc<App>,
    by: &Confirmed,
    user: UserId,
    email: &str,
    client: &Client,
    came: Came,
) -> Result<(), LinkError> {
    let email = normalize_email(email.trim());
    if let Some(fault) = validate_email(&email, true) {
        return Err(LinkError::Fields(vec![fault]));
    }
    // Asking counts, however it ends.
    let _counted = link::count(app, throttle::MAIL_ASKED, client).await?;
    let (shared, by) = (Arc::clone(app), by.clone());
    link::aside(app, came, async move {
        let app = Arc::clone(&shared);
        shared.db.write(move |conn| mail_to(&app, conn, user, &email, &by)).await
    })
    .await;
    Ok(())
}

fn mail_to(app: &App, conn: &mut Conn, id: UserId, email: &str, by: &Confirmed) -> Result<(), DbError> {
    let found = users::lock(conn, &UserRef::Id(id), Intent::Revoke)?;
    let Some(user) = found.filter(|user| user.is_active) else { return Ok(()) };
    if !by.still_holds(conn, app.now(), &user)? {
        return Ok(());
    }
    // Whatever becomes of this one: whether an older link lives on must not tell whether the address is taken.
    link::forget_for(conn, Purpose::EmailChange, id)?;
    // Nobody keeps somebody else's mail from coming by asking for it first.
    if is_taken(conn, &user, email)? || !link::may_mail(app, conn, &format!("{email} {id}"))? {
        return Ok(());
    }
    let (token, expires_at) = link::make(app, conn, Purpose::EmailChange, &user, email, "")?;
    let letter = Letter::EmailConfirm { username: user.username.clone(), expires_at: expires_at.timestamp() };
    let (user_id, secret) = (Some(id), Some(&token));
    let mail = Outgoing { to: email, user: user_id, letter: &letter, secret, give_up_at: Some(expires_at) };
    app.mailer.enqueue(conn, app.now(), &mail)?;
    let detail = json!({"email": email});
    audit::write_with(conn, app.now(), by.actor(), "user.email_request", user_id, &user.username, &detail)
}

/// Whether somebody else has the address, or is called so.
fn is_taken(conn: &mut Conn, user: &User, email: &str) -> Result<bool, DbError> {
    let old = Profile::from(user);
    let new = Profile { email: email.to_owned(), ..old.clone() };
    match manage::refuse_taken(conn, Some((user.id, &old)), &new) {
        Ok(()) => Ok(false),
        Err(ManageError::Db(error)) => Err(error),
        Err(_) => Ok(true),
    }
}

/// When the user has shown their present address to be theirs, if they have.
pub fn confirmed_at(conn: &mut Conn, user: &User) -> Result<Option<Instant>, DbError> {
    let confirmed = latchkey_user::find_confirmed(conn, user.id)?;
    Ok(confirmed.filter(|(email, _)| *email == user.email).map(|(_, at)| at))
}

/// What a token would do: the user, and the address that it is for. Burns nothing.
pub async fn look(app: &Arc<App>, token: &SecretString) -> Result<(User, String), LinkError> {
    let (shared, token) = (Arc::clone(app), token.clone());
    let found = app.db.read(move |conn| link::find(&shared, conn, Purpose::EmailChange, &token)).await?;
    found.map(|(link, user)| (user, link.email)).ok_or(LinkError::Invalid)
}

/// Makes the address of a link the user's, confirmed. Answers it.
pub async fn confirm(app: &Arc<App>, token: SecretString, client: &Client) -> Result<String, LinkError> {
    let (shared, from) = (Arc::clone(app), client.clone());
    let work = async { app.db.write(move |conn| change(&shared, conn, &token, &from)).await };
    let address = link::guarded(app, client, work).await?;
    app.mailer.ring();
    Ok(address)
}

fn change(app: &App, conn: &mut Conn, token: &SecretString, client: &Client) -> Result<String, LinkError> {
    let now = app.now();
    let (link, user) = link::take(app, conn, Purpose::EmailChange, token)?;
    if is_taken(conn, &user, &link.email)? {
        return Err(LinkError::Invalid);
    }
    let actor = Actor::user(&user, client);
    if user.email == link.email {
        audit::write(conn, now, &actor, "user.email_confirm", Some(user.id), &user.username)?;
    } else {
        users::update_email(conn, user.id, &link.email)?;
        link::forget(conn, user.id)?;
        notice::email_changed(app, conn, &user, &link.email, &actor)?;
        let detail = json!({"changes": {"email": [user.email, link.email]}});
        audit::write_with(conn, now, &actor, "user.email_confirm", Some(user.id), &user.username, &detail)?;
    }
    latchkey_user::upsert_confirmed(conn, user.id, &manage::new_uuid(), (&link.email, now))?;
    Ok(link.email)
}
