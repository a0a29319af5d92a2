//! The tokens of a session, each rotated into the next, for the panel's picture of it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::db::schema::{blacklisted_tokens, latchkey_token, outstanding_tokens};
use crate::db::types::{Instant, TokenId};
use crate::db::{Conn, DbError};

/// A token of a session.
#[derive(Debug, Clone, Queryable)]
#[allow(missing_docs, reason = "Django's columns and ours")]
pub struct SessionToken {
    pub id: TokenId,
    pub jti: String,
    pub created_at: Option<Instant>,
    pub expires_at: Instant,
    pub blacklisted_at: Option<Instant>,
    pub rotated_at: Option<Instant>,
    pub blacklist_reason: Option<String>,
    /// The address it was issued to.
    pub ip: Option<String>,
}

/// The keys of all tokens of a session, in the order in which they were issued; there may be thousands.
pub fn list_ids(conn: &mut Conn, session: &str) -> Result<Vec<TokenId>, DbError> {
    let of_session = latchkey_token::table.filter(latchkey_token::session_id.eq(session));
    Ok(of_session.order(latchkey_token::token_id).select(latchkey_token::token_id).load(conn)?)
}

/// Some of these tokens, in the same order.
pub fn list(conn: &mut Conn, ids: &[TokenId]) -> Result<Vec<SessionToken>, DbError> {
    Ok(outstanding_tokens::table
        .left_join(blacklisted_tokens::table)
        .inner_join(latchkey_token::table.on(latchkey_token::token_id.eq(outstanding_tokens::id)))
        .filter(outstanding_tokens::id.eq_any(ids))
        .order(outstanding_tokens::id)
        .select((
            outstanding_tokens::id,
            outstanding_tokens::jti,
            outstanding_tokens::created_at,
            outstanding_tokens::expires_at,
            blacklisted_tokens::blacklisted_at.nullable(),
            latchkey_token::rotated_at,
            latchkey_token::blacklist_reason,
            latchkey_token::ip,
        ))
        .load(conn)?)
}

/// An address to which tokens of a session were issued.
#[derive(Debug, Clone, QueryableByName)]
pub struct Address {
    /// The address.
    #[diesel(sql_type = Nullable<Text>)]
    pub ip: Option<String>,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// Up to `limit` addresses of a session, in order of first use.
pub fn list_addresses(conn: &mut Conn, session: &str, limit: i64) -> Result<Vec<Address>, DbError> {
    let text = format!(
        "SELECT ip, count(*) AS count FROM latchkey_token WHERE session_id = $1 AND ip IS NOT NULL GROUP BY ip \
         ORDER BY min(token_id) LIMIT {limit}"
    );
    Ok(diesel::sql_query(text).bind::<Text, _>(session).load(conn)?)
}
