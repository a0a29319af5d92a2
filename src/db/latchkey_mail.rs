//! `latchkey_mail`: the mail queue, and the result of each mail. A mail is inserted in the transaction that causes it, and
//! delivered by `mail::queue`.

pub mod list;

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::schema::latchkey_mail;
use super::types::{Instant, Moment, RowId, UserId};
use super::{Conn, DbError};

/// The mail waits to be sent, for the first time or again.
pub const QUEUED: &str = "queued";
/// The server has accepted it.
pub const SENT: &str = "sent";
/// It was given up.
pub const FAILED: &str = "failed";

/// A mail to be sent.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = latchkey_mail)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct NewRow<'a> {
    pub created_at: Instant,
    pub user_id: Option<UserId>,
    pub recipient: &'a str,
    pub subject: &'a str,
    pub template: &'a str,
    pub parameters: &'a str,
    pub secret: Option<&'a str>,
    pub status: &'a str,
    pub attempts: i32,
    pub next_at: Option<Instant>,
    pub give_up_at: Instant,
}

/// A mail that has been claimed for sending.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = latchkey_mail)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct Claimed {
    pub id: RowId,
    pub created_at: Instant,
    pub recipient: String,
    pub subject: String,
    pub template: String,
    pub parameters: String,
    /// Encrypted.
    pub secret: Option<String>,
    /// The number of earlier attempts.
    pub attempts: i32,
    pub give_up_at: Instant,
}

/// Queues a mail.
pub fn insert(conn: &mut Conn, row: &NewRow<'_>) -> Result<(), DbError> {
    diesel::insert_into(latchkey_mail::table).values(row.clone()).execute(conn)?;
    Ok(())
}

/// Whether a mail is due.
pub fn is_due(conn: &mut Conn, now: Instant) -> Result<bool, DbError> {
    let due = latchkey_mail::table.filter(latchkey_mail::status.eq(QUEUED)).filter(latchkey_mail::next_at.le(now));
    Ok(select(exists(due)).get_result(conn)?)
}

/// Takes up to `limit` due mails in the name of `claim`: until `until` nobody else gets them. Somebody is waiting for a link or
/// a code, so mails with a secret go first; within both kinds those that have been due the longest.
pub fn claim_due(
    conn: &mut Conn,
    claim: &str,
    (now, until): (Instant, Instant),
    limit: i64,
) -> Result<Vec<Claimed>, DbError> {
    // Rows that another instance is claiming are skipped; SQLite has only one writer anyway. The due rows are looked up once:
    // a subquery might run for each row and find different rows each time.
    let skip = if conn.is_postgres() { "FOR UPDATE SKIP LOCKED" } else { "" };
    let query = format!(
        "WITH due AS MATERIALIZED (SELECT id FROM latchkey_mail WHERE status = 'queued' AND next_at <= $1 \
         ORDER BY (secret IS NULL), next_at, id LIMIT $2 {skip}) \
         UPDATE latchkey_mail SET next_at = $3, claim = $4 WHERE id IN (SELECT id FROM due) \
         RETURNING id, created_at, recipient, subject, template, parameters, secret, attempts, give_up_at"
    );
    // SQLite numbers parameters by their first appearance.
    let query = diesel::sql_query(query).bind::<Moment, _>(now).bind::<BigInt, _>(limit);
    let mut claimed: Vec<Claimed> = query.bind::<Moment, _>(until).bind::<Text, _>(claim).load(conn)?;
    claimed.sort_by_key(|mail| mail.id);
    Ok(claimed)
}

/// A mail that somebody is sending.
#[derive(Clone, Copy)]
pub struct Held<'a> {
    /// The mail.
    pub id: RowId,
    /// In whose name.
    pub claim: &'a str,
}

/// How a mail ended.
pub struct Done<'a> {
    /// `SENT` or `FAILED`.
    pub status: &'a str,
    /// When.
    pub at: Instant,
    /// What went wrong.
    pub error: Option<&'a str>,
}

/// Notes that a mail was sent or given up, and erases its secret. `false` if the claim on it has passed to somebody else.
pub fn update_done(conn: &mut Conn, held: Held<'_>, done: &Done<'_>) -> Result<bool, DbError> {
    let Done { status, at, error } = done;
    let mine = latchkey_mail::table.find(held.id).filter(latchkey_mail::claim.eq(held.claim));
    let changed = diesel::update(mine)
        .set((
            latchkey_mail::status.eq(status),
            latchkey_mail::attempts.eq(latchkey_mail::attempts + 1),
            latchkey_mail::done_at.eq(at),
            latchkey_mail::error.eq(error),
            latchkey_mail::secret.eq(None::<String>),
            latchkey_mail::next_at.eq(None::<Instant>),
            latchkey_mail::claim.eq(None::<String>),
        ))
        .execute(conn)?;
    Ok(changed > 0)
}

/// Notes that an attempt failed and when the next one is due. `false` if the claim on it has passed to somebody else.
pub fn update_failed(conn: &mut Conn, held: Held<'_>, next_at: Instant, error: &str) -> Result<bool, DbError> {
    let mine = latchkey_mail::table.find(held.id).filter(latchkey_mail::claim.eq(held.claim));
    let changed = diesel::update(mine)
        .set((
            latchkey_mail::attempts.eq(latchkey_mail::attempts + 1),
            latchkey_mail::next_at.eq(next_at),
            latchkey_mail::error.eq(error),
            latchkey_mail::claim.eq(None::<String>),
        ))
        .execute(conn)?;
    Ok(changed > 0)
}

/// Deletes up to `limit` finished mails created before `before`; returns how many.
pub fn delete_done_before(conn: &mut Conn, before: Instant, limit: i64) -> Result<usize, DbError> {
    let query = "DELETE FROM latchkey_mail WHERE id IN (SELECT id FROM latchkey_mail \
                 WHERE status <> 'queued' AND created_at < $1 ORDER BY created_at, id LIMIT $2)";
    Ok(diesel::sql_query(query).bind::<Moment, _>(before).bind::<BigInt, _>(limit).execute(conn)?)
}
