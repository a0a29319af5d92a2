//! `latchkey flushexpiredtokens`: SimpleJWT's command of this name, in batches.

use super::failure::Failure;
use super::text::help;
use super::{open, output, stderr, text};
use crate::tokens::purge;

/// Delete expired tokens and sessions
///
/// Deletes outstanding tokens that have expired, with their blacklist entries and sessions: nobody could use them any
/// more. A running server does this by itself (PURGE_INTERVAL). The command does it now, in small batches, so that a
/// server on the same database keeps responding. It can be stopped and run again at any time.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey flushexpiredtokens",
    "  DATABASE_URL  where the tokens are",
))]
pub struct Args {}

/// Runs the command.
pub async fn run(_args: Args) -> Result<(), Failure> {
    let app = open::app().await?;
    let expired = purge::count_expired(&app).await?;
    let bar = stderr::progress(usize::try_from(expired).unwrap_or(0), "Deleting expired tokens");
    let deleted = purge::flush_expired(&app, |batch| bar.inc(batch as u64)).await;
    bar.finish_and_clear();
    match deleted? {
        0 => output::say("There are no expired tokens."),
        deleted => output::say(format!("{} deleted.", text::count(deleted, "expired token"))),
    }
}
