//! Sessions: everything that grew from one login. Started, joined and ended here, as parts of a transaction that holds
//! the lock on the user's row. The database says which token belongs to which; the session claim only tells.

pub mod blacklist;

use serde_json::{Value, json};

use crate::app::App;
use crate::crypto::jwt::{self, Claims};
use crate::crypto::random;
use crate::db::blacklisted_tokens::Scope;
use crate::db::latchkey_session::list::Limits;
use crate::db::latchkey_session::{self, Ended, Refreshed, Session};
use crate::db::outstanding_tokens::{self, Recorded};
use crate::db::types::{Instant, UserId};
use crate::db::{Conn, DbError, latchkey_token};
use crate::journal::Client;
use crate::journal::reason::Reason;

/// So many sessions a login ends at most.
const MOST_AT_ONCE: usize = 100;

/// Starts a session whose first token expires then. `None` where tokens carry no id: nothing could be said of them later.
pub fn start(
    app: &App,
    conn: &mut Conn,
    user: UserId,
    client: &Client,
    expires_at: Instant,
) -> Result<Option<Session>, DbError> {
    if app.config.jwt.jti_claim.is_none() {
        return Ok(None);
    }
    let session = Session {
        id: random::jti(),
        user_id: user,
        created_at: app.now(),
        last_refreshed_at: None,
        expires_at,
        ended_at: None,
        end_reason: None,
        ended_by: None,
        ip: client.address(),
        user_agent: client.user_agent.clone(),
        label: String::new(),
    };
    latchkey_session::insert(conn, &session)?;
    Ok(Some(session))
}

/// The oldest sessions end, so that with a new one there are no more than `SESSION_MAX_PER_USER`.
pub fn make_room(app: &App, conn: &mut Conn, user: UserId, now: Instant) -> Result<(), DbError> {
    let Some(most) = app.config.sessions.max_per_user else { return Ok(()) };
    let live = latchkey_session::list_live_of(conn, user, now)?;
    // Where the limit is new there may be thousands: the next logins end the rest.
    let surplus = (live.len() + 1).saturating_sub(most).min(MOST_AT_ONCE);
    for session in &live[..surplus] {
        end(app, conn, session, (Reason::TooMany, "Latchkey"), now)?;
    }
    Ok(())
}

/// The session that a token of the user belongs to, if it has one: by the database, or else by its claim (Django copies
/// that when it rotates a token of ours).
pub fn known(
    app: &App,
    conn: &mut Conn,
    presented: &Claims,
    recorded: Option<&Recorded>,
    user: UserId,
) -> Result<Option<Session>, DbError> {
    match recorded.and_then(|recorded| recorded.session.clone()) {
        Some(session) => Ok(Some(session)),
        None => Ok(named(app, conn, presented)?.filter(|session| session.user_id == user)),
    }
}

/// The session that a token's claim names.
pub fn named(app: &App, conn: &mut Conn, claims: &Claims) -> Result<Option<Session>, DbError> {
    match claim(app, claims) {
        Some(id) => latchkey_session::find(conn, id),
        None => Ok(None),
    }
}

/// The value of the session claim, if it is one that a session can have.
pub fn claim<'a>(app: &App, claims: &'a Claims) -> Option<&'a str> {
    claims.get(app.config.jwt.session_claim.as_ref()?)?.as_str().filter(|value| is_id(value))
}

/// Whether a session can have that id. Nothing else is asked of the database.
pub fn is_id(id: &str) -> bool {
    id.len() <= 32 && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Writes the session claim.
pub fn set_claim(app: &App, claims: &mut Claims, session: Option<&Session>) {
    if let (Some(name), Some(session)) = (&app.config.jwt.session_claim, session) {
        claims.insert(name.clone(), json!(session.id));
    }
}

/// No token of a session lives longer than the session may.
pub fn cap(app: &App, claims: &mut Claims, session: Option<&Session>) {
    let (Some(max_age), Some(session)) = (app.config.sessions.max_age, session) else { return };
    let end = (session.created_at + max_age).timestamp();
    for name in ["exp", &app.config.jwt.sliding_token_refresh_exp_claim] {
        if claims.get(name).and_then(Value::as_i64).is_some_and(|exp| exp > end) {
            claims.insert(name.to_owned(), json!(end));
        }
    }
}

/// Why a session does not go on: it was ended, it is too old, or it was not used for too long.
pub fn fault(app: &App, session: &Session, presented: &Claims) -> Option<Reason> {
    let (limits, now) = (&app.config.sessions, app.now());
    if session.ended_at.is_some() {
        return Some(Reason::SessionEnd);
    }
    if limits.max_age.is_some_and(|age| session.created_at + age <= now) {
        return Some(Reason::MaxAge);
    }
    // A Django beside us may have refreshed it: then the token is younger than what we know.
    let issued = presented.get("iat").and_then(Value::as_i64).and_then(Instant::from_timestamp);
    let used = session.last_refreshed_at.unwrap_or(session.created_at).max(issued.unwrap_or(session.created_at));
    limits.idle_timeout.filter(|idle| used + *idle <= now).map(|_| Reason::Idle)
}

/// What a session needs to go on now, under these settings.
pub fn limits(app: &App) -> Limits {
    let (limits, now) = (&app.config.sessions, app.now());
    let ago = |time: Option<std::time::Duration>| time.map(|time| now - time);
    Limits { now, began_after: ago(limits.max_age), used_after: ago(limits.idle_timeout) }
}

/// Until when a session lives if nobody uses or ends it.
pub fn ends_at(app: &App, session: &Session) -> Instant {
    let limits = &app.config.sessions;
    let used = session.last_refreshed_at.unwrap_or(session.created_at);
    let ends = [limits.max_age.map(|age| session.created_at + age), limits.idle_timeout.map(|idle| used + idle)];
    ends.into_iter().flatten().fold(session.expires_at, Instant::min)
}

/// Notes that a token of the session was issued: who got it, and until when the session lives by it.
pub fn touch(
    app: &App,
    conn: &mut Conn,
    session: &Session,
    expires_at: Instant,
    client: &Client,
) -> Result<(), DbError> {
    let refreshed = Refreshed {
        last_refreshed_at: app.now(),
        expires_at: expires_at.max(session.expires_at),
        ip: client.address(),
        user_agent: &client.user_agent,
    };
    latchkey_session::update_refreshed(conn, &session.id, &refreshed)
}

/// Ends a session and blacklists its outstanding tokens, so that a Django beside us refuses them too.
/// `false` if it had ended before.
pub fn end(
    app: &App,
    conn: &mut Conn,
    session: &Session,
    (reason, by): (Reason, &str),
    now: Instant,
) -> Result<bool, DbError> {
    if app.beside_django {
        adopt_strays(app, conn, session, now)?;
    }
    blacklist::blacklist_scope(conn, Scope::Session(session.user_id, &session.id), (reason, by), now)?;
    let ended = Ended { ended_at: now, end_reason: reason.name(), ended_by: by };
    latchkey_session::update_ended(conn, &session.id, ended)
}

/// Ends a session of which no live token is left.
pub fn end_if_spent(
    app: &App,
    conn: &mut Conn,
    session: &Session,
    (reason, by): (Reason, &str),
) -> Result<(), DbError> {
    let ended = Ended { ended_at: app.now(), end_reason: reason.name(), ended_by: by };
    latchkey_session::update_ended_if_spent(conn, &session.id, ended)
}

/// Takes in the tokens of the session that a Django rotated: only their claim says that they belong to it.
fn adopt_strays(app: &App, conn: &mut Conn, session: &Session, now: Instant) -> Result<(), DbError> {
    for (id, token) in outstanding_tokens::list_without_session(conn, session.user_id, now)? {
        if jwt::peek(&token).is_some_and(|(_, read)| claim(app, &read) == Some(&session.id)) {
            latchkey_token::update_session(conn, id, &session.id)?;
        }
    }
    Ok(())
}

/// Ends all sessions of a user but one, and blacklists all tokens that are not of that one. Answers how many tokens.
pub fn end_all(
    conn: &mut Conn,
    user: UserId,
    except: Option<&str>,
    (reason, by): (Reason, &str),
    now: Instant,
) -> Result<usize, DbError> {
    let ended = Ended { ended_at: now, end_reason: reason.name(), ended_by: by };
    latchkey_session::update_all_ended(conn, user, except, ended)?;
    let scope = except.map_or(Scope::User(user), |session| Scope::Others(user, session));
    blacklist::blacklist_scope(conn, scope, (reason, by), now)
}
