//! `latchkey users …`: the commands that operators use in scripts. One file per command; here is the list of them. How a user
//! is named on the command line and shown is in `user`.

mod activate;
mod create;
mod deactivate;
mod delete;
mod demote;
mod list;
mod load;
mod promote;
mod records;
mod removefactors;
mod rows;
mod show;
pub mod user;

use clap::Subcommand;

use super::failure::Failure;
use super::text::help;

/// List, show, create, change and load users
///
/// Made for scripts: with --json, stdout is JSON and nothing else.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey users list\n  \
       latchkey users show admin --json\n  \
       latchkey users deactivate id:7",
    "  DATABASE_URL  where the users are",
))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Create(create::Args),
    Activate(activate::Args),
    Deactivate(deactivate::Args),
    Promote(promote::Args),
    Demote(demote::Args),
    Removefactors(removefactors::Args),
    Delete(delete::Args),
    Load(load::Args),
}

/// Runs the named command.
pub async fn run(args: Args) -> Result<(), Failure> {
    let json = args.json;
    match args.command {
        Command::List(args) => list::run(args, json).await,
        Command::Show(args) => show::run(args, json).await,
        Command::Create(args) => create::run(args, json).await,
        Command::Activate(args) => activate::run(args, json).await,
        Command::Deactivate(args) => deactivate::run(args, json).await,
        Command::Promote(args) => promote::run(args, json).await,
        Command::Demote(args) => demote::run(args, json).await,
        Command::Removefactors(args) => removefactors::run(args, json).await,
        Command::Delete(args) => delete::run(args, json).await,
        Command::Load(args) => load::run(args, json).await,
    }
}
