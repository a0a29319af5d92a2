//! `latchkey_audit_log`: who did what, and when. Rows are only ever added.

use diesel::prelude::*;

use super::schema::latchkey_audit_log;
use super::types::{Instant, RowId, UserId};
use super::{Conn, DbError};

/// An entry.
#[derive(Clone, Insertable)]
#[diesel(table_name = latchkey_audit_log)]
pub struct NewRow<'a> {
    /// When.
    pub at: Instant,
    /// What: `token.reveal`, `user.create` …
    pub action: &'a str,
    /// The user who did it, where it was one.
    pub actor_id: Option<UserId>,
    /// A username, "Command line", "Latchkey".
    pub actor: &'a str,
    /// Where the request came from.
    pub ip: Option<&'a str>,
    /// The user whom it is about.
    pub user_id: Option<UserId>,
    /// What it is about, for people: a username, a jti.
    pub object: &'a str,
    /// More, as JSON; never a secret.
    pub detail: &'a str,
}

/// Adds an entry.
pub fn insert(conn: &mut Conn, row: &NewRow<'_>) -> Result<(), DbError> {
    diesel::insert_into(latchkey_audit_log::table).values(row.clone()).execute(conn)?;
    Ok(())
}

/// An entry as it stands in the log.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = latchkey_audit_log)]
#[allow(missing_docs, reason = "the table's columns, see `NewRow`")]
pub struct Entry {
    pub id: RowId,
    pub at: Instant,
    pub action: String,
    pub actor: String,
    pub ip: Option<String>,
    pub object: String,
    pub detail: String,
    /// How often it happened until `last_at`.
    pub count: i32,
    pub last_at: Option<Instant>,
}

/// The newest entries about a user.
pub fn list_newest_about(conn: &mut Conn, user: UserId, limit: i64) -> Result<Vec<Entry>, DbError> {
    Ok(latchkey_audit_log::table
        .filter(latchkey_audit_log::user_id.eq(user))
        .order(latchkey_audit_log::id.desc())
        .limit(limit)
        .select(Entry::as_select())
        .load(conn)?)
}
