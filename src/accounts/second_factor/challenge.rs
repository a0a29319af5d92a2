//! Challenges: a login, an enrolment or a removal that was begun and waits for a second factor. A challenge is a random
//! token of which the database has a hash; it is short-lived, good once, and dies with the password or after a few tries.
//! Tries are counted before they are looked at, so that a thousand at once are a thousand.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::visit::Visit;
use crate::accounts::Client;
use crate::accounts::throttle::network;
use crate::app::App;
use crate::crypto::digest::{equal, hmac_sha256, sha256_hex};
use crate::crypto::random;
use crate::db::latchkey_challenge::{self, Challenge};
use crate::db::types::UserId;
use crate::db::users::{self, User};
use crate::db::{Conn, DbError};

/// So long a challenge waits: longer than a mailed code is good, for who has to ask for another one.
pub const LIVES: Duration = Duration::from_mins(15);
/// So many answers are looked at.
pub const TRIES: i32 = 5;
/// So many of a kind may wait for one user that were begun at one address; an older one dies. Somebody else who knows the
/// password cannot make those die that its owner began.
const MOST: i64 = 20;

/// What a challenge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A login with the right password.
    Login,
    /// The same of a user who must have a factor and has none: good for enrolment only.
    Enrolment,
    /// A factor that is being enrolled beside others.
    Enrol,
    /// The first one: good only while its user has no other.
    First,
    /// The same for a login that waits for it, and goes on with it.
    FirstInLogin,
    /// Removing a factor, or making new recovery codes.
    Confirm,
    /// A visit to one's own account (`visit`). It waits for nothing.
    Visit,
    /// A factor that is being enrolled in a visit, and counts only if that is still open.
    EnrolInVisit,
}

impl Purpose {
    const ALL: [Self; 8] = [
        Self::Login,
        Self::Enrolment,
        Self::Enrol,
        Self::First,
        Self::FirstInLogin,
        Self::Confirm,
        Self::Visit,
        Self::EnrolInVisit,
    ];

    /// Whether it ends with another factor.
    pub(super) fn enrols(self) -> bool {
        matches!(self, Self::Enrol | Self::First | Self::FirstInLogin | Self::EnrolInVisit)
    }

    /// The word in `latchkey_challenge.purpose`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Enrolment => "enrolment",
            Self::Enrol => "enrol",
            Self::First => "first",
            Self::FirstInLogin => "first_in_login",
            Self::Confirm => "confirm",
            Self::Visit => "visit",
            Self::EnrolInVisit => "enrol_in_visit",
        }
    }
}

/// A challenge that was found alive, and its user.
pub struct Waiting {
    /// The row.
    pub row: Challenge,
    /// Whose it is, as they are now.
    pub user: User,
    /// What it is for.
    pub purpose: Purpose,
}

/// Begins something. `what` is what a login gives, or what is enrolled; `secret` is what the answer is checked with.
pub fn begin(
    app: &App,
    conn: &mut Conn,
    user: &User,
    client: &Client,
    purpose: Purpose,
    what: &str,
    secret: Option<&SecretString>,
) -> Result<SecretString, DbError> {
    let (token, now) = (random::token(), app.now());
    let token_hash = sha256_hex(token.as_bytes());
    let network = network(client);
    let begun = latchkey_challenge::Begun { user: user.id, purpose: purpose.name(), network: &network };
    latchkey_challenge::delete_oldest_of(conn, &begun, MOST - 1)?;
    let secret = secret.map(|secret| app.factors.seal.seal(&token_hash, secret));
    latchkey_challenge::insert(
        conn,
        &Challenge {
            token_hash,
            purpose: purpose.name().to_owned(),
            user_id: user.id,
            what: what.to_owned(),
            network,
            state: state(app, user),
            tries: 0,
            code_hash: None,
            code_expires_at: None,
            secret,
            created_at: now,
            expires_at: now + LIVES,
        },
    )?;
    Ok(token.into())
}

/// The challenge of a token, if it is alive and for one of these. Two statements.
pub fn find(
    app: &App,
    conn: &mut Conn,
    token: &SecretString,
    purposes: &[Purpose],
) -> Result<Option<Waiting>, DbError> {
    let token_hash = sha256_hex(token.expose_secret().as_bytes());
    let Some(row) = latchkey_challenge::find(conn, &token_hash)? else { return Ok(None) };
    let wanted = Purpose::ALL.into_iter().find(|purpose| purpose.name() == row.purpose && purposes.contains(purpose));
    let Some(purpose) = wanted.filter(|_| row.tries < TRIES) else { return Ok(None) };
    let Some(user) = users::find(conn, row.user_id)? else { return Ok(None) };
    Ok(holds(app, &row, &user).then_some(Waiting { row, user, purpose }))
}

/// Counts a try; `false` if there were too many, and it must not be looked at.
pub fn count_try(conn: &mut Conn, row: &Challenge) -> Result<bool, DbError> {
    latchkey_challenge::count_try(conn, &row.token_hash, TRIES)
}

/// Takes a challenge, for good; `false` if somebody was quicker, or it died meanwhile, or another code was mailed. `user`
/// is locked and fresh.
pub fn spend(app: &App, conn: &mut Conn, waiting: &Waiting, user: &User) -> Result<bool, DbError> {
    let Some(row) = latchkey_challenge::find(conn, &waiting.row.token_hash)? else { return Ok(false) };
    let is_same = row.code_hash == waiting.row.code_hash && holds(app, &row, user);
    Ok(is_same && latchkey_challenge::delete(conn, &row.token_hash)?)
}

/// What a user has begun ends, but for logins and but for one visit: it stood for what was taken from the account, and may
/// be in other hands.
pub fn end_all(conn: &mut Conn, user: UserId, kept: Option<&Visit>) -> Result<(), DbError> {
    latchkey_challenge::delete_of(conn, user, Purpose::Login.name(), kept.map_or("", Visit::token_hash))
}

/// What the answer is checked with.
pub fn secret(app: &App, row: &Challenge) -> Option<SecretString> {
    app.factors.seal.open(&row.token_hash, row.secret.as_deref()?)
}

/// Replaces it.
pub fn keep_secret(app: &App, conn: &mut Conn, row: &Challenge, secret: &SecretString) -> Result<(), DbError> {
    latchkey_challenge::update_secret(conn, &row.token_hash, &app.factors.seal.seal(&row.token_hash, secret))
}

/// Whether what a challenge was begun under is still so.
pub(super) fn holds(app: &App, row: &Challenge, user: &User) -> bool {
    row.user_id == user.id
        && row.expires_at > app.now()
        && user.is_active
        && equal(row.state.as_bytes(), state(app, user).as_bytes())
}

/// A fingerprint of the password: what was made under another one is dead.
pub(super) fn state(app: &App, user: &User) -> String {
    let secret = app.config.secret_key.expose_secret().as_bytes();
    random::hex(&hmac_sha256(secret, format!("latchkey challenge {} {}", user.id, user.password.0).as_bytes()))
}
