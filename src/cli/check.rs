//! `latchkey check`: checks everything that a server needs, so that the operator learns of problems before the users do.

use secrecy::ExposeSecret;

use super::failure::{DATABASE_HINT, Failure};
use super::text::help;
use super::{open, output, text};
use crate::config::{Algorithm, Config, DatabaseUrl};
use crate::crypto::keys::Keys;
use crate::db::conn::{AccessMode, Conn};
use crate::db::indexes;
use crate::db::migrations::{DatabaseContents, MigrateError, Plan};
use crate::key_set::fetch::{Source, TIMEOUT};

/// How many shared addresses are listed by name.
const MAX_NAMED_ADDRESSES: i64 = 20;

/// Check settings, database, migrations and keys
///
/// Prints every setting in force, with secrets hidden, and then the result of each check. An error keeps the server from
/// starting or working; a warning deserves a look. Nothing is changed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey check\n  \
       latchkey check && systemctl restart latchkey",
    "  All settings: the command lists them. They can be set in ./.env too.",
))]
pub struct Args {}

/// The results, in the order of the checks.
#[derive(Default)]
struct Report {
    lines: Vec<(Level, String)>,
    /// Whether the database is shared with Django, if that is known.
    beside_django: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warning,
    Error,
}

impl Report {
    fn add(&mut self, level: Level, text: impl Into<String>) {
        self.lines.push((level, text.into()));
    }

    fn count(&self, level: Level) -> usize {
        self.lines.iter().filter(|line| line.0 == level).count()
    }
}

/// Checks first and prints afterwards: some defaults depend on whether the database is shared with Django.
pub async fn run(_args: Args) -> Result<(), Failure> {
    let config = open::quiet_config()?;
    let look = move || {
        let mut report = Report::default();
        config.warnings.iter().for_each(|warning| report.add(Level::Warning, warning));
        keys(&config, &mut report);
        key_set(&config, &mut report);
        database(&config, &mut report);
        (config, report)
    };
    let (config, report) = tokio::task::spawn_blocking(look).await.map_err(open::stopped)?;
    output::say("Settings (* is set, with its source; the others are defaults):")?;
    for setting in config.effective() {
        let (mark, origin) =
            if setting.is_default() { (' ', String::new()) } else { ('*', format!("  # {}", setting.origin.word())) };
        let value = text::plain(setting.in_force(report.beside_django));
        output::say(format!("{mark} {}={value}{origin}", setting.name))?;
    }
    output::say("\nChecks:")?;
    for (level, text) in &report.lines {
        let word = match level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        output::say(format!("  {word:<8} {}", text::plain(text)))?;
    }
    conclude(&report)
}

fn keys(config: &Config, report: &mut Report) {
    let is_secret = matches!(config.jwt.algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    if is_secret && config.secret_key.expose_secret().is_empty() && config.jwt.signing_key.is_none() {
        return report.add(Level::Ok, "signing key: will be created at the first start");
    }
    match Keys::new(&config.jwt, &config.secret_key) {
        Ok(keys) => {
            report.add(Level::Ok, format!("signing key ({}, id {})", keys.algorithm(), keys.kid()));
            keys.warnings().iter().for_each(|warning| report.add(Level::Warning, warning));
        }
        Err(error) => report.add(Level::Error, error.to_string()),
    }
}

/// Fetches the remote keys as the server would.
fn key_set(config: &Config, report: &mut Report) {
    let Some(url) = config.jwt.jwk_url.clone() else { return };
    match (Source { url, algorithm: config.jwt.algorithm, timeout: TIMEOUT }).fetch() {
        Ok(set) => {
            let kids = set.kids();
            report.add(Level::Ok, format!("key set: {}, {}", text::count(kids.len(), "key"), kids.join(", ")));
            if !set.skipped().is_empty() {
                report.add(Level::Ok, format!("key set: not used: {}", set.skipped().join(", ")));
            }
        }
        // A server starts all the same, and tries again.
        Err(error) => report.add(Level::Warning, format!("key set: JWT_JWK_URL could not be fetched: {error}")),
    }
}

fn database(config: &Config, report: &mut Report) {
    let url = &config.database.url;
    if let Some(missing) = open::missing_file(url) {
        report.beside_django = Some(false);
        return report.add(
            unless_automatic(config),
            format!("no database at {missing} yet: run 'latchkey migrate' to create it"),
        );
    }
    let mut conn = match Conn::open(url, AccessMode::Read) {
        Ok(conn) => conn,
        Err(error) => {
            let cause = text::one_line(&error.to_string());
            return report.add(Level::Error, format!("{cause}. {DATABASE_HINT}"));
        }
    };
    if let Err(error) = tables(&mut conn, config, report) {
        report.add(Level::Error, text::one_line(&error.to_string()));
    }
}

/// What a server fixes at start is a warning, what it refuses to start with is an error.
fn unless_automatic(config: &Config) -> Level {
    if config.database.auto_migrate { Level::Warning } else { Level::Error }
}

/// Tables, migrations, indexes, users.
fn tables(conn: &mut Conn, config: &Config, report: &mut Report) -> Result<(), MigrateError> {
    let Plan { found, pending } = Plan::make(conn, config)?;
    report.beside_django = Some(found.is_django());
    report.add(Level::Ok, format!("database: {}", describe(&config.database.url, &found)));
    if !pending.is_empty() {
        let text = format!("{} unapplied migration(s): run 'latchkey migrate'", pending.len());
        report.add(unless_automatic(config), text);
        return Ok(());
    }
    let Some(users) = found.users() else { return Ok(()) };
    report.add(Level::Ok, "migrations: all applied");
    match indexes::missing(conn, users)?.as_slice() {
        [] => report.add(Level::Ok, "indexes: complete"),
        missing => report.add(
            Level::Warning,
            format!("missing indexes: {}. Lists and logins are slow; run 'latchkey migrate'", missing.join(", ")),
        ),
    }
    if users.has_superuser(conn)? {
        report.add(Level::Ok, "superuser: exists");
    } else {
        report.add(Level::Warning, "no superuser yet: run 'latchkey createsuperuser'");
    }
    match users.list_shared_addresses(conn, MAX_NAMED_ADDRESSES + 1)?.as_slice() {
        [] => report.add(Level::Ok, "email addresses: all unique"),
        shared => report.add(Level::Warning, describe_shared(shared)),
    }
    Ok(())
}

fn describe(url: &DatabaseUrl, found: &DatabaseContents) -> String {
    let database = match url {
        DatabaseUrl::Sqlite(path) => format!("SQLite, {}", path.display()),
        DatabaseUrl::Postgres(_) => "PostgreSQL".to_owned(),
    };
    match found {
        DatabaseContents::Empty => format!("{database}, without Latchkey's tables yet"),
        DatabaseContents::Django(_) => format!("{database}, shared with Django"),
        DatabaseContents::Latchkey(_) => database,
    }
}

fn describe_shared(shared: &[String]) -> String {
    let named = usize::try_from(MAX_NAMED_ADDRESSES).unwrap_or(usize::MAX).min(shared.len());
    let more = if shared.len() > named { " and more" } else { "" };
    format!(
        "email addresses used by several users, ignoring case: {}{more}. Logging in with one of them may fail",
        shared[..named].join(", ")
    )
}

/// Prints Django's last line; decides the exit code.
fn conclude(report: &Report) -> Result<(), Failure> {
    let (errors, warnings) = (report.count(Level::Error), report.count(Level::Warning));
    let found = match (errors, warnings) {
        (0, 0) => "no issues".to_owned(),
        (0, _) => text::count(warnings, "warning"),
        (_, 0) => text::count(errors, "error"),
        _ => format!("{} and {}", text::count(errors, "error"), text::count(warnings, "warning")),
    };
    output::say(format!("\nSystem check identified {found}."))?;
    if errors == 0 { Ok(()) } else { Err(Failure::Silent) }
}
