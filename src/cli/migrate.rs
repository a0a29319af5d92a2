//! `latchkey migrate`: creates and updates the tables, in Django's words.

use super::failure::Failure;
use super::text::help;
use super::{open, output};
use crate::config::DatabaseUrl;
use crate::db::migrations::{DatabaseContents, Plan};

/// Create or update the tables
///
/// Inspects the database before writing to it. In an empty database it creates Django's three tables and Latchkey's own;
/// in a Django database only Latchkey's own (latchkey_*), and indexes named latchkey_* on Django's. Django's columns are
/// never changed. If it can't work there, it says why and changes nothing. It can
/// be run again at any time: what is applied already is left alone.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey migrate\n  \
       latchkey migrate --plan     show the SQL that would run\n  \
       latchkey migrate --with-blacklist-tables\n  \
       latchkey migrate --check || echo \"not up to date\"",
    "  DATABASE_URL  which database; a SQLite file is created if there is none\n  \
       AUTO_MIGRATE  whether 'latchkey runserver' migrates by itself",
))]
pub struct Args {
    /// Show the SQL that would run, without running it
    #[arg(long)]
    plan: bool,
    /// Exit with 1 if something is not applied, without applying it
    #[arg(long)]
    check: bool,
    /// In a Django database without SimpleJWT's blacklist app, create the app's two tables too
    #[arg(long)]
    with_blacklist_tables: bool,
}

/// Runs the command.
pub async fn run(args: Args) -> Result<(), Failure> {
    let config = open::quiet_config()?;
    let url = &config.database.url;
    let only_look = args.plan || args.check;
    if only_look && let Some(missing) = open::missing_file(url) {
        if args.plan {
            output::say(format!("Planned operations:\n  Create {missing} with all its tables"))?;
        }
        return refuse_if(args.check, format!("There is no database at {missing} yet."));
    }
    if args.with_blacklist_tables && !only_look && open::create_blacklist_tables(&config).await? {
        output::say(
            "Created token_blacklist_outstandingtoken and token_blacklist_blacklistedtoken, as SimpleJWT would.",
        )?;
    }
    let plan = open::look(&config).await?;
    let Plan { found, pending } = &plan;
    if args.plan {
        output::say("Planned operations:")?;
        for name in pending {
            output::say(format!("  {name}"))?;
            for line in plan.sql(name, matches!(url, DatabaseUrl::Postgres(_))).lines() {
                output::say(format!("      {line}"))?;
            }
        }
        if pending.is_empty() {
            output::say("  No planned migration operations.")?;
        }
    }
    if only_look {
        let is_behind = args.check && !pending.is_empty();
        return refuse_if(is_behind, format!("You have {} unapplied migration(s).", pending.len()));
    }
    output::say(format!("Operations to perform:\n  Apply all migrations: latchkey ({})", place(url, found)))?;
    output::say("Running migrations:")?;
    if pending.is_empty() {
        output::say("  No migrations to apply.")?;
    }
    // Even if nothing is pending: this recreates indexes that a Django migration dropped.
    open::migrate(&config, pending.clone()).await
}

fn refuse_if(refused: bool, text: String) -> Result<(), Failure> {
    if refused { Err(Failure::Said(format!("{text} Run 'latchkey migrate'."))) } else { Ok(()) }
}

/// Which database, in words.
fn place(url: &DatabaseUrl, found: &DatabaseContents) -> String {
    let database = match url {
        DatabaseUrl::Sqlite(path) => path.display().to_string(),
        DatabaseUrl::Postgres(_) => "PostgreSQL".to_owned(),
    };
    match found {
        DatabaseContents::Empty => format!("{database}, which has no tables yet"),
        DatabaseContents::Django(_) => format!("{database}, a Django database"),
        DatabaseContents::Latchkey(_) => database,
    }
}
