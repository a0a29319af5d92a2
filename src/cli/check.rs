//! `latchkey check`: looks at everything that a server would need, and says what is wrong before a user does.

use super::failure::Failure;
use super::{help, open, output};
use crate::config::{Config, DatabaseUrl};
use crate::crypto::keys::Keys;
use crate::db::conn::{Conn, Purpose};
use crate::db::migrations::{self, Found, MigrateError};
use crate::db::{DbError, indexes, users};

/// Addresses that are named one by one; more are only counted.
const NAMED: i64 = 20;

/// Check settings, database, migrations and keys
///
/// Prints every setting as it is in force, with secrets masked, and then what it found. An error keeps the server from
/// starting or from working; a warning is worth a look. It changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey check\n  \
       latchkey check && systemctl restart latchkey",
    "  All of it: what it prints is the list of settings. Values come from the environment and from ./.env.",
))]
pub struct Args {}

/// What was found.
#[derive(Default)]
struct Report {
    errors: usize,
    warnings: usize,
}

impl Report {
    fn ok(&self, text: &str) -> Result<(), Failure> {
        output::say(format!("  ok       {text}"))
    }

    fn warning(&mut self, text: &str) -> Result<(), Failure> {
        self.warnings += 1;
        output::say(format!("  warning  {text}"))
    }

    fn error(&mut self, text: &str) -> Result<(), Failure> {
        self.errors += 1;
        output::say(format!("  error    {text}"))
    }
}

/// Checks.
pub async fn run(_args: Args) -> Result<(), Failure> {
    let config = open::quiet_config()?;
    output::say("Settings (* is set, the others are defaults):")?;
    for setting in config.effective() {
        let mark = if setting.is_default { ' ' } else { '*' };
        output::say(format!("{mark} {}={}", setting.name, output::plain(&setting.value)))?;
    }
    output::say("\nChecks:")?;
    let mut report = Report::default();
    settings(&config, &mut report)?;
    tokio::task::spawn_blocking(move || database(&config, report)).await.map_err(open::stopped)?.and_then(conclude)
}

fn settings(config: &Config, report: &mut Report) -> Result<(), Failure> {
    for warning in &config.warnings {
        report.warning(warning)?;
    }
    match Keys::new(&config.jwt, &config.secret_key) {
        Ok(keys) => {
            report.ok(&format!("signing key ({}, id {})", keys.algorithm(), keys.kid()))?;
            keys.warnings().iter().try_for_each(|warning| report.warning(warning))
        }
        Err(error) => report.error(&error.to_string()),
    }
}

fn database(config: &Config, mut report: Report) -> Result<Report, Failure> {
    let url = &config.database.url;
    if let Some(missing) = open::missing_file(url) {
        let text = format!("there is no database at {missing} yet: 'latchkey migrate' makes it");
        if config.database.auto_migrate {
            report.warning(&text)?
        } else {
            report.error(&text)?
        }
        return Ok(report);
    }
    let mut conn = match Conn::open(url, Purpose::Read) {
        Ok(conn) => conn,
        Err(error) => {
            report.error(&format!("{error}: is DATABASE_URL right, and does the database run?"))?;
            return Ok(report);
        }
    };
    match migrations::inspect(&mut conn) {
        Ok(found) => report.ok(&format!("database: {}", describe(url, found)))?,
        Err(MigrateError::Refused(reason)) => report.error(&reason)?,
        Err(error) => report.error(&error.to_string())?,
    }
    if report.errors == 0 {
        let looked = tables(&mut conn, config, &mut report)?;
        if let Err(error) = looked {
            report.error(&error.to_string())?;
        }
    }
    Ok(report)
}

fn describe(url: &DatabaseUrl, found: Found) -> String {
    let database = match url {
        DatabaseUrl::Sqlite(path) => format!("SQLite, {}", path.display()),
        DatabaseUrl::Postgres(_) => "PostgreSQL".to_owned(),
    };
    match found {
        Found::Empty => format!("{database}, still empty"),
        Found::Django => format!("{database}, beside a Django"),
        Found::Latchkey => database,
    }
}

/// Migrations, indexes, users. What the database says is inside, what the terminal says outside.
fn tables(conn: &mut Conn, config: &Config, report: &mut Report) -> Result<Result<(), DbError>, Failure> {
    let pending = match migrations::pending(conn) {
        Ok(pending) => pending,
        Err(error) => return Ok(Err(error)),
    };
    if !pending.is_empty() {
        let text = format!("{} unapplied migration(s): run 'latchkey migrate'", pending.len());
        if config.database.auto_migrate {
            report.warning(&text)?
        } else {
            report.error(&text)?
        }
        return Ok(Ok(()));
    }
    report.ok("migrations")?;
    match indexes::missing(conn) {
        Ok(missing) if missing.is_empty() => report.ok("indexes")?,
        Ok(missing) => report.warning(&format!(
            "missing: index {}. Lists and logins by address are slow; run 'latchkey migrate'",
            missing.join(", index ")
        ))?,
        Err(error) => return Ok(Err(error)),
    }
    match users::has_superuser(conn) {
        Ok(true) => report.ok("superuser")?,
        Ok(false) => report.warning("there is no superuser yet: run 'latchkey createsuperuser'")?,
        Err(error) => return Ok(Err(error)),
    }
    match users::list_shared_addresses(conn, NAMED + 1) {
        Ok(shared) => addresses(&shared, report)?,
        Err(error) => return Ok(Err(error)),
    }
    Ok(Ok(()))
}

fn addresses(shared: &[String], report: &mut Report) -> Result<(), Failure> {
    if shared.is_empty() {
        return report.ok("e-mail addresses");
    }
    let named = usize::try_from(NAMED).unwrap_or(usize::MAX);
    let mut text = "several users have the same e-mail address, so nobody can log in by it: ".to_owned();
    let list: Vec<_> = shared.iter().take(named).map(|address| output::plain(address)).collect();
    text.push_str(&list.join(", "));
    if shared.len() > named {
        text.push_str(" and more");
    }
    report.warning(&text)
}

/// Django's last line, and the exit code.
fn conclude(report: Report) -> Result<(), Failure> {
    let Report { errors, warnings } = report;
    let found = match (errors, warnings) {
        (0, 0) => "no issues".to_owned(),
        (0, _) => output::count(warnings, "warning"),
        (_, 0) => output::count(errors, "error"),
        _ => format!("{} and {}", output::count(errors, "error"), output::count(warnings, "warning")),
    };
    output::say(format!("\nSystem check identified {found}."))?;
    if errors == 0 { Ok(()) } else { Err(Failure::Silent) }
}
