//! Keeping what is counted and written down in order, in the background of `runserver`: the rollup's rows are merged, the
//! dashboard's statistics taken, and old entries of the audit log deleted, as are mails, links, devices, challenges,
//! remembered browsers and tries that are over. Expired tokens are the business of `tokens::purge`.

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

/// How often all of it is done.
const INTERVAL: Duration = Duration::from_hours(1);
/// Statistics that are younger were taken by another instance, or before a restart.
const FRESH: Duration = Duration::from_mins(55);
/// An hour is merged so long after it began: a transaction that began in it may still be counting.
const HOUR_IS_OVER: Duration = Duration::from_mins(70);
/// Days are kept in hours for so long. Older ones are whole days, in UTC.
pub const HOURS_KEPT: Duration = Duration::from_hours(35 * 24);
/// Mails are listed for so long after they are done.
pub const MAIL_KEPT: Duration = Duration::from_hours(30 * 24);
/// How many entries one write job deletes, and what lies between two.
const BATCH: i64 = 1000;
const PAUSE: Duration = Duration::from_millis(50);

/// Does it now and every hour, until it is dropped.
pub async fn run(app: App) {
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
    delete_what_is_over(app, now).await?;
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

/// What nobody asks for any more. What counts is decided where it is read: a link that is over opens nothing meanwhile.
async fn delete_what_is_over(app: &App, now: Instant) -> Result<(), DbError> {
    let mails = in_batches(app, latchkey_mail::delete_done_before, now - MAIL_KEPT).await?;
    let links = in_batches(app, latchkey_link::delete_expired, now).await?;
    let devices = in_batches(app, latchkey_device::delete_before, now - device::KNOWN_FOR).await?;
    let challenges = in_batches(app, latchkey_challenge::delete_expired, now).await?;
    let account_sessions = in_batches(app, latchkey_account_session::delete_expired, now).await?;
    let browsers = in_batches(app, latchkey_browser::delete_expired, now).await?;
    let tries = in_batches(app, latchkey_throttle::delete_before, now - throttle::remembered_for()).await?;
    if mails + links + devices + challenges + account_sessions + browsers + tries > 0 {
        tracing::info!(
            mails,
            links,
            devices,
            challenges,
            account_sessions,
            browsers,
            tries,
            "deleted what has expired"
        );
    }
    Ok(())
}

/// Deletes everything from before `before`, a batch at a time; answers how much.
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

/// Each in a job of its own, so that a connection is never away for long.
async fn take_statistics(app: &App, now: Instant) -> Result<(), DbError> {
    let known = app.read(|tx| latchkey_statistic::list(tx.conn)).await?;
    for &statistic in <Statistic as strum::VariantArray>::VARIANTS {
        if known.of(statistic).is_some_and(|counted| now < counted.counted_at + FRESH) {
            continue;
        }
        let value = app.read(move |tx| latchkey_statistic::count(tx.conn, statistic, now)).await?;
        app.write(move |tx| latchkey_statistic::upsert(tx.conn, statistic.name(), value, now)).await?;
    }
    Ok(())
}
