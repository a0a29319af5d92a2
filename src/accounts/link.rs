//! Links in mail: a token of 256 bits, of which only a hash is stored, good once and for one purpose. It also dies with
//! whatever was true when it was made: the user's password and address. Every fault is one and the same, so a token says
//! nothing to whoever guesses. Called by `password_reset` and `email_change`; mailing is their business.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::Client;
use super::manage::ManageError;
use super::throttle::{self, Key, Rule, Wait};
use super::user::FieldError;
use crate::app::App;
use crate::crypto::digest::{equal, hmac_sha256, sha256_hex};
use crate::crypto::random;
use crate::db::latchkey_link::{self, MailedLink};
use crate::db::types::{Instant, UserId};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_device};

/// What a link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new password.
    PasswordReset,
    /// An address.
    EmailChange,
}

/// Why a link, or the wish for one, was refused.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Unknown, used, too old, overtaken: never told apart.
    #[error("This link is invalid or has expired.")]
    Invalid,
    /// What came with it is not acceptable.
    #[error("{}", .0.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldError>),
    /// Too many tries.
    #[error("too many tries; the next in {} seconds", .0.seconds())]
    Throttled(Wait),
    /// Too many passwords are being hashed already.
    #[error("too many passwords are being hashed at once")]
    Busy,
    /// The database did not answer.
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
            ManageError::NoSuchUser | ManageError::Stale | ManageError::Referenced => Self::Invalid,
        }
    }
}

impl Purpose {
    /// As it is stored.
    fn name(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::EmailChange => "email_change",
        }
    }

    /// How long a link is good.
    fn lasts(self) -> Duration {
        match self {
            Self::PasswordReset => Duration::from_hours(1),
            Self::EmailChange => Duration::from_hours(24),
        }
    }
}

/// Makes a link for a user whose row is locked; older ones for the same purpose die. Answers its token, and until when
/// it is good.
pub(super) fn make(
    app: &App,
    conn: &mut Conn,
    purpose: Purpose,
    user: &User,
    email: &str,
    network: &str,
) -> Result<(SecretString, Instant), DbError> {
    let (token, now) = (random::token(), app.now());
    let link = MailedLink {
        token_hash: sha256_hex(token.as_bytes()),
        purpose: purpose.name().to_owned(),
        user_id: user.id,
        email: email.to_owned(),
        state: state(app, purpose, user),
        network: network.to_owned(),
        created_at: now,
        expires_at: now + purpose.lasts(),
    };
    forget_for(conn, purpose, user.id)?;
    latchkey_link::insert(conn, &link)?;
    Ok((SecretString::from(token), link.expires_at))
}

/// The link of a token and its user, if it is good. Only looks: a page that asks what to do burns nothing.
pub(super) fn find(
    app: &App,
    conn: &mut Conn,
    purpose: Purpose,
    token: &SecretString,
) -> Result<Option<(MailedLink, User)>, DbError> {
    good(app, conn, purpose, token, users::find)
}

/// The same, and uses it up. The user's row is locked first, so of two who have one link exactly one gets an answer.
pub(super) fn take(
    app: &App,
    conn: &mut Conn,
    purpose: Purpose,
    token: &SecretString,
) -> Result<(MailedLink, User), LinkError> {
    let lock = |conn: &mut Conn, id| users::lock(conn, &UserRef::Id(id), Intent::Revoke);
    let (link, user) = good(app, conn, purpose, token, lock)?.ok_or(LinkError::Invalid)?;
    if latchkey_link::delete(conn, &link.token_hash)? { Ok((link, user)) } else { Err(LinkError::Invalid) }
}

fn good(
    app: &App,
    conn: &mut Conn,
    purpose: Purpose,
    token: &SecretString,
    find_user: impl FnOnce(&mut Conn, UserId) -> Result<Option<User>, DbError>,
) -> Result<Option<(MailedLink, User)>, DbError> {
    let found = latchkey_link::find(conn, &sha256_hex(token.expose_secret().as_bytes()))?;
    let Some(link) = found.filter(|link| link.purpose == purpose.name() && app.now() < link.expires_at) else {
        return Ok(None);
    };
    let Some(user) = find_user(conn, link.user_id)? else { return Ok(None) };
    let is_same = equal(link.state.as_bytes(), state(app, purpose, &user).as_bytes());
    if !user.is_active || !is_same || (purpose == Purpose::PasswordReset && logged_in_since(conn, &user, &link)?) {
        return Ok(None);
    }
    Ok(Some((link, user)))
}

/// Who logs in where the link was asked for has remembered the password: the link is not needed any more. A login from
/// elsewhere does not count, or a thief who knows the password could make every link worthless.
fn logged_in_since(conn: &mut Conn, user: &User, link: &MailedLink) -> Result<bool, DbError> {
    let last = latchkey_device::find_last_login_from(conn, user.id, &link.network)?;
    Ok(last.is_some_and(|last| last > link.created_at))
}

/// A fingerprint of the user: it changes with the password and with the address, whoever changes them.
fn state(app: &App, purpose: Purpose, user: &User) -> String {
    let key = app.config.secret_key.expose_secret().as_bytes();
    let text = format!("latchkey link\0{}\0{}\0{}", purpose.name(), user.password.0, user.email);
    random::hex(&hmac_sha256(key, text.as_bytes()))
}

/// Forgets the links of a user for a purpose.
pub(super) fn forget_for(conn: &mut Conn, purpose: Purpose, user: UserId) -> Result<(), DbError> {
    latchkey_link::delete_of(conn, user, purpose.name()).map(drop)
}

/// Forgets all links of a user: what they were made under is not true any more.
pub(super) fn forget(conn: &mut Conn, user: UserId) -> Result<(), DbError> {
    for purpose in [Purpose::PasswordReset, Purpose::EmailChange] {
        forget_for(conn, purpose, user)?;
    }
    Ok(())
}

/// Does what a token is presented for. A bad one counts as a guess from that address.
pub(super) async fn guarded<T>(
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

/// Counts a try of an address, or refuses it.
pub(super) async fn count(app: &App, rule: Rule, client: &Client) -> Result<throttle::Counted, LinkError> {
    if !app.config.accounts.login_throttle {
        return Ok(throttle::Counted::default());
    }
    let (now, key) = (app.now(), Key::new(app, rule, &[&throttle::network(client)]));
    app.db.write(move |conn| throttle::count(conn, now, &[key])).await?.map_err(LinkError::Throttled)
}

/// Whether a recipient may get one more mail that somebody asked for. Within the transaction that queues it.
pub(super) fn may_mail(app: &App, conn: &mut Conn, recipient: &str) -> Result<bool, DbError> {
    if !app.config.accounts.login_throttle {
        return Ok(true);
    }
    let key = Key::new(app, throttle::MAIL_SENT, &[&recipient.to_lowercase()]);
    Ok(throttle::count(conn, app.now(), &[key])?.is_ok())
}

/// A request is answered so long after it came, or twice or three times as long: how long the work took, and whether there
/// was any, tells who has an account.
const STEP: Duration = Duration::from_millis(500);

/// Does the work to its end, also for a client that goes away meanwhile, and comes back at a whole number of steps after
/// the request came. A failure is logged, and looks like a success.
pub(super) async fn aside(
    app: &Arc<App>,
    came: Came,
    work: impl Future<Output = Result<(), DbError>> + Send + 'static,
) {
    let outcome = tokio::spawn(work).await.unwrap_or_else(|error| Err(DbError::Other(error.to_string())));
    match outcome {
        Ok(()) => app.mailer.ring(),
        Err(error) => tracing::error!(%error, "a mail that was asked for could not be queued"),
    }
    tokio::time::sleep_until(came.answer_at(tokio::time::Instant::now())).await;
}

/// When a request came.
#[derive(Debug, Clone, Copy)]
pub struct Came(tokio::time::Instant);

impl Came {
    /// It came now.
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
        let came = Came::now();
        let after = |ms| came.answer_at(came.0 + Duration::from_millis(ms)).duration_since(came.0).as_millis();
        assert_eq!([0, 1, 499, 500, 501, 1700].map(after), [500, 500, 500, 500, 1000, 2000]);
    }
}
