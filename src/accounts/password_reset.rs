//! Resets forgotten passwords: a link to the account's address (`request`, or `send` by a superuser), and the new
//! password that the user chooses with it (`confirm`). Then all sessions end, of the API and of the panel. Links are in
//! `link`.

use secrecy::SecretString;
use unicode_normalization::UnicodeNormalization;

use super::confirm::Confirmed;
use super::endings::{self, Ending, Kept};
use super::link::{self, Destination, LinkError, ReceivedAt};
use super::manage::{self, ManageError, NewPassword};
use super::notice;
use super::policy::Owner;
use super::user::FieldError;
use crate::app::{App, Tx};
use crate::db::types::UserId;
use crate::db::users::{Intent, User, UserRef};
use crate::db::{DbError, latchkey_user};
use crate::guard::ticket::LinkPurpose;
use crate::guard::{device, throttle};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::events::{self, Event};
use crate::journal::{Actor, Client};
use crate::mail::Outgoing;
use crate::mail::letter::Letter;

/// How many accounts with one address get a mail, and how many are looked at.
const MOST: usize = 5;
const LOOKED_AT: i64 = 20;

/// Mails a link to the active users with this address who have a password. The answer and its time do not depend on
/// whether there are any; nothing is hashed.
pub async fn request(app: &App, email: &str, client: &Client, received: ReceivedAt) -> Result<(), LinkError> {
    // A request counts, whatever its outcome.
    let _counted = link::count(app, throttle::MAIL_ASKED, client).await?;
    let email = email.trim().to_owned();
    let wanted = if email.contains('\0') { String::new() } else { email };
    let (named, address) = (wanted.clone(), wanted.clone());
    let found = app.read(move |tx| tx.app.users.list_by_address(tx.conn, &named, LOOKED_AT)).await?;
    let found = found.into_iter().filter(move |user| is_same(&user.email, &wanted) && !user.email.is_empty());
    let users: Vec<_> = found.take(MOST).map(|user| user.id).collect();
    let (client, inner) = (client.clone(), app.clone());
    link::run_padded(app, received, async move {
        // Counted once for the address: if several accounts have it, each of them gets a link.
        let is_allowed = !users.is_empty() && inner.write(move |tx| link::may_mail(tx, &address)).await?;
        for id in users.into_iter().filter(|_| is_allowed) {
            let client = client.clone();
            inner.write(move |tx| mail_to(tx, id, &client)).await?;
        }
        Ok(())
    })
    .await;
    Ok(())
}

/// Compares as Django does: addresses that are equal to a database need not be the same.
fn is_same(a: &str, b: &str) -> bool {
    let folded = |text: &str| text.nfkc().collect::<String>().to_lowercase();
    folded(a) == folded(b)
}

fn mail_to(tx: &mut Tx<'_>, id: UserId, client: &Client) -> Result<(), DbError> {
    let Some(user) = tx.app.users.lock(tx.conn, &UserRef::Id(id), Intent::Revoke)?.filter(User::may_log_in) else {
        return Ok(());
    };
    let letter = |expires_at| Letter::PasswordReset {
        username: user.username.clone(),
        ip: client.address(),
        sent_by: None,
        expires_at,
    };
    enqueue(tx, &user, client.network(), letter)?;
    AuditEntry::new(Action::UserResetRequest, &Actor::somebody(client)).about(Some(id), &user.username).write(tx)
}

fn enqueue(tx: &mut Tx<'_>, user: &User, network: String, letter: impl FnOnce(i64) -> Letter) -> Result<(), DbError> {
    let to = Destination { email: &user.email, network };
    let (token, expires_at) = link::make(tx, LinkPurpose::PasswordReset, user, to)?;
    let letter = letter(expires_at.timestamp());
    let (to, secret) = (user.email.as_str(), Some(&token));
    let mail = Outgoing { to, user: Some(user.id), letter: &letter, secret, give_up_at: Some(expires_at) };
    tx.send(&mail)
}

const NO_ADDRESS: &str = "This user has no email address to send a link to.";
const INACTIVE: &str = "This user is inactive: a link would not work.";

/// Mails a link to a user on behalf of a superuser; the user may not have a password yet. Returns the address.
pub async fn send(app: &App, by: &Confirmed, id: UserId) -> Result<String, ManageError> {
    let actor = by.actor().clone();
    app.write(move |tx| {
        let user = tx.app.users.lock(tx.conn, &UserRef::Id(id), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
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
        enqueue(tx, &user, String::new(), letter)?;
        AuditEntry::new(Action::UserResetLink, &actor).about(Some(id), &user.username).write(tx)?;
        Ok(user.email)
    })
    .await
}

/// Why a user cannot be sent a link; `None` if they can.
pub fn why_not(user: &User) -> Option<&'static str> {
    if user.email.is_empty() { Some(NO_ADDRESS) } else { (!user.may_log_in()).then_some(INACTIVE) }
}

/// Returns the user whose password a token can change. Does not use it up.
pub async fn look(app: &App, token: &SecretString) -> Result<User, LinkError> {
    let token = token.clone();
    let found = app.read(move |tx| link::find(tx, LinkPurpose::PasswordReset, &token)).await?;
    found.map(|(_, user)| user).ok_or(LinkError::Invalid)
}

/// Sets the password with the token of a link. A password that is refused does not use it up.
pub async fn confirm(
    app: &App,
    token: SecretString,
    password: SecretString,
    client: &Client,
) -> Result<User, LinkError> {
    link::guarded(app, client, reset(app, token, password, client.clone())).await
}

async fn reset(app: &App, token: SecretString, password: SecretString, client: Client) -> Result<User, LinkError> {
    let user = look(app, &token).await?;
    let encoded = manage::encode(app, &Owner::find(app, &user).await?, NewPassword::Plain(password)).await?;
    app.write(move |tx| {
        let (link, user) = link::take(tx, LinkPurpose::PasswordReset, &token)?;
        let actor = Actor::user(&user, &client);
        endings::apply(tx, Ending::PasswordReset, (user.id, &user.username), &Kept::default())?;
        tx.app.users.update_password(tx.conn, user.id, (None, &encoded))?;
        // Opening the link proves control of the mailbox.
        latchkey_user::upsert_confirmed(tx.conn, user.id, &manage::new_uuid(), (&link.email, tx.now))?;
        device::remember(tx, &user, &client)?;
        AuditEntry::new(Action::UserResetPassword, &actor).about_user(&user).write(tx)?;
        events::count(tx, &[Event::PasswordReset])?;
        notice::password_changed(tx, &user, &actor)?;
        Ok::<_, LinkError>(user)
    })
    .await
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
