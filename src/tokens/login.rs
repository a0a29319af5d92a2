//! Logins to the API: the password, then a second factor if one is due, then a session with its first token. A login
//! that needs more than the password waits as a challenge (`factors::challenge`).

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;

use super::claims::{self, Kind};
use super::error::TokenError;
use super::record;
use crate::accounts::login::{Credentials, LoginError, authenticate};
use crate::accounts::manage;
use crate::app::{App, Tx};
use crate::crypto::jwt::Claims;
use crate::db::latchkey_token::Lineage;
use crate::db::types::{Instant, UserId};
use crate::db::user_table::Identity;
use crate::db::users::{Intent, User, UserRef};
use crate::db::{DbError, latchkey_user};
use crate::factors::answer::{self, Answer, AnswerError};
use crate::factors::challenge::{self, EnrolmentBasis, LoginTarget, Purpose};
use crate::factors::due::{Due, due};
use crate::factors::enrol::EnrolError;
use crate::factors::enrolment::{self, Done, EnrolmentAnswer};
use crate::factors::remembered_browser;
use crate::guard::device;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::authentication::{AuthenticatedBy, Method};
use crate::journal::events::{self, Event};
use crate::journal::{Actor, Client, failed_login};
use crate::sessions;

/// `last_login` is written at most this often per user, so that a flood of logins does not cause a flood of writes.
const LAST_LOGIN_STEP: Duration = Duration::from_mins(1);

/// The first step of a login.
pub struct Password {
    /// The username and the password.
    pub credentials: Credentials,
    /// The token of a remembered browser.
    pub browser: Option<SecretString>,
}

/// A login that waits for a second factor. If no method is listed, the user has to enrol a factor first.
pub struct Pending {
    /// The token to continue with.
    pub challenge: SecretString,
    /// The methods that can answer it.
    pub methods: Vec<Method>,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("methods", &self.methods).finish_non_exhaustive()
    }
}

/// Why a login returned no tokens.
#[derive(Debug, thiserror::Error)]
pub enum ObtainError {
    /// The login failed.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The password is right, but a second factor is needed.
    #[error("Second factor required")]
    SecondFactor(Pending),
}

impl From<DbError> for ObtainError {
    fn from(error: DbError) -> Self {
        Self::Login(error.into())
    }
}

/// The answer to the challenge of a login.
pub struct Answered {
    /// The challenge, and the response to it.
    pub answer: Answer,
    /// Whether the browser is to be remembered.
    pub remember: bool,
}

/// The answer to an enrolment that a login waits for.
pub struct EnrolmentInLogin {
    /// The token of the login's challenge.
    pub challenge: SecretString,
    /// The answer to the enrolment.
    pub answer: EnrolmentAnswer,
}

/// The first token of a session, not yet signed.
pub(super) struct Issued {
    pub kind: Kind,
    pub claims: Claims,
    /// `header.payload`
    pub unsigned: String,
}

/// The result of a login's transaction.
enum Outcome {
    In(Issued),
    Waits(Pending),
}

/// Checks the credentials, starts a session and records its first token.
pub(super) async fn with_password(
    app: &App,
    password: Password,
    client: Client,
    target: LoginTarget,
) -> Result<Issued, ObtainError> {
    let Password { credentials, browser } = password;
    let checked = authenticate(app, credentials, &client).await?;
    let (user, from) = (checked.clone(), client.clone());
    let outcome = app.write(move |tx| begin(tx, (&checked, browser.as_ref()), &client, target)).await;
    match outcome {
        Ok(Outcome::In(issued)) => Ok(issued),
        Ok(Outcome::Waits(pending)) => Err(ObtainError::SecondFactor(pending)),
        Err(LoginError::NoActiveAccount) => {
            failed_login::note(app, &from, &user).await?;
            Err(LoginError::NoActiveAccount.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Accepts the answer to the challenge of a login and completes the login. Also returns the token of the browser, if it
/// is to be remembered.
pub(super) async fn with_factor(
    app: &App,
    answered: Answered,
    client: Client,
) -> Result<(Issued, Option<SecretString>), AnswerError> {
    let Answered { answer, remember } = answered;
    let accepts = |purpose| matches!(purpose, Purpose::Login(LoginTarget::TokenPair | LoginTarget::SlidingToken));
    let verified = answer::check(app, answer, accepts, &client).await?;
    let Purpose::Login(target) = verified.purpose() else { return Err(AnswerError::NoChallenge) };
    app.write(move |tx| {
        let user = answer::spend(tx, &verified)?;
        let by = AuthenticatedBy::Factor(verified.method());
        let issued = admit(tx, &user, &client, (target, by))?;
        let browser = if remember { remembered_browser::remember(tx, &user, &client)? } else { None };
        Ok((issued, browser))
    })
    .await
}

/// Accepts the answer to an enrolment and completes the login that waited for it.
pub(super) async fn with_enrolment(
    app: &App,
    enrolled: EnrolmentInLogin,
    client: Client,
) -> Result<(Issued, Done), EnrolError> {
    let EnrolmentInLogin { challenge, answer } = enrolled;
    let verified = enrolment::check(app, answer, |basis| basis == EnrolmentBasis::PendingLogin).await?;
    app.write(move |tx| {
        let (done, user) = enrolment::add(tx, &verified, &client)?;
        let gone = || EnrolError::Answer(AnswerError::NoChallenge);
        let is_login = |purpose| matches!(purpose, Purpose::LoginWithoutFactor(_));
        let pending = challenge::find(tx, &challenge, is_login)?.ok_or_else(gone)?;
        let Purpose::LoginWithoutFactor(target) = pending.purpose else { return Err(gone()) };
        if !challenge::spend(tx, &pending, &user)? {
            return Err(gone());
        }
        let issued = admit(tx, &user, &client, (target, AuthenticatedBy::Factor(done.method)))?;
        Ok((issued, done))
    })
    .await
}

/// Logs in or begins a challenge, in one transaction under the lock on the user's row.
fn begin(
    tx: &mut Tx<'_>,
    (checked, browser): (&User, Option<&SecretString>),
    client: &Client,
    target: LoginTarget,
) -> Result<Outcome, LoginError> {
    // Two logins that both hold a shared lock and both want to write would block each other.
    let alone = is_last_login_due(tx.app, checked) || tx.app.config.sessions.max_per_user.is_some();
    let intent = if alone { Intent::Revoke } else { Intent::Issue };
    let user = tx.app.users.lock(tx.conn, &UserRef::Id(checked.id), intent)?;
    // The password was checked before the lock, so check that it is still the same.
    let user = user.filter(|user| user.may_log_in() && user.password == checked.password);
    let user = user.ok_or(LoginError::NoActiveAccount)?;
    let (purpose, methods) = match due(tx, &user, browser, client)? {
        Due::Nothing(by) => return Ok(Outcome::In(admit(tx, &user, client, (target, by))?)),
        Due::Factor(methods) => (Purpose::Login(target), methods),
        Due::Enrolment => (Purpose::LoginWithoutFactor(target), vec![]),
    };
    let challenge = challenge::begin(tx, &user, client, purpose)?;
    Ok(Outcome::Waits(Pending { challenge, methods }))
}

fn is_last_login_due(app: &App, user: &User) -> bool {
    let now = app.now();
    let is_due = |last: Instant| last + LAST_LOGIN_STEP <= now;
    app.config.jwt.update_last_login && user.last_login.is_none_or(is_due)
}

/// Starts a session and records its first token. `user` is locked.
fn admit(
    tx: &mut Tx<'_>,
    user: &User,
    client: &Client,
    (target, by): (LoginTarget, AuthenticatedBy),
) -> Result<Issued, DbError> {
    let kind = if target == LoginTarget::SlidingToken { Kind::Sliding } else { Kind::Refresh };
    let now = tx.now;
    if is_last_login_due(tx.app, user) {
        tx.app.users.update_last_login(tx.conn, user.id, now)?;
    }
    sessions::make_room(tx, user.id)?;
    let mut claims = claims::new(tx.app, kind, now);
    claims::set_user(tx.app, &mut claims, user, uuid_if_wanted(tx, user.id)?.as_deref());
    if kind == Kind::Refresh {
        claims::set_extra(tx.app, &mut claims, user, false);
    }
    claims::set_auth(tx.app, &mut claims, now, by.method());
    let session = sessions::start(tx, user.id, client, claims::expires_at(tx.app, &claims).map_err(broken)?)?;
    sessions::set_claim(tx.app, &mut claims, session.as_ref());
    sessions::cap(tx.app, &mut claims, session.as_ref());
    claims::finish(tx.app, &mut claims);
    let session_id = session.as_ref().map(|session| session.id.as_str());
    let ip = client.address();
    let lineage = Lineage { session_id, ip: ip.as_deref(), ..Lineage::default() };
    let unsigned = record::outstand(tx, &claims, user.id, lineage).map_err(broken)?;
    let counted: &[Event] = if session_id.is_some() { &[Event::Login, Event::TokenCreated] } else { &[Event::Login] };
    events::count(tx, counted)?;
    let mut detail = json!({"session": session_id, "user_agent": client.user_agent});
    by.describe(&mut detail);
    AuditEntry::new(Action::Login, &Actor::user(user, client)).about_user(user).detail(detail).write(tx)?;
    device::note(tx, user, client)?;
    Ok(Issued { kind, claims, unsigned })
}

/// Returns the user's random id if tokens carry it; a user whom Django created gets one now.
fn uuid_if_wanted(tx: &mut Tx<'_>, user: UserId) -> Result<Option<String>, DbError> {
    if tx.app.users.identity != Identity::Uuid {
        return Ok(None);
    }
    if let Some(uuid) = latchkey_user::find_uuid(tx.conn, user)? {
        return Ok(Some(uuid));
    }
    let uuid = manage::new_uuid();
    latchkey_user::insert(tx.conn, user, &uuid)?;
    Ok(Some(uuid))
}

/// Converts an error in our own claims, which no client can cause.
fn broken(error: TokenError) -> DbError {
    match error {
        TokenError::Db(error) => error,
        other => DbError::Other(other.to_string()),
    }
}
