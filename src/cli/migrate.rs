//! `latchkey migrate`: makes and updates the tables, in Django's words.

use super::failure::Failure;
use super::text::help;
use super::{open, output};
use crate::config::DatabaseUrl;
use crate::db::migrations::DatabaseContents;

/// Make or update the tables
///
/// Looks at the database before it writes. In an empty one it makes Django's three tables and Latchkey's own; in a
/// Django's database only Latchkey's own (latchkey_*), and indexes named latchkey_* on Django's. Django's columns are
/// never changed. Where it cannot work (a custom user model, a missing table) it says why and changes nothing. Run it
/// again whenever you like: what is applied already is left alone.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey migrate\n  \
       latchkey migrate --plan     show what would be applied\n  \
       latchkey migrate --check || echo \"not up to date\"",
    "  DATABASE_URL  which database; a SQLite file is made where there is none\n  \
       AUTO_MIGRATE  whether 'latchkey runserver' does this by itself",
))]
pub struct Args {
    /// Show what would be applied, and apply nothing
    #[arg(long)]
    plan: bool,
    /// Exit with 1 if something is not applied, and apply nothing
    #[arg(long)]
    check: bool,
}

/// Migrates.
pub async fn run(args: Args) -> Result<(), Failure> {
    let url = open::quiet_config()?.database.url;
    let only_look = args.plan || args.check;
    if only_look && let Some(missing) = open::missing_file(&url) {
        if args.plan {
            output::say(format!("Planned operations:\n  Make {missing} with all its tables"))?;
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
    // Also without a pending one: it makes indexes again that a Django migration lost.
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
        DatabaseContents::Empty => format!("{database}, which has none of its tables yet"),
        DatabaseContents::Django => format!("{database}, a Django's database"),
        DatabaseContents::Latchkey => database,
    }
}
