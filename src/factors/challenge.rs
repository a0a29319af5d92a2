//! Challenges: a login, an enrolment or a removal that waits for a second factor. A challenge is a ticket
//! (`guard::ticket`) that is valid once, for a few attempts. Attempts are counted before verification, so parallel ones
//! cannot exceed the limit.

use secrecy::SecretString;
use strum::{EnumString, IntoStaticStr};

use crate::app::{App, Tx};
use crate::db::DbError;
use crate::db::latchkey_challenge::{self, Challenge, LOGIN};
use crate::db::users::User;
use crate::guard::ticket::{self, Stored, Ticket};
use crate::journal::Client;
use crate::journal::authentication::FactorKind;

/// How many answers to one challenge are checked.
pub const MAX_ATTEMPTS: i32 = 5;
/// Challenges of one kind that may wait for one user, if begun from one network; beyond that, the oldest one ends. An
/// attacker who knows the password cannot end the challenges of the owner.
const MAX_WAITING: i64 = 20;

/// What a login is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
pub enum LoginTarget {
    /// A token pair.
    #[strum(serialize = "refresh")]
    TokenPair,
    /// A sliding token.
    #[strum(serialize = "sliding")]
    SlidingToken,
    /// The panel.
    #[strum(serialize = "panel")]
    Panel,
    /// The account pages.
    #[strum(serialize = "visit")]
    AccountPages,
}

/// What authorises an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
pub enum EnrolmentBasis {
    /// Another factor was used.
    #[strum(serialize = "enrol")]
    Factor,
    /// The password: valid while the user has no factor.
    #[strum(serialize = "first")]
    Password,
    /// A login that waits for its first factor and continues with it.
    #[strum(serialize = "first_in_login")]
    PendingLogin,
    /// An account session, which must still be open.
    #[strum(serialize = "enrol_in_visit")]
    AccountSession,
}

/// The purpose of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A login with the right password.
    Login(LoginTarget),
    /// The same for a user who must have a factor and has none: only enrolling one answers it.
    LoginWithoutFactor(LoginTarget),
    /// Enrolling a factor.
    Enrol(FactorKind, EnrolmentBasis),
    /// Adding another factor, removing one, or making new recovery codes.
    Confirm,
}

const LOGIN_WITHOUT_FACTOR: &str = "enrolment";
const CONFIRM: &str = "confirm";

impl Purpose {
    /// The columns `purpose` and `what`.
    fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Login(target) => (LOGIN, target.into()),
            Self::LoginWithoutFactor(target) => (LOGIN_WITHOUT_FACTOR, target.into()),
            Self::Enrol(kind, basis) => (basis.into(), kind.name()),
            Self::Confirm => (CONFIRM, ""),
        }
    }

    fn of(row: &Challenge) -> Option<Self> {
        match row.purpose.as_str() {
            LOGIN => row.what.parse().ok().map(Self::Login),
            LOGIN_WITHOUT_FACTOR => row.what.parse().ok().map(Self::LoginWithoutFactor),
            CONFIRM => Some(Self::Confirm),
            basis => FactorKind::of(&row.what).zip(basis.parse().ok()).map(|(kind, basis)| Self::Enrol(kind, basis)),
        }
    }
}

/// A valid challenge and its user.
#[derive(Clone)]
pub struct Pending {
    /// The row.
    pub row: Challenge,
    /// The user, as of when the challenge was found.
    pub user: User,
    /// The purpose.
    pub purpose: Purpose,
}

/// Begins a challenge and returns its token.
pub fn begin(tx: &mut Tx<'_>, user: &User, client: &Client, purpose: Purpose) -> Result<SecretString, DbError> {
    begin_with(tx, user, client, (purpose, None))
}

/// The same with a secret, which the answer is checked against.
pub fn begin_with(
    tx: &mut Tx<'_>,
    user: &User,
    client: &Client,
    (purpose, secret): (Purpose, Option<&SecretString>),
) -> Result<SecretString, DbError> {
    let ticket = Ticket::issue(tx.app, tx.now, ticket::Purpose::Challenge, user);
    let (network, (name, what)) = (client.network(), purpose.columns());
    let begun = latchkey_challenge::Begun { user: user.id, purpose: name, network: &network };
    latchkey_challenge::delete_oldest_of(tx.conn, &begun, MAX_WAITING - 1)?;
    let challenge = Challenge {
        purpose: name.to_owned(),
        user_id: user.id,
        what: what.to_owned(),
        network,
        state: ticket.fingerprint,
        tries: 0,
        code_hash: None,
        code_expires_at: None,
        secret: secret.map(|secret| tx.app.factors.seal.seal(&ticket.hash, secret)),
        token_hash: ticket.hash,
        created_at: ticket.created_at,
        expires_at: ticket.expires_at,
    };
    latchkey_challenge::insert(tx.conn, &challenge)?;
    Ok(ticket.token)
}

/// Finds the challenge of a token, if it is valid and `accepts` its purpose. Two statements.
pub fn find(
    tx: &mut Tx<'_>,
    token: &SecretString,
    accepts: impl Fn(Purpose) -> bool,
) -> Result<Option<Pending>, DbError> {
    let token_hash = ticket::Purpose::Challenge.hash(token);
    let Some(row) = latchkey_challenge::find(tx.conn, &token_hash)? else { return Ok(None) };
    let purpose = Purpose::of(&row).filter(|purpose| accepts(*purpose) && row.tries < MAX_ATTEMPTS);
    let Some(purpose) = purpose else { return Ok(None) };
    let Some(user) = tx.app.users.find(tx.conn, row.user_id)? else { return Ok(None) };
    Ok(is_good(tx.app, &row, &user).then_some(Pending { row, user, purpose }))
}

/// Counts an attempt; `false` if there were too many, and the answer must not be checked.
pub fn count_attempt(tx: &mut Tx<'_>, row: &Challenge) -> Result<bool, DbError> {
    latchkey_challenge::count_try(tx.conn, &row.token_hash, MAX_ATTEMPTS)
}

/// Uses up a challenge; `false` if it is gone or invalid, or another code was mailed since. `user` is locked and fresh.
pub fn spend(tx: &mut Tx<'_>, pending: &Pending, user: &User) -> Result<bool, DbError> {
    let Some(row) = latchkey_challenge::find(tx.conn, &pending.row.token_hash)? else { return Ok(false) };
    let is_same = row.code_hash == pending.row.code_hash && is_good(tx.app, &row, user);
    Ok(is_same && latchkey_challenge::delete(tx.conn, &row.token_hash)?)
}

/// Opens the secret that the answer is checked against.
pub fn secret(app: &App, row: &Challenge) -> Option<SecretString> {
    app.factors.seal.open(&row.token_hash, row.secret.as_deref()?)
}

/// Replaces the secret.
pub fn update_secret(tx: &mut Tx<'_>, row: &Challenge, secret: &SecretString) -> Result<(), DbError> {
    let sealed = tx.app.factors.seal.seal(&row.token_hash, secret);
    latchkey_challenge::update_secret(tx.conn, &row.token_hash, &sealed)
}

fn is_good(app: &App, row: &Challenge, user: &User) -> bool {
    let stored = Stored { user_id: row.user_id, fingerprint: &row.state, expires_at: row.expires_at };
    stored.is_good(app, ticket::Purpose::Challenge, user)
}
