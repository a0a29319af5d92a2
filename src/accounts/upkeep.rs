//! Hourly upkeep in the background of `runserver`: merges the rollup's rows, takes the dashboard's statistics, and
//! deletes old entries of the audit log and expired mails, links, devices, challenges, remembered browsers and
//! attempts. Expired tokens are left to `tokens::purge`.

use std::time::Duration;

use super::backfill;
use crate::app::App;
use crate::db::exclusive::Task;
use crate::db::latchkey_statistic::{self, Statistic};
use crate::db::types::Instant;
use crate::db::{
    Conn, DbError, latchkey_account_session, latchkey_audit_log, latchkey_browser, latchkey_challenge, latchkey_device,
    latchkey_link, latchkey_mail, latchkey_rollup, latchkey_throttle,
};
use crate::guard::{device, throttle};

/// How often upkeep runs.
const INTERVAL: Duration = Duration::from_hours(1);
/// Younger statistics were taken by another instance, or before a restart.
const FRESH: Duration = Duration::from_mins(55);
/// How long after its beginning an hour is merged: a transaction that began in it may still be counting.
const HOUR_IS_OVER: Duration = Duration::from_mins(70);
/// For how long days are kept in hours. Older ones are kept as whole days, in UTC.
pub const HOURS_KEPT: Duration = Duration::from_hours(35 * 24);
/// For how long mails are listed after they were sent or given up.
pub const MAIL_KEPT: Duration = Duration::from_hours(30 * 24);
/// How many entries one write job deletes, and the pause between two jobs.
const BATCH: i64 = 1000;
const PAUSE: Duration = Duration::from_millis(50);

/// Runs upkeep now and every hour, until it is dropped.
pub async fn run(app: App) {
    loop {
        let done = async {
            backfill::run(&app).await?;
            once(&app).await
        };
        if let Err(error) = done.await {
            tracing::warn!(%error, "upkeep of the counts and the audit log failed; it will be retried");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Runs one round. Of several instances on one database, only one does the work.
pub async fn once(app: &App) -> Result<(), DbError> {
    let now = app.now();
    exclusively(app, move |conn| latchkey_rollup::merge(conn, now - HOUR_IS_OVER)).await?;
    exclusively(app, move |conn| latchkey_rollup::merge_days(conn, now - HOURS_KEPT)).await?;
    let deleted = delete_old_entries(app, now).await?;
    if deleted > 0 {
        tracing::info!(entries = deleted, "deleted entries of the audit log that were older than AUDIT_LOG_RETENTION");
    }
    delete_expired(app, now).await?;
    take_statistics(app, now).await
}

async fn exclusively(
    app: &App,
    job: impl Fn(&mut Conn) -> Result<usize, DbError> + Send + 'static,
) -> Result<usize, DbError> {
    Ok(app.write_exclusively(Task::Upkeep, move |tx| job(tx.conn)).await?.unwrap_or(0))
}

async fn delete_old_entries(app: &App, now: Instant) -> Result<usize, DbError> {
    let retention = app.config.sessions.audit_log_retention;
    if retention.is_zero() {
        return Ok(0);
    }
    in_batches(app, latchkey_audit_log::delete_before, now - retention).await
}

/// Deletes what has expired. Nothing relies on it: expiry is checked whenever a row is read.
async fn delete_expired(app: &App, now: Instant) -> Result<(), DbError> {
    let mails = in_batches(app, latchkey_mail::delete_done_before, now - MAIL_KEPT).await?;
    let links = in_batches(app, latchkey_link::delete_expired, now).await?;
    let devices = in_batches(app, latchkey_device::delete_before, now - device::KNOWN_FOR).await?;
    let challenges = in_batches(app, latchkey_challenge::delete_expired, now).await?;
    let account_sessions = in_batches(app, latchkey_account_session::delete_expired, now).await?;
    let browsers = in_batches(app, latchkey_browser::delete_expired, now).await?;
    let tries = in_batches(app, latchkey_throttle::delete_before, now - throttle::remembered_for()).await?;
    if mails + links + devices + challenges + account_sessions + browsers + tries > 0 {
        tracing::info!(mails, links, devices, challenges, account_sessions, browsers, tries, "deleted expired rows");
    }
    Ok(())
}

/// Deletes everything older than `before`, in batches; returns how much.
async fn in_batches(
    app: &App,
    delete: fn(&mut Conn, Instant, i64) -> Result<usize, DbError>,
    before: Instant,
) -> Result<usize, DbError> {
    let mut all = 0;
    loop {
        let deleted = exclusively(app, move |conn| delete(conn, before, BATCH)).await?;
        all += deleted;
        if deleted == 0 {
            return Ok(all);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Takes each statistic in a job of its own, so that none holds a connection for long.
async fn take_statistics(app: &App, now: Instant) -> Result<(), DbError> {
    let known = app.read(|tx| latchkey_statistic::list(tx.conn)).await?;
    for &statistic in <Statistic as strum::VariantArray>::VARIANTS {
        if known.of(statistic).is_some_and(|counted| now < counted.counted_at + FRESH) {
            continue;
        }
        let value = app.read(move |tx| latchkey_statistic::count(tx.conn, &tx.app.users, statistic, now)).await?;
        app.write(move |tx| latchkey_statistic::upsert(tx.conn, statistic.name(), value, now)).await?;
    }
    Ok(())
}
