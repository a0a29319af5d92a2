//! `latchkey_browser`: browsers that users chose to be remembered in, by the hash of a token that each browser keeps.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::schema::latchkey_browser;
use super::types::{Instant, Moment, UserId};
use super::user_id::UserKey;
use super::{Conn, DbError};

/// A remembered browser.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = latchkey_browser)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct Browser {
    pub token_hash: String,
    pub id: String,
    pub user_id: UserId,
    pub state: String,
    pub created_at: Instant,
    pub last_used_at: Instant,
    pub expires_at: Instant,
    pub ip: Option<String>,
    pub user_agent: String,
}

/// Remembers a browser.
pub fn insert(conn: &mut Conn, browser: &Browser) -> Result<(), DbError> {
    diesel::insert_into(latchkey_browser::table).values(browser.clone()).execute(conn)?;
    Ok(())
}

/// The browser with this token.
pub fn find(conn: &mut Conn, token_hash: &str) -> Result<Option<Browser>, DbError> {
    Ok(latchkey_browser::table.find(token_hash).select(Browser::as_select()).first(conn).optional()?)
}

/// Up to `limit` remembered browsers of a user, last used first.
pub fn list_of(conn: &mut Conn, user: UserId, now: Instant, limit: i64) -> Result<Vec<Browser>, DbError> {
    Ok(latchkey_browser::table
        .filter(latchkey_browser::user_id.eq(user))
        .filter(latchkey_browser::expires_at.gt(now))
        .order(latchkey_browser::last_used_at.desc())
        .limit(limit)
        .select(Browser::as_select())
        .load(conn)?)
}

/// Notes a login from a browser.
pub fn update_used(conn: &mut Conn, token_hash: &str, at: Instant, ip: Option<&str>) -> Result<(), DbError> {
    diesel::update(latchkey_browser::table.find(token_hash))
        .set((latchkey_browser::last_used_at.eq(at), latchkey_browser::ip.eq(ip)))
        .execute(conn)?;
    Ok(())
}

/// Replaces a fingerprint by another in a user's browsers.
pub fn update_state(conn: &mut Conn, user: UserId, old: &str, new: &str) -> Result<(), DbError> {
    let those = latchkey_browser::table.filter(latchkey_browser::user_id.eq(user));
    diesel::update(those.filter(latchkey_browser::state.eq(old))).set(latchkey_browser::state.eq(new)).execute(conn)?;
    Ok(())
}

/// Forgets one of a user's browsers; `false` if none has that id.
pub fn delete(conn: &mut Conn, user: UserId, id: &str) -> Result<bool, DbError> {
    let row = latchkey_browser::table.filter(latchkey_browser::user_id.eq(user)).filter(latchkey_browser::id.eq(id));
    Ok(diesel::delete(row).execute(conn)? > 0)
}

/// Forgets all of a user's browsers; returns how many there were.
pub fn delete_of(conn: &mut Conn, user: UserId) -> Result<usize, DbError> {
    Ok(diesel::delete(latchkey_browser::table.filter(latchkey_browser::user_id.eq(user))).execute(conn)?)
}

/// Forgets all but the `keep` newest of a user's browsers.
pub fn delete_oldest_of(conn: &mut Conn, user: UserId, keep: i64) -> Result<(), DbError> {
    let query = "DELETE FROM latchkey_browser WHERE user_id = $1 AND token_hash NOT IN (SELECT token_hash \
                 FROM latchkey_browser WHERE user_id = $2 ORDER BY created_at DESC, token_hash LIMIT $3)";
    let query = diesel::sql_query(query).bind::<UserKey, _>(user).bind::<UserKey, _>(user).bind::<BigInt, _>(keep);
    query.execute(conn)?;
    Ok(())
}

/// Forgets up to `limit` browsers that expired before `before`; returns how many.
pub fn delete_expired(conn: &mut Conn, before: Instant, limit: i64) -> Result<usize, DbError> {
    let query = "DELETE FROM latchkey_browser WHERE token_hash IN \
                 (SELECT token_hash FROM latchkey_browser WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    Ok(diesel::sql_query(query).bind::<Moment, _>(before).bind::<BigInt, _>(limit).execute(conn)?)
}
