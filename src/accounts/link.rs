//! Links in mail: a token of 256 bits, stored only as a hash, valid once and for one purpose. It also stops working
//! when the user's password or address changes. All faults look the same, so guessing reveals nothing. Called by
//! `password_reset` and `email_change`, which send the mail.

use std::time::Duration;

use secrecy::SecretString;

use super::manage::ManageError;
use super::user::FieldError;
use crate::app::{App, Tx};
use crate::db::latchkey_link::{self, MailedLink};
use crate::db::types::{Instant, UserId};
use crate::db::users::{Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_device};
use crate::guard::throttle::{self, Key, Rule, Wait};
use crate::guard::ticket::{LinkPurpose, Purpose, Stored, Ticket};
use crate::journal::Client;

/// Why a link, or a request for one, was refused.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Unknown, used, expired or superseded: never told apart.
    #[error("This link is invalid or has expired.")]
    Invalid,
    /// A field sent with the link is invalid.
    #[error("{}", .0.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldError>),
    /// Too many attempts.
    #[error("too many attempts; the next one in {} seconds", .0.seconds())]
    Throttled(Wait),
    /// Too many passwords are being hashed already.
    #[error("too many passwords are being hashed at once")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ManageError> for LinkError {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::Fields(faults) => Self::Fields(faults),
            ManageError::Protected(fault) => Self::Fields(vec![fault]),
            ManageError::Busy => Self::Busy,
            ManageError::Db(error) => Self::Db(error),
            ManageError::NoSuchUser | ManageError::Stale | ManageError::Referenced | ManageError::NoCreation(_) => {
                Self::Invalid
            }
        }
    }
}

/// Where a link is mailed, and from where it was requested.
pub struct Destination<'a> {
    /// The address.
    pub email: &'a str,
    /// The network that the request was sent from; empty if a superuser made it.
    pub network: String,
}

/// Creates a link for a user whose row is locked, and deletes older ones for the same purpose. Returns its token and
/// expiry.
pub fn make(
    tx: &mut Tx<'_>,
    purpose: LinkPurpose,
    user: &User,
    to: Destination<'_>,
) -> Result<(SecretString, Instant), DbError> {
    let ticket = Ticket::issue(tx.app, tx.now, Purpose::Link(purpose), user);
    let link = MailedLink {
        token_hash: ticket.hash,
        purpose: name(purpose).to_owned(),
        user_id: user.id,
        email: to.email.to_owned(),
        state: ticket.fingerprint,
        network: to.network,
        created_at: ticket.created_at,
        expires_at: ticket.expires_at,
    };
    forget_for(tx.conn, purpose, user.id)?;
    latchkey_link::insert(tx.conn, &link)?;
    Ok((ticket.token, link.expires_at))
}

/// Finds the link of a token and its user, if it is valid. Does not use it up.
pub fn find(
    tx: &mut Tx<'_>,
    purpose: LinkPurpose,
    token: &SecretString,
) -> Result<Option<(MailedLink, User)>, DbError> {
    good(tx, purpose, token, |tx, id| tx.app.users.find(tx.conn, id))
}

/// The same, and uses the link up. The user's row is locked first, so of two requests with the same link only one
/// succeeds.
pub fn take(tx: &mut Tx<'_>, purpose: LinkPurpose, token: &SecretString) -> Result<(MailedLink, User), LinkError> {
    let lock = |tx: &mut Tx<'_>, id| tx.app.users.lock(tx.conn, &UserRef::Id(id), Intent::Revoke);
    let (link, user) = good(tx, purpose, token, lock)?.ok_or(LinkError::Invalid)?;
    if latchkey_link::delete(tx.conn, &link.token_hash)? { Ok((link, user)) } else { Err(LinkError::Invalid) }
}

fn good(
    tx: &mut Tx<'_>,
    purpose: LinkPurpose,
    token: &SecretString,
    find_user: impl FnOnce(&mut Tx<'_>, UserId) -> Result<Option<User>, DbError>,
) -> Result<Option<(MailedLink, User)>, DbError> {
    let ticket = Purpose::Link(purpose);
    let found = latchkey_link::find(tx.conn, &ticket.hash(token))?;
    let Some(link) = found.filter(|link| link.purpose == name(purpose)) else { return Ok(None) };
    let Some(user) = find_user(tx, link.user_id)? else { return Ok(None) };
    let stored = Stored { user_id: link.user_id, fingerprint: &link.state, expires_at: link.expires_at };
    let is_good = stored.is_good(tx.app, ticket, &user)
        && (purpose != LinkPurpose::PasswordReset || !logged_in_since(tx.conn, &user, &link)?);
    Ok(is_good.then_some((link, user)))
}

/// Whether the user logged in from where the link was requested: they remembered the password and no longer need it. A
/// login from elsewhere does not count, or a thief who knows the password could invalidate every link.
fn logged_in_since(conn: &mut Conn, user: &User, link: &MailedLink) -> Result<bool, DbError> {
    let last = latchkey_device::find_last_login_from(conn, user.id, &link.network)?;
    Ok(last.is_some_and(|last| last > link.created_at))
}

/// The name in the database.
fn name(purpose: LinkPurpose) -> &'static str {
    purpose.into()
}

/// Deletes a user's links for a purpose.
pub fn forget_for(conn: &mut Conn, purpose: LinkPurpose, user: UserId) -> Result<(), DbError> {
    latchkey_link::delete_of(conn, user, name(purpose)).map(drop)
}

/// Runs `work`, which takes a link's token. A bad token counts as a guess from that network.
pub async fn guarded<T>(
    app: &App,
    client: &Client,
    work: impl Future<Output = Result<T, LinkError>>,
) -> Result<T, LinkError> {
    let counted = count(app, throttle::ADDRESS, client).await?;
    let outcome = work.await;
    if !matches!(outcome, Err(LinkError::Invalid)) {
        throttle::take_back(app, counted, true).await?;
    }
    outcome
}

/// Counts an attempt from a network, or refuses it.
pub async fn count(app: &App, rule: Rule, client: &Client) -> Result<throttle::Counted, LinkError> {
    if !app.config.accounts.login_throttle {
        return Ok(throttle::Counted::default());
    }
    let key = Key::new(app, rule, &[&client.network()]);
    app.write(move |tx| throttle::count(tx, &[key])).await?.map_err(LinkError::Throttled)
}

/// Whether a recipient may get one more requested mail. Runs in the transaction that queues it.
pub fn may_mail(tx: &mut Tx<'_>, recipient: &str) -> Result<bool, DbError> {
    if !tx.app.config.accounts.login_throttle {
        return Ok(true);
    }
    let key = Key::new(tx.app, throttle::MAIL_SENT, &[&recipient.to_lowercase()]);
    Ok(throttle::count(tx, &[key])?.is_ok())
}

/// Answers are sent a whole number of these steps after the request: the duration of the work, or its absence, would
/// tell which accounts exist.
const STEP: Duration = Duration::from_millis(500);

/// Runs the work to the end, even if the client disconnects, and returns a whole number of steps after the request was
/// received. A failure is logged, and looks like a success.
pub async fn run_padded(
    app: &App,
    received: ReceivedAt,
    work: impl Future<Output = Result<(), DbError>> + Send + 'static,
) {
    let outcome = tokio::spawn(work).await.unwrap_or_else(|error| Err(DbError::Other(error.to_string())));
    match outcome {
        Ok(()) => app.mailer.wake(),
        Err(error) => tracing::error!(%error, "a requested mail could not be queued"),
    }
    tokio::time::sleep_until(received.answer_at(tokio::time::Instant::now())).await;
}

/// When a request was received.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedAt(tokio::time::Instant);

impl ReceivedAt {
    /// Now.
    pub fn now() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// The next whole number of steps.
    fn answer_at(self, now: tokio::time::Instant) -> tokio::time::Instant {
        let mut at = self.0 + STEP;
        while at < now {
            at += STEP;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_after_whole_steps() {
        let received = ReceivedAt::now();
        let after =
            |ms| received.answer_at(received.0 + Duration::from_millis(ms)).duration_since(received.0).as_millis();
        assert_eq!([0, 1, 499, 500, 501, 1700].map(after), [500, 500, 500, 500, 1000, 2000]);
    }
}
