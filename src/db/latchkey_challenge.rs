//! `latchkey_challenge`: pending challenges, which are completed with a second factor, by the hash of their token.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::schema::latchkey_challenge;
use super::types::{Instant, Moment, UserId};
use super::{Conn, DbError};

/// `purpose` of a login with the right password.
pub const LOGIN: &str = "login";

/// Maximum number of rows deleted per call; normally there is one, and more after the limit was lowered.
const MAX_DELETED: i64 = 100;

/// A challenge.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = latchkey_challenge)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct Challenge {
    pub token_hash: String,
    pub purpose: String,
    pub user_id: UserId,
    pub what: String,
    pub network: String,
    pub state: String,
    pub tries: i32,
    pub code_hash: Option<String>,
    pub code_expires_at: Option<Instant>,
    pub secret: Option<String>,
    pub created_at: Instant,
    pub expires_at: Instant,
}

/// Records a challenge.
pub fn insert(conn: &mut Conn, challenge: &Challenge) -> Result<(), DbError> {
    diesel::insert_into(latchkey_challenge::table).values(challenge.clone()).execute(conn)?;
    Ok(())
}

/// The challenge with this token.
pub fn find(conn: &mut Conn, token_hash: &str) -> Result<Option<Challenge>, DbError> {
    Ok(latchkey_challenge::table.find(token_hash).select(Challenge::as_select()).first(conn).optional()?)
}

/// Counts an attempt; `false` if there have been `most` already, or if there is no such challenge.
pub fn count_try(conn: &mut Conn, token_hash: &str, most: i32) -> Result<bool, DbError> {
    let row = latchkey_challenge::table.find(token_hash).filter(latchkey_challenge::tries.lt(most));
    Ok(diesel::update(row).set(latchkey_challenge::tries.eq(latchkey_challenge::tries + 1)).execute(conn)? > 0)
}

/// Stores the mailed code in place of an earlier one.
pub fn update_code(conn: &mut Conn, token_hash: &str, hash: &str, expires_at: Instant) -> Result<(), DbError> {
    diesel::update(latchkey_challenge::table.find(token_hash))
        .set((latchkey_challenge::code_hash.eq(hash), latchkey_challenge::code_expires_at.eq(expires_at)))
        .execute(conn)?;
    Ok(())
}

/// Stores what the answer is checked with.
pub fn update_secret(conn: &mut Conn, token_hash: &str, secret: &str) -> Result<(), DbError> {
    let row = latchkey_challenge::table.find(token_hash);
    diesel::update(row).set(latchkey_challenge::secret.eq(secret)).execute(conn)?;
    Ok(())
}

/// Deletes the challenges of a user except those of one purpose.
pub fn delete_of(conn: &mut Conn, user: UserId, except: &str) -> Result<(), DbError> {
    let of_user = latchkey_challenge::table.filter(latchkey_challenge::user_id.eq(user));
    let others = of_user.filter(latchkey_challenge::purpose.ne(except));
    diesel::delete(others).execute(conn)?;
    Ok(())
}

/// Uses up a challenge; `false` if somebody else was faster.
pub fn delete(conn: &mut Conn, token_hash: &str) -> Result<bool, DbError> {
    Ok(diesel::delete(latchkey_challenge::table.find(token_hash)).execute(conn)? > 0)
}

/// Who began challenges for what, and where.
pub struct Begun<'a> {
    /// The user.
    pub user: UserId,
    /// What they are for.
    pub purpose: &'a str,
    /// The network that they were begun from.
    pub network: &'a str,
}

/// Deletes all but the `keep` newest of these challenges.
pub fn delete_oldest_of(conn: &mut Conn, begun: &Begun<'_>, keep: i64) -> Result<(), DbError> {
    let those = latchkey_challenge::table
        .filter(latchkey_challenge::user_id.eq(begun.user))
        .filter(latchkey_challenge::purpose.eq(begun.purpose))
        .filter(latchkey_challenge::network.eq(begun.network));
    let newest = (latchkey_challenge::created_at.desc(), latchkey_challenge::token_hash);
    let old: Vec<String> =
        those.order(newest).select(latchkey_challenge::token_hash).offset(keep).limit(MAX_DELETED).load(conn)?;
    if !old.is_empty() {
        let old = latchkey_challenge::table.filter(latchkey_challenge::token_hash.eq_any(old));
        diesel::delete(old).execute(conn)?;
    }
    Ok(())
}

/// Deletes up to `limit` challenges that expired before `before`; returns how many.
pub fn delete_expired(conn: &mut Conn, before: Instant, limit: i64) -> Result<usize, DbError> {
    let query = "DELETE FROM latchkey_challenge WHERE token_hash IN \
                 (SELECT token_hash FROM latchkey_challenge WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    Ok(diesel::sql_query(query).bind::<Moment, _>(before).bind::<BigInt, _>(limit).execute(conn)?)
}
