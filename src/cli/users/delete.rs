//! `latchkey users delete`.

use super::user;
use crate::accounts::change;
use crate::accounts::confirm::Confirmed;
use crate::cli::failure::Failure;
use crate::cli::text::help;
use crate::cli::{open, output, prompt, stderr, text};
use crate::db;

/// Delete a user permanently
///
/// Deletes as Django does: the user's outstanding tokens stay on record, blacklisted and without an owner. Asks for
/// confirmation unless --yes is given. 'latchkey users deactivate' keeps a user from logging in without deleting
/// anything. The last active superuser can't be deleted.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey users delete ana\n  \
       latchkey users delete id:7 --yes --json",
    "  DATABASE_URL  where the users are",
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
    let id = user::find(&app, &args.name).await?.id;
    let user = user::shown(&app, id).await?;
    let name = text::plain(&user.username).into_owned();
    if !args.yes {
        if !prompt::is_possible() {
            return Err(Failure::say("There is no terminal to ask for confirmation. Add --yes."));
        }
        let now = app.now();
        let recorded = app.read(move |tx| db::users::count_tokens(tx.conn, id, now, None)).await?.all;
        let tokens = text::count(usize::try_from(recorded).unwrap_or(0), "outstanding token");
        if !prompt::agrees(&format!("Delete user '{name}' (id {id}, {tokens}) permanently?")).await? {
            stderr::warn("Nothing was deleted.");
            return Err(Failure::Silent);
        }
    }
    change::delete(&app, &Confirmed::command_line(), id).await?;
    if json { output::json(&user) } else { output::say(format!("User '{name}' (id {id}) deleted.")) }
}
