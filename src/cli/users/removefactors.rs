//! `latchkey users removefactors`.

use super::user;
use crate::accounts::confirm::Confirmed;
use crate::cli::failure::Failure;
use crate::cli::text::{self, help};
use crate::cli::{open, prompt, stderr};
use crate::factors::remove;

/// Remove the second factors of a user who has lost them all
///
/// Removes all factors and recovery codes, and forgets remembered browsers. Afterwards the password is enough to log in;
/// if SECOND_FACTOR requires a factor, the next login asks to enrol one. Make sure that it is really the user who asks.
/// The user is told by mail. Asks for confirmation unless --yes is given.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey users removefactors ana\n  \
       latchkey users removefactors id:7 --yes --json",
    "  DATABASE_URL   where the users are\n  \
       SECOND_FACTOR  who must have a second factor",
))]
pub struct Args {
    /// The user's name, or id:N
    name: String,
    /// Don't ask for confirmation
    #[arg(long, short)]
    yes: bool,
}

/// Runs the command.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let app = open::app().await?;
    let user = user::find(&app, &args.name).await?;
    let name = text::plain(&user.username).into_owned();
    if !args.yes {
        if !prompt::is_possible() {
            return Err(Failure::say("There is no terminal to ask for confirmation. Add --yes."));
        }
        if !prompt::agrees(&format!("Remove all second factors of user '{name}' (id {})?", user.id)).await? {
            stderr::warn("Nothing was removed.");
            return Err(Failure::Silent);
        }
    }
    let removed = remove::remove_all_of(&app, &Confirmed::command_line(), user.id).await?;
    let sentence = match removed {
        0 => format!("User '{name}' has no second factor."),
        _ => format!("User '{name}': {} removed.", text::count(removed, "second factor")),
    };
    user::answer(&app, user.id, json, &sentence).await
}
