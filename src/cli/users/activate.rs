//! `latchkey users activate`.

use super::user;
use crate::cli::failure::Failure;
use crate::cli::text::help;

/// Let a user log in again
///
/// Sets is_active. Tokens that were blacklisted when the user was deactivated stay blacklisted.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey users activate ana\n  \
       latchkey users activate id:7 --json",
    "  DATABASE_URL  where the users are",
))]
pub struct Args {
    /// The user's name, or id:N
    name: String,
}

/// Runs the command.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    user::set_active(&args.name, true, json).await
}
