//! `latchkey_token`: what we know of an outstanding token beyond Django's columns: lineage, key, why it was blacklisted.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::schema::latchkey_token;
use super::types::{Instant, Key, TokenId, UserId};
use super::{Conn, DbError};

/// Records what a token was made with and from.
pub fn insert(conn: &mut Conn, token: TokenId, kid: &str, rotated_from: Option<TokenId>) -> Result<(), DbError> {
    diesel::insert_into(latchkey_token::table)
        .values((
            latchkey_token::token_id.eq(token),
            latchkey_token::kid.eq(kid),
            latchkey_token::rotated_from.eq(rotated_from),
        ))
        .execute(conn)?;
    Ok(())
}

/// Why and by whom a token was blacklisted. A token that Django wrote gets its row here.
#[derive(Clone, Copy, Insertable, AsChangeset)]
#[diesel(table_name = latchkey_token)]
pub struct Blacklisting<'a> {
    /// `rotated`, `logout` …
    pub blacklist_reason: &'a str,
    /// A username, "Command line", "Latchkey".
    pub blacklisted_by: &'a str,
    /// When it was rotated into another one, if that is the reason.
    pub rotated_at: Option<Instant>,
}

/// Remembers why a token was blacklisted. The caller has just blacklisted it, so nobody else is here for it.
pub fn update_blacklisting(conn: &mut Conn, token: TokenId, why: Blacklisting<'_>) -> Result<(), DbError> {
    if diesel::update(latchkey_token::table.find(token)).set(why).execute(conn)? == 0 {
        diesel::insert_into(latchkey_token::table).values((latchkey_token::token_id.eq(token), why)).execute(conn)?;
    }
    Ok(())
}

/// The same for all tokens of a user that are not blacklisted yet, before they are.
pub fn update_blacklisting_of(conn: &mut Conn, user: UserId, reason: &str, by: &str) -> Result<(), DbError> {
    // SQLite numbers `$1`, `$2` … by first appearance, so they appear in order.
    diesel::sql_query(
        "INSERT INTO latchkey_token (token_id) SELECT o.id FROM token_blacklist_outstandingtoken o \
         LEFT JOIN token_blacklist_blacklistedtoken b ON b.token_id = o.id \
         WHERE b.id IS NULL AND o.user_id = $1 ON CONFLICT DO NOTHING",
    )
    .bind::<Key, _>(user)
    .execute(conn)?;
    diesel::sql_query(
        "UPDATE latchkey_token SET blacklist_reason = $1, blacklisted_by = $2 WHERE token_id IN (\
         SELECT o.id FROM token_blacklist_outstandingtoken o \
         LEFT JOIN token_blacklist_blacklistedtoken b ON b.token_id = o.id WHERE b.id IS NULL AND o.user_id = $3)",
    )
    .bind::<Text, _>(reason)
    .bind::<Text, _>(by)
    .bind::<Key, _>(user)
    .execute(conn)?;
    Ok(())
}
