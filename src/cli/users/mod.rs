//! `latchkey users …`: what an operator scripts with. One file per command; here are the list of them, how a user is
//! named on the command line, and how one is shown.

mod activate;
mod create;
mod deactivate;
mod delete;
mod list;
mod load;
mod records;
mod removefactors;
mod rows;
mod show;

use clap::Subcommand;
use serde::Serialize;

use super::failure::Failure;
use super::{help, open, output};
use crate::accounts::change;
use crate::accounts::confirm::Confirmed;
use crate::app::App;
use crate::db;
use crate::db::types::{Instant, UserId};
use crate::db::users::User;

/// List, show, create, change and load users
///
/// What an operator scripts with. With --json the answer on stdout is JSON and nothing else.
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
    Removefactors(removefactors::Args),
    Delete(delete::Args),
    Load(load::Args),
}

/// Runs the one that was named.
pub async fn run(args: Args) -> Result<(), Failure> {
    let json = args.json;
    match args.command {
        Command::List(args) => list::run(args, json).await,
        Command::Show(args) => show::run(args, json).await,
        Command::Create(args) => create::run(args, json).await,
        Command::Activate(args) => activate::run(args, json).await,
        Command::Deactivate(args) => deactivate::run(args, json).await,
        Command::Removefactors(args) => removefactors::run(args, json).await,
        Command::Delete(args) => delete::run(args, json).await,
        Command::Load(args) => load::run(args, json).await,
    }
}

/// The user that is named on a command line: by username, or by key as `id:7` (no username has a colon).
pub async fn find(app: &App, name: &str) -> Result<User, Failure> {
    let named = name.to_owned();
    let user = app.read(move |tx| match named.strip_prefix("id:").map(str::parse) {
        Some(Ok(id)) => db::users::find(tx.conn, UserId(id)),
        Some(Err(_)) => Ok(None),
        None => db::users::find_by_username(tx.conn, &named),
    });
    user.await?.ok_or_else(|| {
        Failure::say(format!("user '{}' does not exist; 'latchkey users list' shows all of them", output::plain(name)))
    })
}

/// A user as JSON, without the password.
#[derive(Serialize)]
struct Shown {
    id: i64,
    /// Our own random id; null until Latchkey first meets the user.
    uuid: Option<String>,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    date_joined: String,
    last_login: Option<String>,
}

impl Shown {
    fn new(user: User, uuid: Option<String>) -> Self {
        Self {
            id: user.id.0,
            uuid,
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            date_joined: user.date_joined.iso(),
            last_login: user.last_login.map(Instant::iso),
        }
    }
}

/// The user as it stands in the database now.
async fn shown(app: &App, id: UserId) -> Result<Shown, Failure> {
    let found = app.read(move |tx| match db::users::find(tx.conn, id)? {
        Some(user) => Ok(Some((user, db::latchkey_user::find_uuid(tx.conn, id)?))),
        None => Ok::<_, db::DbError>(None),
    });
    let (user, uuid) = found.await?.ok_or_else(|| Failure::say("The user was deleted meanwhile."))?;
    Ok(Shown::new(user, uuid))
}

/// Tells what was done to a user: a sentence, or the user as it is now.
async fn answer(app: &App, id: UserId, json: bool, sentence: &str) -> Result<(), Failure> {
    if json { output::json(&shown(app, id).await?) } else { output::say(sentence) }
}

/// `users activate` and `users deactivate`.
async fn set_active(name: &str, active: bool, json: bool) -> Result<(), Failure> {
    let app = open::app().await?;
    let user = find(&app, name).await?;
    let name = output::plain(&user.username).into_owned();
    let word = if active { "active" } else { "inactive" };
    if user.is_active == active {
        return answer(&app, user.id, json, &format!("User '{name}' is {word} already.")).await;
    }
    change::set_active(&app, &Confirmed::command_line(), user.id, active).await?;
    answer(&app, user.id, json, &format!("User '{name}' is {word} now.")).await
}
