//! Inspects a database before writing to it, and applies the embedded migrations (`migrations/{sqlite,postgres}`).
//! In an empty database they create Django's three tables and ours; in a Django database only ours.

use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::{Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Conn, DbError};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Django's three tables.
const CORE: [&str; 3] = ["auth_user", "token_blacklist_outstandingtoken", "token_blacklist_blacklistedtoken"];

/// What a database contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseContents {
    /// None of the three tables: Latchkey will create them.
    Empty,
    /// Django's tables (there is `django_migrations`).
    Django,
    /// Tables created by Latchkey.
    Latchkey,
}

/// Why a migration was not possible.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Latchkey cannot use this database; the text names the table and what is supported.
    #[error("{0}")]
    Refused(String),
    /// A migration failed and was rolled back.
    #[error("{0}")]
    Failed(String),
    /// The database returned an error.
    #[error(transparent)]
    Db(#[from] DbError),
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Inspects the three core tables without writing anything.
///
/// # Errors
/// `Refused` if only some of them exist, or if tokens do not refer to an integer `auth_user.id`.
pub fn inspect(conn: &mut Conn) -> Result<DatabaseContents, MigrateError> {
    let tables = tables(conn)?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let django = has("django_migrations");
    let present: Vec<_> = CORE.into_iter().filter(|name| has(name)).collect();
    if present.is_empty() && !django {
        return Ok(DatabaseContents::Empty);
    }
    if let Some(missing) = CORE.into_iter().find(|name| !has(name)) {
        return Err(MigrateError::Refused(missing_table(missing, django)));
    }
    let owner = owner_of_tokens(conn)?;
    if owner != ["auth_user.id integer"] {
        return Err(MigrateError::Refused(format!(
            "token_blacklist_outstandingtoken.user_id refers to {}; supported is only an integer auth_user.id \
             (Django's own user model). Nothing was changed.",
            owner.first().map_or("no table", String::as_str)
        )));
    }
    Ok(if django { DatabaseContents::Django } else { DatabaseContents::Latchkey })
}

fn missing_table(name: &str, django: bool) -> String {
    let remedy = match (name, django) {
        ("auth_user", true) => "a custom user model is not supported: Latchkey works with Django's own auth_user",
        (_, true) => {
            "add \"rest_framework_simplejwt.token_blacklist\" to INSTALLED_APPS and run `python manage.py migrate` first"
        }
        _ => "supported is an empty database, or a Django's with all three",
    };
    format!("the table {name} is missing beside the others: {remedy}. Nothing was changed.")
}

/// Names of the tables and views in the database.
pub(super) fn tables(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let sql = if conn.is_postgres() {
        "SELECT c.relname::text AS name FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(c.oid)"
    } else {
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
    };
    Ok(sql_query(sql).load::<Name>(conn)?.into_iter().map(|row| row.name).collect())
}

/// What `user_id` of the outstanding tokens refers to: `table.column type`.
fn owner_of_tokens(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let sql = if conn.is_postgres() {
        "SELECT r.relname || '.' || a.attname || ' ' || \
         CASE WHEN a.atttypid IN (20, 21, 23) THEN 'integer' ELSE format_type(a.atttypid, a.atttypmod) END AS name \
         FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid \
         JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = k.conkey[1] \
         JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = k.confkey[1] \
         WHERE k.contype = 'f' AND t.relname = 'token_blacklist_outstandingtoken' \
         AND pg_table_is_visible(t.oid) AND c.attname = 'user_id'"
    } else {
        "SELECT f.\"table\" || '.' || coalesce(f.\"to\", 'id') || ' ' || \
         CASE WHEN lower(c.type) IN ('integer', 'bigint', 'int') THEN 'integer' ELSE c.type END AS name \
         FROM pragma_foreign_key_list('token_blacklist_outstandingtoken') f \
         JOIN pragma_table_info(f.\"table\") c ON c.name = coalesce(f.\"to\", 'id') WHERE f.\"from\" = 'user_id'"
    };
    Ok(sql_query(sql).load::<Name>(conn)?.into_iter().map(|row| row.name).collect())
}

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
    let all = match conn {
        Conn::Postgres(_) => names(MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES)),
        Conn::Sqlite(_) => names(MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE)),
    }?;
    Ok(all.into_iter().filter(|(version, _)| !applied.contains(version)).map(|(_, name)| name).collect())
}

type Listed<DB> = diesel::migration::Result<Vec<Box<dyn Migration<DB>>>>;

fn names<DB: diesel::backend::Backend>(found: Listed<DB>) -> Result<Vec<(String, String)>, DbError> {
    let found = found.map_err(|error| DbError::Other(error.to_string()))?;
    Ok(found.iter().map(|one| (one.name().version().to_string(), one.name().to_string())).collect())
}

/// Inspects the database, then applies pending migrations in one transaction each; `tell` is called with each name afterwards.
pub fn run(conn: &mut Conn, tell: &mut dyn FnMut(&str)) -> Result<DatabaseContents, MigrateError> {
    let found = inspect(conn)?;
    for name in pending(conn)? {
        let applied = match conn {
            Conn::Postgres(conn) => conn.run_next_migration(POSTGRES).map(drop),
            Conn::Sqlite(conn) => conn.run_next_migration(SQLITE).map(drop),
        };
        match applied {
            Ok(()) => tell(&name),
            // Another process has applied the same migration.
            Err(_) if !pending(conn)?.contains(&name) => {}
            Err(error) => return Err(MigrateError::Failed(error.to_string())),
        }
    }
    super::indexes::ensure(conn)?;
    Ok(found)
}
