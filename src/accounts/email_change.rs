//! Changes a user's address once the new one is confirmed by a link, and notifies the old one. The same link confirms
//! an address that the user already has. Links are in `link`.

use secrecy::SecretString;
use serde_json::json;

use super::confirm::Confirmed;
use super::endings::{self, Ending, Kept};
use super::link::{self, Destination, LinkError, ReceivedAt};
use super::manage::{self, ManageError};
use super::notice;
use super::user::{normalize_email, validate_email};
use crate::app::{App, Tx};
use crate::db::types::{Instant, UserId};
use crate::db::users::profile::Profile;
use crate::db::users::{Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_user};
use crate::guard::throttle;
use crate::guard::ticket::LinkPurpose;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::{Actor, Client};
use crate::mail::Outgoing;
use crate::mail::letter::Letter;

/// Mails a link to the new address. If another user has it, no mail is sent; the answer and its time are the same.
pub async fn request(
    app: &App,
    by: &Confirmed,
    email: &str,
    (client, received): (&Client, ReceivedAt),
) -> Result<(), LinkError> {
    let Some(user) = by.actor().user_id else { return Err(LinkError::Invalid) };
    let email = normalize_email(email.trim());
    if let Some(fault) = validate_email(&email, true) {
        return Err(LinkError::Fields(vec![fault]));
    }
    // A request counts, whatever its outcome.
    let _counted = link::count(app, throttle::MAIL_ASKED, client).await?;
    let (by, inner) = (by.clone(), app.clone());
    link::run_padded(app, received, async move { inner.write(move |tx| mail_to(tx, user, &email, &by)).await }).await;
    Ok(())
}

fn mail_to(tx: &mut Tx<'_>, id: UserId, email: &str, by: &Confirmed) -> Result<(), DbError> {
    let found = tx.app.users.lock(tx.conn, &UserRef::Id(id), Intent::Revoke)?;
    let Some(user) = found.filter(User::may_log_in) else { return Ok(()) };
    if !by.still_holds(tx, &user)? {
        return Ok(());
    }
    // Before anything is decided: whether an older link still works must not tell whether the address is taken.
    link::forget_for(tx.conn, LinkPurpose::EmailChange, id)?;
    // The limit is per user: asking for mail to an address does not block the mail of its owner.
    if is_taken(tx, &user, email)? || !link::may_mail(tx, &format!("{email} {id}"))? {
        return Ok(());
    }
    let (token, expires_at) =
        link::make(tx, LinkPurpose::EmailChange, &user, Destination { email, network: String::new() })?;
    let letter = Letter::EmailConfirm { username: user.username.clone(), expires_at: expires_at.timestamp() };
    let (user_id, secret) = (Some(id), Some(&token));
    let mail = Outgoing { to: email, user: user_id, letter: &letter, secret, give_up_at: Some(expires_at) };
    tx.send(&mail)?;
    let detail = json!({"email": email});
    AuditEntry::new(Action::UserEmailRequest, by.actor()).about(user_id, &user.username).detail(detail).write(tx)
}

/// Whether another user has this address, or has it as their username.
fn is_taken(tx: &mut Tx<'_>, user: &User, email: &str) -> Result<bool, DbError> {
    let old = Profile::from(user);
    let new = Profile { email: email.to_owned(), ..old.clone() };
    match manage::refuse_taken(tx, Some((user.id, &old)), &new) {
        Ok(()) => Ok(false),
        Err(ManageError::Db(error)) => Err(error),
        Err(_) => Ok(true),
    }
}

/// When the user confirmed their current address, if they have.
pub fn confirmed_at(conn: &mut Conn, user: &User) -> Result<Option<Instant>, DbError> {
    let confirmed = latchkey_user::find_confirmed(conn, user.id)?;
    Ok(confirmed.filter(|(email, _)| *email == user.email).map(|(_, at)| at))
}

/// Returns the user and the address that a token is for. Does not use it up.
pub async fn look(app: &App, token: &SecretString) -> Result<(User, String), LinkError> {
    let token = token.clone();
    let found = app.read(move |tx| link::find(tx, LinkPurpose::EmailChange, &token)).await?;
    found.map(|(link, user)| (user, link.email)).ok_or(LinkError::Invalid)
}

/// Changes the user's address to that of a link, confirmed. Returns it.
pub async fn confirm(app: &App, token: SecretString, client: &Client) -> Result<String, LinkError> {
    let from = client.clone();
    let work = async { app.write(move |tx| change(tx, &token, &from)).await };
    let address = link::guarded(app, client, work).await?;
    Ok(address)
}

fn change(tx: &mut Tx<'_>, token: &SecretString, client: &Client) -> Result<String, LinkError> {
    let now = tx.now;
    let (link, user) = link::take(tx, LinkPurpose::EmailChange, token)?;
    if is_taken(tx, &user, &link.email)? {
        return Err(LinkError::Invalid);
    }
    let actor = Actor::user(&user, client);
    if user.email == link.email {
        AuditEntry::new(Action::UserEmailConfirm, &actor).about_user(&user).write(tx)?;
    } else {
        tx.app.users.update_email(tx.conn, user.id, &link.email)?;
        endings::apply(tx, Ending::EmailChange, (user.id, &user.username), &Kept::default())?;
        notice::email_changed(tx, &user, &link.email, &actor)?;
        let detail = json!({"changes": {"email": [user.email, link.email]}});
        AuditEntry::new(Action::UserEmailConfirm, &actor).about_user(&user).detail(detail).write(tx)?;
    }
    latchkey_user::upsert_confirmed(tx.conn, user.id, &manage::new_uuid(), (&link.email, now))?;
    Ok(link.email)
}
