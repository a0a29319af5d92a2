//! Inspects a database before writing to it, and applies the embedded migrations (`migrations/{sqlite,postgres}`).
//! In an empty database they create Django's three tables and ours; in a Django database only ours.

pub mod blacklist;
mod error;
mod identity;
mod inspect;
mod rendered;

use diesel::sql_types::{Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::MigrationHarness;

pub use error::MigrateError;
pub use identity::is_number;
pub use inspect::{DatabaseContents, inspect};
use rendered::Rendered;

use super::{Conn, DbError};
use crate::config::Config;

/// Names of the migrations that have not been applied. Writes nothing.
pub fn pending(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    #[derive(QueryableByName)]
    struct Exists {
        #[diesel(sql_type = Bool)]
        exists: bool,
    }
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Nullable<Text>)]
        version: Option<String>,
    }
    // Diesel's own check would create its table; this one only reads.
    let sql = if conn.is_postgres() {
        "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS exists"
    } else {
        "SELECT count(*) > 0 AS \"exists\" FROM sqlite_master WHERE name = '__diesel_schema_migrations'"
    };
    let known = sql_query(sql).get_result::<Exists>(conn)?.exists;
    let applied: Vec<_> = if known {
        let rows = sql_query("SELECT version FROM __diesel_schema_migrations").load::<Version>(conn)?;
        rows.into_iter().filter_map(|row| row.version).collect()
    } else {
        Vec::new()
    };
    let is_pending = |(version, _): &(String, &str)| !applied.contains(version);
    Ok(Rendered::names().filter(is_pending).map(|(_, name)| name.to_owned()).collect())
}

/// A database, and what `run` would do to it.
#[derive(Debug)]
pub struct Plan {
    /// What the database contains.
    pub found: DatabaseContents,
    /// Names of the migrations that have not been applied.
    pub pending: Vec<String>,
}

impl Plan {
    /// Inspects a database. Writes nothing.
    ///
    /// # Errors
    /// As `inspect`; before the first migration also where the stored tokens name their users by an unknown value.
    pub fn make(conn: &mut Conn, config: &Config) -> Result<Self, MigrateError> {
        let (found, pending) = (inspect(conn, config)?, pending(conn)?);
        if let Some(users) = found.users().filter(|_| pending.len() == Rendered::names().count()) {
            identity::check(conn, users, config)?;
        }
        Ok(Self { found, pending })
    }

    /// The statements of a pending migration.
    pub fn sql(&self, name: &str, is_postgres: bool) -> String {
        Rendered { users: self.found.users(), is_postgres }.sql(name)
    }
}

/// Inspects the database, then applies pending migrations in one transaction each; `tell` is called with each name afterwards.
pub fn run(conn: &mut Conn, config: &Config, tell: &mut dyn FnMut(&str)) -> Result<DatabaseContents, MigrateError> {
    let plan = Plan::make(conn, config)?;
    let rendered = Rendered { users: plan.found.users(), is_postgres: conn.is_postgres() };
    for name in &plan.pending {
        let applied = match conn {
            Conn::Postgres(conn) => conn.run_next_migration(rendered).map(drop),
            Conn::Sqlite(conn) => conn.run_next_migration(rendered).map(drop),
        };
        match applied {
            Ok(()) => tell(name),
            // Another process has applied the same migration.
            Err(_) if !pending(conn)?.contains(name) => {}
            Err(error) => return Err(MigrateError::Failed(error.to_string())),
        }
    }
    let users = inspect(conn, config)?;
    if let Some(users) = users.users() {
        super::indexes::ensure(conn, users)?;
    }
    Ok(plan.found)
}
