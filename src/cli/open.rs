//! Opens what a command works with: the settings, the database, the `App`. Only `migrate` here writes to a database or creates
//! one.

use tokio::task::spawn_blocking;

use super::failure::Failure;
use super::output;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, DatabaseUrl, Log};
use crate::crypto::random;
use crate::db::conn::{AccessMode, Conn};
use crate::db::migrations::{self, MigrateError, Plan, blacklist};
use crate::db::types::Instant;
use crate::telemetry;

/// The settings for a server: `overrides` win over the environment and `./.env`.
pub fn server_config(overrides: &[(&str, String)]) -> Result<Config, Failure> {
    config(overrides, true)
}

/// Reports all problems at once.
fn config(overrides: &[(&str, String)], is_start: bool) -> Result<Config, Failure> {
    Config::from_environment(overrides, random::secret_key, is_start)
        .map_err(|problems| Failure::say(format!("These settings are wrong:\n{problems}")))
}

/// The settings for a command other than the server, which logs only warnings and errors.
pub fn quiet_config() -> Result<Config, Failure> {
    let config = config(&[], false)?;
    let filter = if config.log.filter == "info" { "warn".to_owned() } else { config.log.filter.clone() };
    telemetry::init(&Log { filter, ..config.log.clone() });
    Ok(config)
}

/// Everything for a command that works with an existing, migrated database.
pub async fn app() -> Result<App, Failure> {
    let config = quiet_config()?;
    if let Some(missing) = missing_file(&config.database.url) {
        return Err(Failure::say(format!(
            "There is no database at {missing} yet. Run 'latchkey migrate' to create it, or set DATABASE_URL to another one."
        )));
    }
    let Plan { pending, .. } = look(&config).await?;
    if !pending.is_empty() {
        return Err(unapplied(&pending));
    }
    Ok(App::open(config, Clock::System)?)
}

/// The SQLite file, if it does not exist: opening it would create an empty one.
pub fn missing_file(url: &DatabaseUrl) -> Option<String> {
    match url {
        DatabaseUrl::Sqlite(path) if !path.exists() => Some(path.display().to_string()),
        DatabaseUrl::Sqlite(_) | DatabaseUrl::Postgres(_) => None,
    }
}

/// What the database contains, and the migrations that it lacks. Only reads.
pub async fn look(config: &Config) -> Result<Plan, Failure> {
    let config = config.clone();
    let looked = spawn_blocking(move || -> Result<Plan, MigrateError> {
        let mut conn = Conn::open(&config.database.url, AccessMode::Read)?;
        Plan::make(&mut conn, &config)
    });
    Ok(looked.await.map_err(stopped)??)
}

/// Creates SimpleJWT's two tables in a Django database that lacks them; `false` if there was nothing to do.
pub async fn create_blacklist_tables(config: &Config) -> Result<bool, Failure> {
    let config = config.clone();
    let created = spawn_blocking(move || -> Result<bool, MigrateError> {
        let mut conn = Conn::open(&config.database.url, AccessMode::Migrate)?;
        blacklist::create(&mut conn, &config, Instant::from(Clock::System.now()))
    });
    Ok(created.await.map_err(stopped)??)
}

/// Applies pending migrations and reports them in Django's words.
pub async fn migrate(config: &Config, pending: Vec<String>) -> Result<(), Failure> {
    let config = config.clone();
    spawn_blocking(move || {
        let mut conn = Conn::open(&config.database.url, AccessMode::Migrate)?;
        let mut names = pending.iter();
        let applying = |name: Option<&String>| match name {
            Some(name) => output::print(&format!("  Applying {name}...")),
            None => Ok(()),
        };
        applying(names.next())?;
        // If nobody reads the output any more, the rest is applied all the same.
        let mut told = Ok(());
        migrations::run(&mut conn, &config, &mut |_| {
            if told.is_ok() {
                told = output::say(" OK").and_then(|()| applying(names.next()));
            }
        })?;
        told
    })
    .await
    .map_err(stopped)?
}

/// The failure of a command on a database that lacks migrations.
pub fn unapplied(pending: &[String]) -> Failure {
    Failure::say(format!(
        "You have {} unapplied migration(s): {}.\nRun 'latchkey migrate' to apply them.",
        pending.len(),
        pending.join(", ")
    ))
}

/// The failure when a blocking job did not finish.
pub fn stopped(error: tokio::task::JoinError) -> Failure {
    Failure::say(format!("The command stopped unexpectedly: {error}."))
}
