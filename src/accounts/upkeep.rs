//! Keeping what is counted and written down in order, in the background of `runserver`: the rollup's rows are merged, the
//! dashboard's statistics taken, old entries of the audit log and links that are over deleted. Expired tokens are the
//! business of `tokens::purge`.

use std::sync::Arc;
use std::time::Duration;

use super::backfill;
use crate::app::App;
use crate::db::exclusive::{self, Task};
use crate::db::latchkey_statistic::{self, Statistic};
use crate::db::types::Instant;
use crate::db::{Conn, DbError, latchkey_audit_log, latchkey_link, latchkey_rollup};

/// How often all of it is done.
const INTERVAL: Duration = Duration::from_hours(1);
/// Statistics that are younger were taken by another instance, or before a restart.
const FRESH: Duration = Duration::from_mins(55);
/// An hour is merged so long after it began: a transaction that began in it may still be counting.
const HOUR_IS_OVER: Duration = Duration::from_mins(70);
/// Days are kept in hours for so long. Older ones are whole days, in UTC.
pub const HOURS_KEPT: Duration = Duration::from_hours(35 * 24);
/// How many entries one write job deletes, and what lies between two.
const BATCH: i64 = 1000;
const PAUSE: Duration = Duration::from_millis(50);

/// Does it now and every hour, until it is dropped.
pub async fn run(app: Arc<App>) {
    loop {
        let done = async {
            backfill::run(&app).await?;
            once(&app).await
        };
        if let Err(error) = done.await {
            tracing::warn!(%error, "counts and audit log could not be kept in order; it is tried again later");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// One round. Of several instances on one database one does it.
pub async fn once(app: &App) -> Result<(), DbError> {
    let now = app.now();
    exclusively(app, move |conn| latchkey_rollup::merge(conn, now - HOUR_IS_OVER)).await?;
    exclusively(app, move |conn| latchkey_rollup::merge_days(conn, now - HOURS_KEPT)).await?;
    let deleted = delete_old_entries(app, now).await?;
    if deleted > 0 {
        tracing::info!(entries = deleted, "deleted entries of the audit log that were older than AUDIT_LOG_RETENTION");
    }
    in_batches(app, move |conn| latchkey_link::delete_expired(conn, now, BATCH)).await?;
    take_statistics(app, now).await
}

/// Runs a job in a transaction of its own, unless another instance is at it.
pub(super) async fn exclusively(
    app: &App,
    job: impl Fn(&mut Conn) -> Result<usize, DbError> + Send + 'static,
) -> Result<usize, DbError> {
    app.db.write(move |conn| if exclusive::try_start(conn, Task::Upkeep)? { job(conn) } else { Ok(0) }).await
}

async fn delete_old_entries(app: &App, now: Instant) -> Result<usize, DbError> {
    let retention = app.config.sessions.audit_log_retention;
    if retention.is_zero() {
        return Ok(0);
    }
    let before = now - retention;
    in_batches(app, move |conn| latchkey_audit_log::delete_before(conn, before, BATCH)).await
}

/// Deletes until nothing is left to delete; answers how much it was.
async fn in_batches(
    app: &App,
    batch: impl Fn(&mut Conn) -> Result<usize, DbError> + Send + Copy + 'static,
) -> Result<usize, DbError> {
    let mut all = 0;
    loop {
        let deleted = exclusively(app, batch).await?;
        all += deleted;
        if deleted == 0 {
            return Ok(all);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Each in a job of its own, so that a connection is never away for long.
async fn take_statistics(app: &App, now: Instant) -> Result<(), DbError> {
    let known = app.db.read(latchkey_statistic::list).await?;
    for statistic in Statistic::ALL {
        if known.of(statistic).is_some_and(|counted| now < counted.counted_at + FRESH) {
            continue;
        }
        let value = app.db.read(move |conn| latchkey_statistic::count(conn, statistic, now)).await?;
        app.db.write(move |conn| latchkey_statistic::upsert(conn, statistic.name(), value, now)).await?;
    }
    Ok(())
}
