//! `latchkey_token`: what we know about an outstanding token besides Django's columns: session, lineage, key, and why it was
//! blacklisted. All tokens of a session are listed in `chain`.

pub mod chain;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::blacklisted_tokens::Scope;
use super::schema::latchkey_token;
use super::sql::{Sql, Value};
use super::types::{Instant, TokenId};
use super::{Conn, DbError};

/// Where a token comes from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lineage<'a> {
    /// Id of the key that signed it.
    pub kid: Option<&'a str>,
    /// The session that it belongs to.
    pub session_id: Option<&'a str>,
    /// The token that it was rotated from.
    pub rotated_from: Option<TokenId>,
    /// The address it was issued to.
    pub ip: Option<&'a str>,
}

/// Records where a token comes from.
pub fn insert(conn: &mut Conn, token: TokenId, lineage: Lineage<'_>) -> Result<(), DbError> {
    let Lineage { kid, session_id, rotated_from, ip } = lineage;
    let text = "INSERT INTO latchkey_token (token_id, kid, session_id, rotated_from, ip) VALUES (?, ?, ?, ?, ?)";
    let values = [token.into(), kid.into(), session_id.into(), rotated_from.into(), ip.into()];
    Sql::fixed(text, &values).run(conn).map(drop)
}

/// Why and by whom a token was blacklisted. A token issued by Django gets its row here.
#[derive(Clone, Copy, Insertable)]
#[diesel(table_name = latchkey_token)]
pub struct Blacklisting<'a> {
    /// `rotated`, `logout` …
    pub blacklist_reason: &'a str,
    /// A username, "Command line", "Latchkey".
    pub blacklisted_by: &'a str,
    /// When it was rotated, if that is the reason.
    pub rotated_at: Option<Instant>,
    /// HMAC of the idempotency key with which the same rotation may be requested again.
    pub retry_key: Option<&'a str>,
    /// The session that it turned out to belong to.
    pub session_id: Option<&'a str>,
}

/// Records why a token was blacklisted. The caller has just blacklisted it, so nobody else is doing this.
pub fn update_blacklisting(conn: &mut Conn, token: TokenId, why: Blacklisting<'_>) -> Result<(), DbError> {
    let mut text = "UPDATE latchkey_token SET blacklist_reason = ?, blacklisted_by = ?".to_owned();
    let mut values: Vec<Value<'_>> = vec![why.blacklist_reason.into(), why.blacklisted_by.into()];
    // Columns without a new value are left alone.
    let others: [(_, Option<Value<'_>>); 3] = [
        (", rotated_at = ?", why.rotated_at.map(Value::from)),
        (", retry_key = ?", why.retry_key.map(Value::from)),
        (", session_id = ?", why.session_id.map(Value::from)),
    ];
    for (column, value) in others {
        text.push_str(if value.is_some() { column } else { "" });
        values.extend(value);
    }
    text.push_str(" WHERE token_id = ?");
    values.push(token.into());
    if Sql::fixed(&text, &values).run(conn)? == 0 {
        diesel::insert_into(latchkey_token::table).values((latchkey_token::token_id.eq(token), why)).execute(conn)?;
    }
    Ok(())
}

/// Forgets why a token was blacklisted, since it no longer is.
pub fn update_unblacklisted(conn: &mut Conn, token: TokenId) -> Result<(), DbError> {
    let change = (latchkey_token::blacklist_reason.eq(None::<&str>), latchkey_token::blacklisted_by.eq(None::<&str>));
    diesel::update(latchkey_token::table.find(token)).set(change).execute(conn)?;
    Ok(())
}

/// Assigns a token without a session to one. A token issued by Django gets its row here.
///
/// # Errors
/// `Unique` if somebody else did it at the same time.
pub fn update_session(conn: &mut Conn, token: TokenId, session: &str) -> Result<(), DbError> {
    let change = latchkey_token::session_id.eq(session);
    let alone = latchkey_token::table.find(token).filter(latchkey_token::session_id.is_null());
    if diesel::update(alone).set(change).execute(conn)? == 0 {
        insert(conn, token, Lineage { session_id: Some(session), ..Lineage::default() })?;
    }
    Ok(())
}

/// The same as `update_blacklisting` for all tokens in a scope that are not blacklisted yet; called before they are.
pub fn update_blacklisting_of(conn: &mut Conn, scope: Scope<'_>, reason: &str, by: &str) -> Result<(), DbError> {
    let missing = scope.select("INSERT INTO latchkey_token (token_id) SELECT o.id", " ON CONFLICT DO NOTHING");
    scope.bind(diesel::sql_query(missing).into_boxed()).execute(conn)?;
    // SQLite numbers `$1`, `$2` … by first appearance, so the scope's come first.
    let change = scope.select(
        "WITH gone AS (SELECT o.id",
        ") UPDATE latchkey_token SET blacklist_reason = $3, blacklisted_by = $4 WHERE token_id IN (SELECT id FROM gone)",
    );
    scope.bind(diesel::sql_query(change).into_boxed()).bind::<Text, _>(reason).bind::<Text, _>(by).execute(conn)?;
    Ok(())
}
