//! `latchkey_audit_log`: who did what, and when. Rows are only added, and deleted after `AUDIT_LOG_RETENTION`; failed logins from
//! one source within a minute share a row. The panel's list is in `list`.

pub mod list;

pub mod recent;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::schema::latchkey_audit_log;
use super::sql::{Sql, Value};
use super::types::{Instant, Moment, RowId, UserId};
use super::{Conn, DbError};

/// A new entry.
#[derive(Debug, Clone)]
pub struct NewRow<'a> {
    /// When.
    pub at: Instant,
    /// What: `token.reveal`, `user.create` …
    pub action: &'a str,
    /// The user who did it, if it was a user.
    pub actor_id: Option<UserId>,
    /// A username, "Command line", "Latchkey".
    pub actor: &'a str,
    /// Where the request came from.
    pub ip: Option<&'a str>,
    /// The user it is about.
    pub user_id: Option<UserId>,
    /// What it is about, for people: a username, a jti.
    pub object: &'a str,
    /// More, as JSON; never a secret.
    pub detail: &'a str,
}

impl<'a> NewRow<'a> {
    /// In the order of the columns in the statements below.
    fn values(&self) -> [Value<'a>; 8] {
        let Self { at, action, actor_id, actor, ip, user_id, object, detail } = self;
        [
            (*at).into(),
            (*action).into(),
            (*actor_id).into(),
            (*actor).into(),
            (*ip).into(),
            (*user_id).into(),
            (*object).into(),
            (*detail).into(),
        ]
    }
}

/// Adds an entry.
pub fn insert(conn: &mut Conn, row: &NewRow<'_>) -> Result<(), DbError> {
    let text = "INSERT INTO latchkey_audit_log (at, action, actor_id, actor, ip, user_id, object, detail) \
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    Sql::fixed(text, &row.values()).run(conn).map(drop)
}

/// Adds an entry, or counts one more in the entry with the same `source`, in one statement. If they are not all about the same
/// user, the entry is about none, and its object becomes `several`.
pub fn insert_or_count(conn: &mut Conn, row: &NewRow<'_>, source: &str, several: &str) -> Result<(), DbError> {
    let text = "INSERT INTO latchkey_audit_log (at, action, actor_id, actor, ip, user_id, object, detail, \
                last_at, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                ON CONFLICT (source) WHERE source IS NOT NULL DO UPDATE SET \
                count = latchkey_audit_log.count + 1, last_at = excluded.last_at, \
                user_id = CASE WHEN latchkey_audit_log.user_id = excluded.user_id THEN excluded.user_id END, \
                object = CASE WHEN latchkey_audit_log.object = excluded.object AND \
                latchkey_audit_log.user_id IS NOT DISTINCT FROM excluded.user_id THEN excluded.object ELSE ? END";
    let more: [Value<'_>; 3] = [row.at.into(), source.into(), several.into()];
    let values = [&row.values()[..], &more].concat();
    Sql::fixed(text, &values).run(conn).map(drop)
}

/// Deletes up to `limit` entries older than `before`, oldest first; returns how many.
pub fn delete_before(conn: &mut Conn, before: Instant, limit: i64) -> Result<usize, DbError> {
    let query = "DELETE FROM latchkey_audit_log WHERE id IN \
         (SELECT id FROM latchkey_audit_log WHERE at < $1 ORDER BY at, id LIMIT $2)";
    Ok(diesel::sql_query(query).bind::<Moment, _>(before).bind::<BigInt, _>(limit).execute(conn)?)
}

/// An entry, for the history of a user.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = latchkey_audit_log)]
#[allow(missing_docs, reason = "the table's columns, see `NewRow`")]
pub struct HistoryEntry {
    pub id: RowId,
    pub at: Instant,
    pub action: String,
    pub actor: String,
    pub ip: Option<String>,
    pub object: String,
    pub detail: String,
    /// How often it happened, up to `last_at`.
    pub count: i32,
    pub last_at: Option<Instant>,
}

/// The newest entries about a user.
pub fn list_newest_about(conn: &mut Conn, user: UserId, limit: i64) -> Result<Vec<HistoryEntry>, DbError> {
    Ok(latchkey_audit_log::table
        .filter(latchkey_audit_log::user_id.eq(user))
        .order(latchkey_audit_log::id.desc())
        .limit(limit)
        .select(HistoryEntry::as_select())
        .load(conn)?)
}
