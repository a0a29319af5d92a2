//! `latchkey_link`: mailed links, by the hash of their token. What they can be used for is decided in `accounts::link`.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::schema::latchkey_link;
use super::types::{Instant, Moment, UserId};
use super::{Conn, DbError};

/// A mailed link.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = latchkey_link)]
pub struct MailedLink {
    /// SHA-256 of its token, in hexadecimal.
    pub token_hash: String,
    /// What it is for.
    pub purpose: String,
    /// Whose it is.
    pub user_id: UserId,
    /// The address that it was mailed to.
    pub email: String,
    /// A fingerprint of the user when it was made.
    pub state: String,
    /// Where it was requested from: an IPv4 address or an IPv6 /64.
    pub network: String,
    /// When it was made.
    pub created_at: Instant,
    /// When it expires.
    pub expires_at: Instant,
}

/// Records a link.
pub fn insert(conn: &mut Conn, link: &MailedLink) -> Result<(), DbError> {
    diesel::insert_into(latchkey_link::table).values(link.clone()).execute(conn)?;
    Ok(())
}

/// The link with this token.
pub fn find(conn: &mut Conn, token_hash: &str) -> Result<Option<MailedLink>, DbError> {
    Ok(latchkey_link::table.find(token_hash).select(MailedLink::as_select()).first(conn).optional()?)
}

/// Deletes a link; `false` if somebody else was faster.
pub fn delete(conn: &mut Conn, token_hash: &str) -> Result<bool, DbError> {
    Ok(diesel::delete(latchkey_link::table.find(token_hash)).execute(conn)? > 0)
}

/// Deletes all links of a user for a purpose; returns how many there were.
pub fn delete_of(conn: &mut Conn, user: UserId, purpose: &str) -> Result<usize, DbError> {
    let of = latchkey_link::table.filter(latchkey_link::user_id.eq(user)).filter(latchkey_link::purpose.eq(purpose));
    Ok(diesel::delete(of).execute(conn)?)
}

/// Deletes up to `limit` links that expired before `before`; returns how many.
pub fn delete_expired(conn: &mut Conn, before: Instant, limit: i64) -> Result<usize, DbError> {
    let query = "DELETE FROM latchkey_link WHERE token_hash IN \
                 (SELECT token_hash FROM latchkey_link WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    Ok(diesel::sql_query(query).bind::<Moment, _>(before).bind::<BigInt, _>(limit).execute(conn)?)
}
