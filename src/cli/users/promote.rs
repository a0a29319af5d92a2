//! `latchkey users promote`.

use super::user;
use crate::cli::failure::Failure;
use crate::cli::text::help;

/// Make a user a superuser
///
/// Superusers may do everything in the panel. Where the user table has the column is_superuser, it is set, and is_staff
/// too; where it has none, the user is added to latchkey_superuser.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey users promote ana\n  \
       latchkey users promote id:7 --json",
    "  DATABASE_URL             where the users are\n  \
       USER_IS_SUPERUSER_FIELD  the column that says who is a superuser",
))]
pub struct Args {
    /// The user's name, or id:N
    name: String,
}

/// Runs the command.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    user::set_superuser(&args.name, true, json).await
}
