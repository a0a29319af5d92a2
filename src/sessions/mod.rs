//! Sessions: each login and everything that grew from it. Functions start, extend and end them, as part of a
//! transaction that holds the lock on the user's row. The database decides which token belongs to which session; the
//! session claim only informs.

pub mod blacklist;

use serde_json::{Value, json};

use crate::app::{App, Tx};
use crate::crypto::jwt::{self, Claims};
use crate::crypto::random;
use crate::db::blacklisted_tokens::Scope;
use crate::db::latchkey_session::list::Limits;
use crate::db::latchkey_session::{self, Ended, Refreshed, Session};
use crate::db::outstanding_tokens::{self, Recorded};
use crate::db::types::{Instant, UserId};
use crate::db::{DbError, latchkey_token};
use crate::journal::Client;
use crate::journal::reason::Reason;

/// How many sessions one login ends at most.
const MOST_AT_ONCE: usize = 100;

/// Starts a session whose first token expires at `expires_at`. `None` if tokens carry no id, because they could not be
/// traced to it.
pub fn start(tx: &mut Tx<'_>, user: UserId, client: &Client, expires_at: Instant) -> Result<Option<Session>, DbError> {
    if tx.app.config.jwt.jti_claim.is_none() {
        return Ok(None);
    }
    let session = Session {
        id: random::jti(),
        user_id: user,
        created_at: tx.now,
        last_refreshed_at: None,
        expires_at,
        ended_at: None,
        end_reason: None,
        ended_by: None,
        ip: client.address(),
        user_agent: client.user_agent.clone(),
        label: String::new(),
    };
    latchkey_session::insert(tx.conn, &session)?;
    Ok(Some(session))
}

/// Ends the oldest sessions, so that a new one does not exceed `SESSION_MAX_PER_USER`.
pub fn make_room(tx: &mut Tx<'_>, user: UserId) -> Result<(), DbError> {
    let Some(most) = tx.app.config.sessions.max_per_user else { return Ok(()) };
    let live = latchkey_session::list_live_of(tx.conn, user, tx.now)?;
    // If the limit is new, there may be thousands: the next logins end the rest.
    let surplus = (live.len() + 1).saturating_sub(most).min(MOST_AT_ONCE);
    for session in &live[..surplus] {
        end(tx, session, (Reason::TooMany, "Latchkey"))?;
    }
    Ok(())
}

/// The session that a token of the user belongs to, if any: by the database, or else by its claim (Django copies the
/// claim when it rotates one of our tokens).
pub fn known(
    tx: &mut Tx<'_>,
    presented: &Claims,
    recorded: Option<&Recorded>,
    user: UserId,
) -> Result<Option<Session>, DbError> {
    match recorded.and_then(|recorded| recorded.session.clone()) {
        Some(session) => Ok(Some(session)),
        None => Ok(named(tx, presented)?.filter(|session| session.user_id == user)),
    }
}

/// The session that a token's claim names.
pub fn named(tx: &mut Tx<'_>, claims: &Claims) -> Result<Option<Session>, DbError> {
    match claim(tx.app, claims) {
        Some(id) => latchkey_session::find(tx.conn, id),
        None => Ok(None),
    }
}

/// The value of the session claim, if it is a possible id.
pub fn claim<'a>(app: &App, claims: &'a Claims) -> Option<&'a str> {
    claims.get(app.config.jwt.session_claim.as_ref()?)?.as_str().filter(|value| is_id(value))
}

/// Whether this can be a session's id. Other values are never looked up.
pub fn is_id(id: &str) -> bool {
    id.len() <= 32 && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Writes the session claim.
pub fn set_claim(app: &App, claims: &mut Claims, session: Option<&Session>) {
    if let (Some(name), Some(session)) = (&app.config.jwt.session_claim, session) {
        claims.insert(name.clone(), json!(session.id));
    }
}

/// Caps the expiry of a token at the maximum age of its session.
pub fn cap(app: &App, claims: &mut Claims, session: Option<&Session>) {
    let (Some(max_age), Some(session)) = (app.config.sessions.max_age, session) else { return };
    let end = (session.created_at + max_age).timestamp();
    for name in ["exp", &app.config.jwt.sliding_token_refresh_exp_claim] {
        if claims.get(name).and_then(Value::as_i64).is_some_and(|exp| exp > end) {
            claims.insert(name.to_owned(), json!(end));
        }
    }
}

/// Why a session cannot continue: it has ended, is too old, or was unused for too long.
pub fn fault(app: &App, session: &Session, presented: &Claims) -> Option<Reason> {
    let (limits, now) = (&app.config.sessions, app.now());
    if session.ended_at.is_some() {
        return Some(Reason::SessionEnd);
    }
    if limits.max_age.is_some_and(|age| session.created_at + age <= now) {
        return Some(Reason::MaxAge);
    }
    // A Django on the same database may have refreshed it: then the token is younger than our row.
    let issued = presented.get("iat").and_then(Value::as_i64).and_then(Instant::from_timestamp);
    let used = session.last_used().max(issued.unwrap_or(session.created_at));
    limits.idle_timeout.filter(|idle| used + *idle <= now).map(|_| Reason::Idle)
}

/// The limits that a session has to meet now, under these settings.
pub fn limits(app: &App) -> Limits {
    let (limits, now) = (&app.config.sessions, app.now());
    let ago = |time: Option<std::time::Duration>| time.map(|time| now - time);
    Limits { now, began_after: ago(limits.max_age), used_after: ago(limits.idle_timeout) }
}

/// When a session ends if it is not used or ended before.
pub fn ends_at(app: &App, session: &Session) -> Instant {
    let limits = &app.config.sessions;
    let used = session.last_used();
    let ends = [limits.max_age.map(|age| session.created_at + age), limits.idle_timeout.map(|idle| used + idle)];
    ends.into_iter().flatten().fold(session.expires_at, Instant::min)
}

/// Records that a token of the session was issued: the client, and the session's new expiry.
pub fn touch(tx: &mut Tx<'_>, session: &Session, expires_at: Instant, client: &Client) -> Result<(), DbError> {
    let refreshed = Refreshed {
        last_refreshed_at: tx.now,
        expires_at: expires_at.max(session.expires_at),
        ip: client.address(),
        user_agent: &client.user_agent,
    };
    latchkey_session::update_refreshed(tx.conn, &session.id, &refreshed)
}

/// Ends a session and blacklists its outstanding tokens, so that a Django on the same database refuses them too.
/// `false` if it had already ended.
pub fn end(tx: &mut Tx<'_>, session: &Session, (reason, by): (Reason, &str)) -> Result<bool, DbError> {
    if tx.app.beside_django {
        adopt_strays(tx, session)?;
    }
    blacklist::blacklist_scope(tx, Scope::Session(session.user_id, &session.id), (reason, by))?;
    let ended = Ended { ended_at: tx.now, end_reason: reason.name(), ended_by: by };
    latchkey_session::update_ended(tx.conn, &session.id, ended)
}

/// Ends a session that has no live token left.
pub fn end_if_spent(tx: &mut Tx<'_>, session: &Session, (reason, by): (Reason, &str)) -> Result<(), DbError> {
    let ended = Ended { ended_at: tx.now, end_reason: reason.name(), ended_by: by };
    latchkey_session::update_ended_if_spent(tx.conn, &session.id, ended)
}

/// Adds tokens of the session that Django rotated: only their claim says that they belong to it.
fn adopt_strays(tx: &mut Tx<'_>, session: &Session) -> Result<(), DbError> {
    for (id, token) in outstanding_tokens::list_without_session(tx.conn, session.user_id, tx.now)? {
        if jwt::peek(&token).is_some_and(|(_, read)| claim(tx.app, &read) == Some(&session.id)) {
            latchkey_token::update_session(tx.conn, id, &session.id)?;
        }
    }
    Ok(())
}

/// Ends all sessions of a user but one, and blacklists all tokens outside that one. Returns the number of tokens.
pub fn end_all(
    tx: &mut Tx<'_>,
    user: UserId,
    except: Option<&str>,
    (reason, by): (Reason, &str),
) -> Result<usize, DbError> {
    let ended = Ended { ended_at: tx.now, end_reason: reason.name(), ended_by: by };
    latchkey_session::update_all_ended(tx.conn, user, except, ended)?;
    let scope = except.map_or(Scope::User(user), |session| Scope::Others(user, session));
    blacklist::blacklist_scope(tx, scope, (reason, by))
}
