//! Logins to the API: the password, then a second factor where one is due, then a session with its first token. What the
//! password alone does not open waits as a challenge (`accounts::second_factor`).

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;

use super::claims::{self, Kind};
use super::{TokenError, record};
use crate::accounts::login::{Credentials, LoginError, authenticate};
use crate::app::{App, Tx};
use crate::config::UserIdField;
use crate::crypto::jwt::Claims;
use crate::db::latchkey_token::Lineage;
use crate::db::types::{Instant, UserId};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{DbError, latchkey_user};
use crate::factors::answer::{self, Answer, AnswerError, Given};
use crate::factors::challenge::{self, Purpose};
use crate::factors::enrol::{self, Done, EnrolError};
use crate::factors::{self, Due, Method, Opened, remembered_browser};
use crate::guard::device;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::events::{self, Event};
use crate::journal::failed_login::{self, Door};
use crate::journal::{Actor, Client};
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
pub struct EnrolledNow {
    /// The token of the login's challenge.
    pub challenge: SecretString,
    /// The token of the enrolment.
    pub enrolment: SecretString,
    /// What is given.
    pub given: Given,
    /// What the factor is called.
    pub name: Option<String>,
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
    kind: Kind,
) -> Result<Issued, ObtainError> {
    let Password { credentials, browser } = password;
    let checked = authenticate(app, credentials, Door::Api, &client).await?;
    let (user, from) = (checked.clone(), client.clone());
    let outcome = app.write(move |tx| begin(tx, &checked, &client, kind, browser.as_ref())).await;
    match outcome {
        Ok(Outcome::In(issued)) => Ok(issued),
        Ok(Outcome::Waits(pending)) => Err(ObtainError::SecondFactor(pending)),
        Err(LoginError::NoActiveAccount) => {
            failed_login::note(app, Door::Api, &from, &user).await?;
            Err(LoginError::NoActiveAccount.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes the answer to the challenge of a login, and goes on with it. Also answers the token of the browser, where it is
/// remembered from now on.
pub(super) async fn with_factor(
    app: &App,
    answered: Answered,
    client: Client,
) -> Result<(Issued, Option<SecretString>), AnswerError> {
    let Answered { answer, remember } = answered;
    let right = answer::check(app, answer, Purpose::Login, Door::Api, &client).await?;
    let kind = Kind::of_login(right.what()).ok_or(AnswerError::NoChallenge)?;
    app.write(move |tx| {
        let user = answer::spend(tx, &right)?;
        let issued = admit(tx, &user, &client, kind, Opened::By(right.method()))?;
        let browser = if remember { remembered_browser::remember(tx, &user, Door::Api, &client)? } else { None };
        Ok((issued, browser))
    })
    .await
}

/// Takes the answer to an enrolment, and goes on with the login that had to wait for it.
pub(super) async fn with_enrolment(
    app: &App,
    enrolled: EnrolledNow,
    client: Client,
) -> Result<(Issued, Done), EnrolError> {
    let EnrolledNow { challenge, enrolment, given, name } = enrolled;
    let proven = enrol::check(app, enrolment, &[Purpose::FirstInLogin], given).await?;
    app.write(move |tx| {
        let (done, user) = enrol::add(tx, &proven, name.as_deref(), &client)?;
        let gone = || EnrolError::Answer(AnswerError::NoChallenge);
        let waiting = challenge::find(tx, &challenge, &[Purpose::Enrolment])?.ok_or_else(gone)?;
        if !challenge::spend(tx, &waiting, &user)? {
            return Err(gone());
        }
        let kind = Kind::of_login(&waiting.row.what).ok_or_else(gone)?;
        let issued = admit(tx, &user, &client, kind, Opened::By(done.method))?;
        Ok((issued, done))
    })
    .await
}

/// One transaction, under the lock on the user's row: in, or a challenge.
fn begin(
    tx: &mut Tx<'_>,
    checked: &User,
    client: &Client,
    kind: Kind,
    browser: Option<&SecretString>,
) -> Result<Outcome, LoginError> {
    // Two logins that both hold a shared lock and both want to write would block each other.
    let alone = is_last_login_due(tx.app, checked) || tx.app.config.sessions.max_per_user.is_some();
    let intent = if alone { Intent::Revoke } else { Intent::Issue };
    let user = users::lock(tx.conn, &UserRef::Id(checked.id), intent)?;
    // The password was checked before the lock: what was true then must still be.
    let user = user.filter(|user| user.is_active && user.password == checked.password);
    let user = user.ok_or(LoginError::NoActiveAccount)?;
    let (purpose, methods) = match factors::due(tx, &user, browser.map(|token| (Door::Api, token)), client)? {
        Due::Nothing(opened) => return Ok(Outcome::In(admit(tx, &user, client, kind, opened)?)),
        Due::Factor(methods) => (Purpose::Login, methods),
        Due::Enrolment => (Purpose::Enrolment, vec![]),
    };
    let challenge = challenge::begin(tx, &user, client, purpose, kind.name(), None)?;
    Ok(Outcome::Waits(Pending { challenge, methods }))
}

fn is_last_login_due(app: &App, user: &User) -> bool {
    let now = app.now();
    let is_due = |last: Instant| last + LAST_LOGIN_STEP <= now;
    app.config.jwt.update_last_login && user.last_login.is_none_or(is_due)
}

/// Starts a session and records its first token. `user` is locked.
fn admit(tx: &mut Tx<'_>, user: &User, client: &Client, kind: Kind, opened: Opened) -> Result<Issued, DbError> {
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
    claims::set_auth(tx.app, &mut claims, now, opened.method());
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
    opened.note(&mut detail);
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
    let uuid = crate::accounts::manage::new_uuid();
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
