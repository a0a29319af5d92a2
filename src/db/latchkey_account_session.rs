//! `latchkey_account_session`: logins to the account pages, by a hash of the token in their cookie.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::schema::latchkey_account_session;
use super::types::{Instant, Moment, UserId};
use super::{Conn, DbError};

/// Maximum number of rows deleted per call; normally there is one, and more after the limit was lowered.
const MAX_DELETED: i64 = 100;

/// A session.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = latchkey_account_session)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct AccountSession {
    pub token_hash: String,
    pub user_id: UserId,
    pub by_factor: bool,
    pub network: String,
    pub state: String,
    pub created_at: Instant,
    pub expires_at: Instant,
}

/// Adds a session.
pub fn insert(conn: &mut Conn, session: &AccountSession) -> Result<(), DbError> {
    diesel::insert_into(latchkey_account_session::table).values(session.clone()).execute(conn)?;
    Ok(())
}

/// The session of a token.
pub fn find(conn: &mut Conn, token_hash: &str) -> Result<Option<AccountSession>, DbError> {
    let row = latchkey_account_session::table.find(token_hash);
    Ok(row.select(AccountSession::as_select()).first(conn).optional()?)
}

/// Notes that a factor was used in the session.
pub fn update_by_factor(conn: &mut Conn, token_hash: &str) -> Result<(), DbError> {
    let row = latchkey_account_session::table.find(token_hash);
    diesel::update(row).set(latchkey_account_session::by_factor.eq(true)).execute(conn)?;
    Ok(())
}

/// Deletes a session.
pub fn delete(conn: &mut Conn, token_hash: &str) -> Result<(), DbError> {
    diesel::delete(latchkey_account_session::table.find(token_hash)).execute(conn)?;
    Ok(())
}

/// Deletes all sessions of a user except one.
pub fn delete_of(conn: &mut Conn, user: UserId, kept: Option<&str>) -> Result<(), DbError> {
    let of_user = latchkey_account_session::table.filter(latchkey_account_session::user_id.eq(user));
    diesel::delete(of_user.filter(latchkey_account_session::token_hash.ne(kept.unwrap_or("")))).execute(conn)?;
    Ok(())
}

/// Deletes all but the `keep` newest sessions of a user from a network.
pub fn delete_oldest_of(conn: &mut Conn, user: UserId, network: &str, keep: i64) -> Result<(), DbError> {
    let those = latchkey_account_session::table
        .filter(latchkey_account_session::user_id.eq(user))
        .filter(latchkey_account_session::network.eq(network));
    let newest = (latchkey_account_session::created_at.desc(), latchkey_account_session::token_hash);
    let old: Vec<String> =
        those.order(newest).select(latchkey_account_session::token_hash).offset(keep).limit(MAX_DELETED).load(conn)?;
    if !old.is_empty() {
        let old = latchkey_account_session::table.filter(latchkey_account_session::token_hash.eq_any(old));
        diesel::delete(old).execute(conn)?;
    }
    Ok(())
}

/// Deletes up to `limit` sessions that expired before `before`; returns how many.
pub fn delete_expired(conn: &mut Conn, before: Instant, limit: i64) -> Result<usize, DbError> {
    let query = "DELETE FROM latchkey_account_session WHERE token_hash IN \
                 (SELECT token_hash FROM latchkey_account_session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    Ok(diesel::sql_query(query).bind::<Moment, _>(before).bind::<BigInt, _>(limit).execute(conn)?)
}
