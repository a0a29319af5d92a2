//! `latchkey_session`: a login and everything that follows from it. Which tokens belong to a session is in `latchkey_token`. The
//! panel's list of sessions is in `list`.

pub mod list;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::page::{self, Total};
use super::schema::{blacklisted_tokens, latchkey_session, latchkey_token, outstanding_tokens};
use super::sql::{Sql, Value};
use super::types::{Instant, Moment, UserId};
use super::{Conn, DbError};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = latchkey_session)]
pub struct Session {
    /// Random; the session claim of its tokens.
    pub id: String,
    /// Whose it is.
    pub user_id: UserId,
    /// When they logged in.
    pub created_at: Instant,
    /// When one of its tokens was last refreshed.
    pub last_refreshed_at: Option<Instant>,
    /// When its latest token expires.
    pub expires_at: Instant,
    /// When it was ended, if it did not simply expire.
    pub ended_at: Option<Instant>,
    /// Why: `logout`, `reuse` …
    pub end_reason: Option<String>,
    /// By whom: a username, "Command line", "Latchkey".
    pub ended_by: Option<String>,
    /// The address from which it was last used.
    pub ip: Option<String>,
    /// The `User-Agent` of that use.
    pub user_agent: String,
    /// The name its user gave it.
    pub label: String,
}

impl Session {
    /// When it was last refreshed, or else when its login was.
    pub fn last_used(&self) -> Instant {
        self.last_refreshed_at.unwrap_or(self.created_at)
    }
}

/// What a use of a session changes.
#[derive(Clone)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct Refreshed<'a> {
    pub last_refreshed_at: Instant,
    pub expires_at: Instant,
    pub ip: Option<String>,
    pub user_agent: &'a str,
}

/// Why and by whom sessions are ended.
#[derive(Clone, Copy, AsChangeset)]
#[diesel(table_name = latchkey_session)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct Ended<'a> {
    pub ended_at: Instant,
    pub end_reason: &'a str,
    pub ended_by: &'a str,
}

/// Records a new session.
pub fn insert(conn: &mut Conn, session: &Session) -> Result<(), DbError> {
    let text = "INSERT INTO latchkey_session (id, user_id, created_at, last_refreshed_at, expires_at, ended_at, \
                end_reason, ended_by, ip, user_agent, label) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = [
        (&*session.id).into(),
        session.user_id.into(),
        session.created_at.into(),
        session.last_refreshed_at.into(),
        session.expires_at.into(),
        session.ended_at.into(),
        session.end_reason.as_deref().into(),
        session.ended_by.as_deref().into(),
        session.ip.as_deref().into(),
        (&*session.user_agent).into(),
        (&*session.label).into(),
    ];
    Sql::fixed(text, &values).run(conn).map(drop)
}

/// One session.
pub fn find(conn: &mut Conn, id: &str) -> Result<Option<Session>, DbError> {
    Ok(latchkey_session::table.find(id).select(Session::as_select()).first(conn).optional()?)
}

/// How many sessions there are, exactly or approximately.
pub fn count(conn: &mut Conn) -> Result<Total, DbError> {
    let total = page::total(conn, "latchkey_session")?;
    // The ids are not numbers, so on SQLite their range means nothing.
    Ok(if matches!(total, Total::About(_)) && !conn.is_postgres() { Total::Unknown } else { total })
}

/// The sessions of a user that are neither ended nor expired, oldest first.
pub fn list_live_of(conn: &mut Conn, user: UserId, now: Instant) -> Result<Vec<Session>, DbError> {
    Ok(latchkey_session::table
        .filter(latchkey_session::user_id.eq(user))
        .filter(latchkey_session::ended_at.is_null().and(latchkey_session::expires_at.gt(now)))
        .order((latchkey_session::created_at, latchkey_session::id))
        .select(Session::as_select())
        .load(conn)?)
}

/// Up to `limit` of them, newest first.
pub fn list_newest_live_of(conn: &mut Conn, user: UserId, now: Instant, limit: i64) -> Result<Vec<Session>, DbError> {
    Ok(latchkey_session::table
        .filter(latchkey_session::user_id.eq(user))
        .filter(latchkey_session::ended_at.is_null().and(latchkey_session::expires_at.gt(now)))
        .order((latchkey_session::created_at.desc(), latchkey_session::id))
        .limit(limit)
        .select(Session::as_select())
        .load(conn)?)
}

/// How many sessions are neither ended nor expired: exact if there are few, otherwise a lower bound.
pub fn count_active(conn: &mut Conn, now: Instant) -> Result<Total, DbError> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        unexpired: i64,
        #[diesel(sql_type = BigInt)]
        active: i64,
    }
    const MAX_COUNTED: i64 = 10_000;
    // The first count needs only an index; only if there are few is each row read.
    let query = format!(
        "SELECT unexpired, CASE WHEN unexpired <= {MAX_COUNTED} THEN \
         (SELECT count(*) FROM latchkey_session WHERE expires_at > $1 AND ended_at IS NULL) ELSE unexpired END AS active \
         FROM (SELECT count(*) AS unexpired FROM \
         (SELECT 1 FROM latchkey_session WHERE expires_at > $1 LIMIT {MAX_COUNTED} + 1) AS firsts) AS counted"
    );
    let query = diesel::sql_query(query).bind::<Moment, _>(now);
    let Counted { unexpired, active } = query.get_result(conn)?;
    Ok(if unexpired <= MAX_COUNTED { Total::Exact(active) } else { Total::About(active) })
}

/// Notes that a token of the session was refreshed.
pub fn update_refreshed(conn: &mut Conn, id: &str, refreshed: &Refreshed<'_>) -> Result<(), DbError> {
    // An unknown address does not replace a known one.
    let text = "UPDATE latchkey_session SET last_refreshed_at = ?, expires_at = ?, ip = coalesce(?, ip), \
                user_agent = ? WHERE id = ?";
    let Refreshed { last_refreshed_at, expires_at, ip, user_agent } = refreshed;
    let values: [Value<'_>; 5] =
        [(*last_refreshed_at).into(), (*expires_at).into(), ip.as_deref().into(), (*user_agent).into(), id.into()];
    Sql::fixed(text, &values).run(conn).map(drop)
}

/// Ends a session; `false` if it had already ended.
pub fn update_ended(conn: &mut Conn, id: &str, ended: Ended<'_>) -> Result<bool, DbError> {
    let live = latchkey_session::table.find(id).filter(latchkey_session::ended_at.is_null());
    Ok(diesel::update(live).set(ended).execute(conn)? > 0)
}

/// Reopens an ended session.
pub fn update_reopened(conn: &mut Conn, id: &str) -> Result<(), DbError> {
    let change = (
        latchkey_session::ended_at.eq(None::<Instant>),
        latchkey_session::end_reason.eq(None::<&str>),
        latchkey_session::ended_by.eq(None::<&str>),
    );
    diesel::update(latchkey_session::table.find(id)).set(change).execute(conn)?;
    Ok(())
}

/// Ends a session if none of its tokens is valid any more.
pub fn update_ended_if_spent(conn: &mut Conn, id: &str, ended: Ended<'_>) -> Result<(), DbError> {
    let live = latchkey_token::table
        .inner_join(outstanding_tokens::table.on(outstanding_tokens::id.eq(latchkey_token::token_id)))
        .left_join(blacklisted_tokens::table.on(blacklisted_tokens::token_id.eq(latchkey_token::token_id)))
        .filter(latchkey_token::session_id.eq(id).and(outstanding_tokens::expires_at.gt(ended.ended_at)))
        .filter(blacklisted_tokens::id.is_null());
    let spent = latchkey_session::table.find(id).filter(latchkey_session::ended_at.is_null().and(not(exists(live))));
    diesel::update(spent).set(ended).execute(conn)?;
    Ok(())
}

/// Ends all sessions of a user except one; returns how many.
pub fn update_all_ended(
    conn: &mut Conn,
    user: UserId,
    except: Option<&str>,
    ended: Ended<'_>,
) -> Result<usize, DbError> {
    let live = latchkey_session::table
        .filter(latchkey_session::user_id.eq(user).and(latchkey_session::ended_at.is_null()))
        .filter(latchkey_session::id.ne(except.unwrap_or_default()));
    Ok(diesel::update(live).set(ended).execute(conn)?)
}

/// Names a session; `false` if none has that id.
pub fn update_label(conn: &mut Conn, id: &str, label: &str) -> Result<bool, DbError> {
    Ok(diesel::update(latchkey_session::table.find(id)).set(latchkey_session::label.eq(label)).execute(conn)? > 0)
}

/// Deletes up to `limit` sessions that expired before `expired`; returns how many.
///
/// A session that was ended is kept longer, until it had ended before `ended`: Django may have rotated one of its tokens itself,
/// and the row keeps that token from starting a new session here.
pub fn delete_over(conn: &mut Conn, expired: Instant, ended: Instant, limit: i64) -> Result<usize, DbError> {
    let over: Vec<String> = latchkey_session::table
        .filter(latchkey_session::expires_at.le(expired))
        .filter(latchkey_session::ended_at.is_null().or(latchkey_session::ended_at.le(ended)))
        .order(latchkey_session::expires_at)
        .select(latchkey_session::id)
        .limit(limit)
        .load(conn)?;
    Ok(diesel::delete(latchkey_session::table.filter(latchkey_session::id.eq_any(over))).execute(conn)?)
}
