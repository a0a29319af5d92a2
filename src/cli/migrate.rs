//! `latchkey migrate`: creates and updates the tables, in Django's words.

use super::failure::Failure;
use super::text::help;
use super::{open, output};
use crate::config::DatabaseUrl;
use crate::db::migrations::DatabaseContents;

/// Create or update the tables
///
/// Inspects the database before writing to it. In an empty database it creates Django's three tables and Latchkey's own;
/// in a Django database only Latchkey's own (latchkey_*), and indexes named latchkey_* on Django's. Django's columns are
/// never changed. If it can't work there (a custom user model, a missing table), it says why and changes nothing. It can
/// be run again at any time: what is applied already is left alone.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey migrate\n  \
       latchkey migrate --plan     show what would be applied\n  \
       latchkey migrate --check || echo \"not up to date\"",
    "  DATABASE_URL  which database; a SQLite file is created if there is none\n  \
       AUTO_MIGRATE  whether 'latchkey runserver' migrates by itself",
))]
pub struct Args {
    /// Show what would be applied, without applying it
    #[arg(long)]
    plan: bool,
    /// Exit with 1 if something is not applied, without applying it
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub async fn run(args: Args) -> Result<(), Failure> {
    let url = open::quiet_config()?.database.url;
    let only_look = args.plan || args.check;
    if only_look && let Some(missing) = open::missing_file(&url) {
        if args.plan {
            output::say(format!("Planned operations:\n  Create {missing} with all its tables"))?;
        }
        return refuse_if(args.check, format!("There is no database at {missing} yet."));
    }
    let (found, pending) = open::look(&url).await?;
    if args.plan {
        output::say("Planned operations:")?;
        for name in &pending {
            output::say(format!("  {name}"))?;
        }
        if pending.is_empty() {
            output::say("  No planned migration operations.")?;
        }
    }
    if only_look {
        let is_behind = args.check && !pending.is_empty();
        return refuse_if(is_behind, format!("You have {} unapplied migration(s).", pending.len()));
    }
    output::say(format!("Operations to perform:\n  Apply all migrations: latchkey ({})", place(&url, found)))?;
    output::say("Running migrations:")?;
    if pending.is_empty() {
        output::say("  No migrations to apply.")?;
    }
    // Even if nothing is pending: this recreates indexes that a Django migration dropped.
    open::migrate(&url, pending).await
}

fn refuse_if(refused: bool, text: String) -> Result<(), Failure> {
    if refused { Err(Failure::Said(format!("{text} Run 'latchkey migrate'."))) } else { Ok(()) }
}

/// Which database, in words.
fn place(url: &DatabaseUrl, found: DatabaseContents) -> String {
    let database = match url {
        DatabaseUrl::Sqlite(path) => path.display().to_string(),
        DatabaseUrl::Postgres(_) => "PostgreSQL".to_owned(),
    };
    match found {
        DatabaseContents::Empty => format!("{database}, which has no tables yet"),
        DatabaseContents::Django => format!("{database}, a Django database"),
        DatabaseContents::Latchkey => database,
    }
}
