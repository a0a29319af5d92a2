//! A forgotten password: a link to whoever has the account's address (`request`, or `send` by a superuser), and the new
//! password that is chosen with it (`confirm`). Then every login ends, of the API and of the panel. Links are in `link`.

use std::sync::Arc;

use secrecy::SecretString;
use unicode_normalization::UnicodeNormalization;

use super::confirm::Confirmed;
use super::events::{self, Event};
use super::link::{self, Came, LinkError, Purpose};
use super::manage::{self, ManageError, NewPassword};
use super::policy::Owner;
use super::user::FieldError;
use super::{Actor, Client, audit, device, notice, throttle};
use crate::app::App;
use crate::db::types::UserId;
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_admin_session, latchkey_device, latchkey_user};
use crate::mail::Outgoing;
use crate::mail::letter::Letter;
use crate::tokens::record::Reason;
use crate::tokens::sessions;

/// Mail goes to so many accounts with one address, and so many are looked at.
const MOST: usize = 5;
const LOOKED_AT: i64 = 20;

/// Mails a link to the active users with this address who have a password. The answer and its time are the same whoever
/// has it; nothing is hashed.
pub async fn request(app: &Arc<App>, email: &str, client: &Client, came: Came) -> Result<(), LinkError> {
    // Asking counts, however it ends.
    let _counted = link::count(app, throttle::MAIL_ASKED, client).await?;
    let email = email.trim().to_owned();
    let wanted = if email.contains('\0') { String::new() } else { email };
    let (named, address) = (wanted.clone(), wanted.clone());
    let found = app.db.read(move |conn| users::list_by_address(conn, &named, LOOKED_AT)).await?;
    let found = found.into_iter().filter(move |user| is_same(&user.email, &wanted) && !user.email.is_empty());
    let users: Vec<_> = found.take(MOST).map(|user| user.id).collect();
    let (shared, client) = (Arc::clone(app), client.clone());
    link::aside(app, came, async move {
        // Once for the address, however many accounts have it: each of them gets its link.
        let app = Arc::clone(&shared);
        let is_allowed = !users.is_empty() && shared.db.write(move |conn| link::may_mail(&app, conn, &address)).await?;
        for id in users.into_iter().filter(|_| is_allowed) {
            let (app, client) = (Arc::clone(&shared), client.clone());
            shared.db.write(move |conn| mail_to(&app, conn, id, &client)).await?;
        }
        Ok(())
    })
    .await;
    Ok(())
}

/// As Django compares: what looks alike to a database need not be the same address.
fn is_same(a: &str, b: &str) -> bool {
    let folded = |text: &str| text.nfkc().collect::<String>().to_lowercase();
    folded(a) == folded(b)
}

fn mail_to(app: &App, conn: &mut Conn, id: UserId, client: &Client) -> Result<(), DbError> {
    let Some(user) = users::lock(conn, &UserRef::Id(id), Intent::Revoke)?.filter(|user| user.is_active) else {
        return Ok(());
    };
    let letter = |expires_at| Letter::PasswordReset {
        username: user.username.clone(),
        ip: client.address(),
        sent_by: None,
        expires_at,
    };
    enqueue(app, conn, &user, &throttle::network(client), letter)?;
    audit::write(conn, app.now(), &Actor::somebody(client), "user.reset_request", Some(id), &user.username)
}

fn enqueue(
    app: &App,
    conn: &mut Conn,
    user: &User,
    network: &str,
    letter: impl FnOnce(i64) -> Letter,
) -> Result<(), DbError> {
    let (token, expires_at) = link::make(app, conn, Purpose::PasswordReset, user, &user.email, network)?;
    let letter = letter(expires_at.timestamp());
    let (to, secret) = (user.email.as_str(), Some(&token));
    let mail = Outgoing { to, user: Some(user.id), letter: &letter, secret, give_up_at: Some(expires_at) };
    app.mailer.enqueue(conn, app.now(), &mail)
}

const NO_ADDRESS: &str = "This user has no email address that a link could be sent to.";
const INACTIVE: &str = "This user is inactive: a link would not work.";

/// A superuser mails a link to a user, who need not have had a password yet. Answers the address.
pub async fn send(app: &Arc<App>, by: &Confirmed, id: UserId) -> Result<String, ManageError> {
    let (shared, actor) = (Arc::clone(app), by.actor().clone());
    let sent = app.db.write(move |conn| {
        let app = &*shared;
        let user = users::lock(conn, &UserRef::Id(id), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
        if let Some(message) = why_not(&user) {
            let fault = FieldError { field: "email", message: message.to_owned() };
            return Err(ManageError::Protected(fault));
        }
        let letter = |expires_at| Letter::PasswordReset {
            username: user.username.clone(),
            ip: None,
            sent_by: Some(actor.name.clone()),
            expires_at,
        };
        enqueue(app, conn, &user, "", letter)?;
        audit::write(conn, app.now(), &actor, "user.reset_link", Some(id), &user.username)?;
        Ok(user.email)
    });
    let address = sent.await?;
    app.mailer.ring();
    Ok(address)
}

/// Why no link can be sent to a user, if so.
pub fn why_not(user: &User) -> Option<&'static str> {
    if user.email.is_empty() { Some(NO_ADDRESS) } else { (!user.is_active).then_some(INACTIVE) }
}

/// Whose password a token could change. Burns nothing.
pub async fn look(app: &Arc<App>, token: &SecretString) -> Result<User, LinkError> {
    let (shared, token) = (Arc::clone(app), token.clone());
    let found = app.db.read(move |conn| link::find(&shared, conn, Purpose::PasswordReset, &token)).await?;
    found.map(|(_, user)| user).ok_or(LinkError::Invalid)
}

/// Sets the password with the token of a link. A bad password does not use it up.
pub async fn confirm(
    app: &Arc<App>,
    token: SecretString,
    password: SecretString,
    client: &Client,
) -> Result<User, LinkError> {
    link::guarded(app, client, reset(app, token, password, client.clone())).await
}

async fn reset(app: &Arc<App>, token: SecretString, password: SecretString, client: Client) -> Result<User, LinkError> {
    let user = look(app, &token).await?;
    let encoded = manage::encode(app, &Owner::find(app, &user).await?, NewPassword::Plain(password)).await?;
    let shared = Arc::clone(app);
    let user = app.db.write(move |conn| {
        let (app, now) = (&*shared, shared.now());
        let (link, user) = link::take(app, conn, Purpose::PasswordReset, &token)?;
        let actor = Actor::user(&user, &client);
        latchkey_admin_session::delete_of(conn, user.id, None)?;
        sessions::end_all(conn, user.id, None, (Reason::PasswordReset, &user.username), now)?;
        users::update_password(conn, user.id, None, &encoded)?;
        link::forget(conn, user.id)?;
        // Who has the link has the mail.
        latchkey_user::upsert_confirmed(conn, user.id, &manage::new_uuid(), (&link.email, now))?;
        // Whoever knew the old password is a stranger again, wherever they used it.
        latchkey_device::delete_of(conn, user.id)?;
        device::remember(conn, &user, &client, now)?;
        audit::write(conn, now, &actor, "user.reset_password", Some(user.id), &user.username)?;
        events::count(conn, now, &[Event::PasswordReset])?;
        notice::password_changed(app, conn, &user, &actor)?;
        Ok::<_, LinkError>(user)
    });
    let user = user.await?;
    app.mailer.ring();
    Ok(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_only_look_alike_are_not_the_same() {
        assert!(is_same("Ann@Example.com", "ann@example.COM"));
        for other in ["mıke@example.org", "mike@exаmple.org", "mike@example.org "] {
            assert!(!is_same("mike@example.org", other), "{other}");
        }
    }
}
