//! `latchkey_throttle`: counts of login attempts. What the buckets mean, and how long an attempt has to wait, is decided in
//! `guard::throttle`.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::schema::latchkey_throttle;
use super::sql::{Sql, Value};
use super::types::{Instant, Moment};
use super::{Conn, DbError};

/// The state of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
#[diesel(table_name = latchkey_throttle)]
pub struct Row {
    /// Which bucket.
    pub bucket: i64,
    /// How many attempts count against it.
    pub failures: i32,
    /// When the last one was made.
    pub last_at: Instant,
    /// When the next is allowed.
    pub free_at: Instant,
}

/// The state of these buckets, locked until the end of the transaction; missing ones are created. Callers give them in ascending
/// order, so that there is no deadlock.
pub fn lock(conn: &mut Conn, buckets: &[i64], now: Instant) -> Result<Vec<Row>, DbError> {
    let places = vec!["(?, 0, ?, ?)"; buckets.len()].join(", ");
    // A missing row cannot be locked, but an inserted or updated one is: hence one statement.
    let text = format!(
        "INSERT INTO latchkey_throttle (bucket, failures, last_at, free_at) VALUES {places} \
         ON CONFLICT (bucket) DO UPDATE SET bucket = excluded.bucket RETURNING bucket, failures, last_at, free_at"
    );
    let values: Vec<Value<'_>> = buckets.iter().flat_map(|bucket| [(*bucket).into(), now.into(), now.into()]).collect();
    Ok(Sql::fixed(&text, &values).load(conn)?)
}

/// Stores the state of these buckets, in one statement.
pub fn upsert(conn: &mut Conn, rows: &[Row]) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let places = vec!["(?, ?, ?, ?)"; rows.len()].join(", ");
    let text = format!(
        "INSERT INTO latchkey_throttle (bucket, failures, last_at, free_at) VALUES {places} \
         ON CONFLICT (bucket) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at, \
         free_at = excluded.free_at"
    );
    let values: Vec<Value<'_>> = rows
        .iter()
        .flat_map(|row| [row.bucket.into(), i64::from(row.failures).into(), row.last_at.into(), row.free_at.into()])
        .collect();
    Sql::fixed(&text, &values).run(conn).map(drop)
}

/// Deletes up to `limit` buckets without attempts since `before`; returns how many.
pub fn delete_before(conn: &mut Conn, before: Instant, limit: i64) -> Result<usize, DbError> {
    let query = "DELETE FROM latchkey_throttle WHERE bucket IN \
                 (SELECT bucket FROM latchkey_throttle WHERE last_at < $1 ORDER BY last_at LIMIT $2)";
    Ok(diesel::sql_query(query).bind::<Moment, _>(before).bind::<BigInt, _>(limit).execute(conn)?)
}
