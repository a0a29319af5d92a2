//! `latchkey_rollup`: how often each event happened in each hour, counted in the transaction of the event. The events are listed
//! in `accounts::events`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use super::conn::MultiBackend;
use super::sql::{Sql, Value};
use super::types::{Instant, Moment};
use super::{Conn, DbError};

/// Adds to the hour of `at`, in one statement. An event may appear only once in `counts`.
///
/// On PostgreSQL each connection has its own rows, so that parallel transactions neither wait for each other's counts nor
/// deadlock over them; `merge` combines the rows when the hour is over.
pub fn add(conn: &mut Conn, at: Instant, counts: &[(&str, i64)]) -> Result<(), DbError> {
    let counts: Vec<_> = counts.iter().filter(|(_, count)| *count != 0).collect();
    if counts.is_empty() {
        return Ok(());
    }
    let shard = if conn.is_postgres() { "pg_backend_pid()" } else { "0" };
    let values: Vec<Value<'_>> =
        counts.iter().flat_map(|(event, count)| [(*event).into(), at.hour().into(), (*count).into()]).collect();
    Sql::fixed(&upsert(shard, counts.len()), &values).run(conn).map(drop)
}

fn upsert(shard: &str, rows: usize) -> String {
    let rows = vec![format!("(?, ?, {shard}, ?)"); rows].join(", ");
    format!(
        "INSERT INTO latchkey_rollup (event, hour, shard, count) VALUES {rows} \
         ON CONFLICT (event, hour, shard) DO UPDATE SET count = latchkey_rollup.count + excluded.count"
    )
}

/// How often an event happened in one of the requested periods.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Sum {
    /// The event.
    #[diesel(sql_type = Text)]
    pub event: String,
    /// The number of the period, from 0.
    #[diesel(sql_type = Integer)]
    pub period: i32,
    /// How often.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// How often each event happened between each two consecutive bounds, in one statement. Periods without events are left out. An
/// hour belongs to the period in which it begins.
pub fn list_sums(conn: &mut Conn, events: &[&str], bounds: &[Instant]) -> Result<Vec<Sum>, DbError> {
    if events.is_empty() || bounds.len() < 2 {
        return Ok(vec![]);
    }
    let mut query = diesel::sql_query("WITH periods (period, start, stop) AS (VALUES ").into_boxed::<MultiBackend>();
    for (period, between) in bounds.windows(2).enumerate() {
        let (comma, at) = (if period == 0 { "" } else { ", " }, 2 * period + 1);
        query = query.sql(format!("{comma}({period}, ${at}, ${})", at + 1));
        query = query.bind::<Moment, _>(between[0]).bind::<Moment, _>(between[1]);
    }
    query = query.sql(
        // CROSS: otherwise SQLite would read the whole rollup and look for the period of each row.
        ") SELECT event, period, CAST(sum(count) AS bigint) AS count \
         FROM periods CROSS JOIN latchkey_rollup WHERE hour >= start AND hour < stop AND event IN (",
    );
    for (at, event) in events.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        query = query.sql(format!("{comma}${}", 2 * bounds.len() - 1 + at)).bind::<Text, _>(*event);
    }
    Ok(query.sql(") GROUP BY event, period").load(conn)?)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    event: String,
    #[diesel(sql_type = Moment)]
    hour: Instant,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Combines the rows that connections wrote for the same hour, for hours before `before`. Returns how many rows there were.
/// Deleting returns the final values of the rows, so a count that is added meanwhile is not lost.
pub fn merge(conn: &mut Conn, before: Instant) -> Result<usize, DbError> {
    put_together(conn, "shard <> 0", before, Instant::hour)
}

/// Combines the hours of a day (UTC) into one row, for days that ended before `before`.
pub fn merge_days(conn: &mut Conn, before: Instant) -> Result<usize, DbError> {
    let is_within_a_day =
        if conn.is_postgres() { "hour <> date_trunc('day', hour, 'UTC')" } else { "hour NOT LIKE '% 00:00:00'" };
    put_together(conn, is_within_a_day, before.day(), Instant::day)
}

fn put_together(
    conn: &mut Conn,
    which: &str,
    before: Instant,
    place: impl Fn(Instant) -> Instant,
) -> Result<usize, DbError> {
    let text = format!("DELETE FROM latchkey_rollup WHERE hour < $1 AND {which} RETURNING event, hour, count");
    let rows: Vec<Row> = diesel::sql_query(text).bind::<Moment, _>(before).load(conn)?;
    let mut sums = std::collections::BTreeMap::new();
    for row in &rows {
        *sums.entry((&row.event, place(row.hour))).or_insert(0) += row.count;
    }
    for ((event, hour), count) in sums {
        Sql::fixed(&upsert("0", 1), &[(&**event).into(), hour.into(), count.into()]).run(conn)?;
    }
    Ok(rows.len())
}
