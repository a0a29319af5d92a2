//! `latchkey flushexpiredtokens`: SimpleJWT's command of this name, in batches.

use super::failure::Failure;
use super::{help, open, output};
use crate::tokens::purge;

/// Delete expired tokens
///
/// Deletes outstanding tokens that have expired, and with them their blacklist entries: nobody could use them any more.
/// It works in small batches, so that a server on the same database goes on answering, and may be stopped and run again
/// at any time. Run it from cron, once a day.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey flushexpiredtokens\n  \
       0 4 * * *  cd /srv/latchkey && latchkey flushexpiredtokens    in a crontab",
    "  DATABASE_URL  where the tokens are",
))]
pub struct Args {}

/// Deletes them.
pub async fn run(_args: Args) -> Result<(), Failure> {
    let app = open::app().await?;
    let expired = purge::count_expired(&app).await?;
    let bar = output::progress(usize::try_from(expired).unwrap_or(0), "Deleting expired tokens");
    let deleted = purge::flush_expired(&app, |batch| bar.inc(batch as u64)).await;
    bar.finish_and_clear();
    match deleted? {
        0 => output::say("There are no expired tokens."),
        deleted => output::say(format!("{} deleted.", output::count(deleted, "expired token"))),
    }
}
