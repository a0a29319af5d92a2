//! Counts tokens that are older than Latchkey's counts: a database taken over from Django has a past that the charts
//! should show. Runs once, in the background, newest first, in batches that remember their progress.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::app::{App, Tx};
use crate::db::exclusive::Task;
use crate::db::types::Instant;
use crate::db::{Conn, DbError, blacklisted_tokens, latchkey_rollup, latchkey_statistic, outstanding_tokens};
use crate::journal::events::{self, Event};

/// How many rows one write job counts, and the pause between two jobs.
const BATCH: i64 = 5000;
const PAUSE: Duration = Duration::from_millis(50);

/// The rows of `latchkey_statistic` that hold the highest key still to be counted. The migration that creates the
/// rollup writes them, so that nothing is counted twice or left out.
const OUTSTANDING: &str = "backfill.outstanding";
const BLACKLISTED: &str = "backfill.blacklisted";

/// Counts everything that is not counted yet.
pub async fn run(app: &App) -> Result<(), DbError> {
    while app.write_exclusively(Task::Upkeep, count_outstanding).await?.unwrap_or(0) > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while app.write_exclusively(Task::Upkeep, count_blacklisted).await?.unwrap_or(0) > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

fn count_outstanding(tx: &mut Tx<'_>) -> Result<usize, DbError> {
    batch(tx, OUTSTANDING, |conn, up_to| {
        let rows = outstanding_tokens::list_created_up_to(conn, up_to, BATCH)?;
        let name = Event::TokenCreated.name();
        Ok(rows.into_iter().map(|(id, at)| (id.0, at.map(|at| (name.to_string(), at)))).collect())
    })
}

fn count_blacklisted(tx: &mut Tx<'_>) -> Result<usize, DbError> {
    batch(tx, BLACKLISTED, |conn, up_to| {
        let rows = blacklisted_tokens::list_up_to(conn, up_to, BATCH)?;
        let name = |reason: Option<String>| match reason {
            Some(reason) => format!("{}{reason}", events::BLACKLISTED),
            None => Event::BlacklistedUnknown.name().into_owned(),
        };
        Ok(rows.into_iter().map(|(id, at, reason)| (id.0, Some((name(reason), at)))).collect())
    })
}

type Row = (i64, Option<(String, Instant)>);

/// Counts the next rows below the mark and moves it; returns their number.
fn batch(
    tx: &mut Tx<'_>,
    mark: &str,
    rows: impl Fn(&mut Conn, i64) -> Result<Vec<Row>, DbError>,
) -> Result<usize, DbError> {
    let Some(up_to) = latchkey_statistic::find(tx.conn, mark)?.map(|row| row.value).filter(|value| *value > 0) else {
        return Ok(0);
    };
    let rows = rows(tx.conn, up_to)?;
    let mut sums: BTreeMap<(Instant, &str), i64> = BTreeMap::new();
    for (event, at) in rows.iter().filter_map(|(_, event)| event.as_ref()) {
        *sums.entry((at.hour(), event)).or_default() += 1;
    }
    for ((hour, event), count) in sums {
        latchkey_rollup::add(tx.conn, hour, &[(event, count)])?;
    }
    let left = rows.iter().map(|(id, _)| id - 1).min().unwrap_or(0);
    latchkey_statistic::upsert(tx.conn, mark, left, tx.now)?;
    Ok(rows.len())
}
