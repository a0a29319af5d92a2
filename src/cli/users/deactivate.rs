//! `latchkey users deactivate`.

use super::user;
use crate::cli::failure::Failure;
use crate::cli::text::help;

/// Keep a user from logging in, without deleting anything
///
/// Clears is_active: the user can no longer log in, and their refresh tokens are blacklisted unless
/// END_SESSIONS_ON_USER_CHANGE is false. 'latchkey users activate' undoes it. The last active superuser can't be
/// deactivated.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey users deactivate ana\n  \
       latchkey users deactivate id:7 --json",
    "  DATABASE_URL                 where the users are\n  \
       END_SESSIONS_ON_USER_CHANGE  false leaves the tokens to JWT_CHECK_USER_IS_ACTIVE",
))]
pub struct Args {
    /// The user's name, or id:N
    name: String,
}

/// Runs the command.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    user::set_active(&args.name, false, json).await
}
