//! `latchkey users demote`.

use super::user;
use crate::cli::failure::Failure;
use crate::cli::text::help;

/// Take the rights of a superuser away
///
/// The user's other rights stay. The last active superuser stays one.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey users demote ana\n  \
       latchkey users demote id:7 --json",
    "  DATABASE_URL             where the users are\n  \
       USER_IS_SUPERUSER_FIELD  the column that says who is a superuser",
))]
pub struct Args {
    /// The user's name, or id:N
    name: String,
}

/// Runs the command.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    user::set_superuser(&args.name, false, json).await
}
