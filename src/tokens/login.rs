//! Logins to the API: the password, then a second factor where one is due, then a session with its first token. What the
//! password alone does not open waits as a challenge (`accounts::second_factor`).

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
use crate::config::UserIdField;
use crate::crypto::jwt::Claims;
use crate::db::latchkey_token::Lineage;
use crate::db::types::{Instant, UserId};
use crate::db::users::{self, Intent, User, UserRef};
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

/// `last_login` is written at most this often per user, so that it is no lever for a flood.
const LAST_LOGIN_STEP: Duration = Duration::from_mins(1);

/// What a login begins with.
pub struct Password {
    /// Who, and the password.
    pub credentials: Credentials,
    /// The token of a browser that was remembered.
    pub browser: Option<SecretString>,
}

/// A login that waits. Without any method its user has to enrol a factor first.
pub struct Pending {
    /// What it goes on with.
    pub challenge: SecretString,
    /// How it can be answered.
    pub methods: Vec<Method>,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("methods", &self.methods).finish_non_exhaustive()
    }
}

/// Why a password brings no tokens.
#[derive(Debug, thiserror::Error)]
pub enum ObtainError {
    /// Nobody is logged in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The password is right, and something else is due.
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
    /// To which challenge, and what is given.
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

/// The first token of a session, not signed yet.
pub(super) struct Issued {
    pub kind: Kind,
    pub claims: Claims,
    /// `header.payload`
    pub unsigned: String,
}

/// What a transaction of a login leaves.
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

/// Takes the answer to the challenge of a login, and goes on with it. Also answers the token of the browser, if it is
/// remembered from now on.
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

/// Takes the answer to an enrolment, and goes on with the login that had to wait for it.
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

/// One transaction, under the lock on the user's row: in, or a challenge.
fn begin(
    tx: &mut Tx<'_>,
    (checked, browser): (&User, Option<&SecretString>),
    client: &Client,
    target: LoginTarget,
) -> Result<Outcome, LoginError> {
    // Two logins that both hold a shared lock and both want to write would block each other.
    let alone = is_last_login_due(tx.app, checked) || tx.app.config.sessions.max_per_user.is_some();
    let intent = if alone { Intent::Revoke } else { Intent::Issue };
    let user = users::lock(tx.conn, &UserRef::Id(checked.id), intent)?;
    // The password was checked before the lock: what was true then must still be.
    let user = user.filter(|user| user.is_active && user.password == checked.password);
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
        users::update_last_login(tx.conn, user.id, now)?;
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

/// The user's random id where tokens carry it; a user that Django made gets one now.
fn uuid_if_wanted(tx: &mut Tx<'_>, user: UserId) -> Result<Option<String>, DbError> {
    if tx.app.config.jwt.user_id_field != UserIdField::Uuid {
        return Ok(None);
    }
    if let Some(uuid) = latchkey_user::find_uuid(tx.conn, user)? {
        return Ok(Some(uuid));
    }
    let uuid = manage::new_uuid();
    latchkey_user::insert(tx.conn, user, &uuid)?;
    Ok(Some(uuid))
}

/// Nothing that a client sends can make our own claims wrong.
fn broken(error: TokenError) -> DbError {
    match error {
        TokenError::Db(error) => error,
        other => DbError::Other(other.to_string()),
    }
}
