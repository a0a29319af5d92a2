//! What a database contains. Only looks, so that whatever Latchkey cannot use is refused before anything is written.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::error::{MigrateError, refuse};
use crate::config::Config;
use crate::db::user_table::UserTable;
use crate::db::{Conn, DbError};

/// The tables of SimpleJWT's blacklist app.
pub const BLACKLIST: [&str; 2] = ["token_blacklist_outstandingtoken", "token_blacklist_blacklistedtoken"];

/// What a database contains.
#[derive(Debug, Clone)]
pub enum DatabaseContents {
    /// No tables of Django's: Latchkey will create them.
    Empty,
    /// Django's tables (there is `django_migrations`).
    Django(Box<UserTable>),
    /// Tables created by Latchkey.
    Latchkey(Box<UserTable>),
}

impl DatabaseContents {
    /// Whether Django uses the same database.
    pub fn is_django(&self) -> bool {
        matches!(self, Self::Django(_))
    }

    /// Where users are stored; `None` if there are no tables yet.
    pub fn users(&self) -> Option<&UserTable> {
        match self {
            Self::Empty => None,
            Self::Django(users) | Self::Latchkey(users) => Some(users),
        }
    }
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Inspects the tables of users and tokens without writing anything.
///
/// # Errors
/// `Refused` if only some of them exist, or if users are stored in a way that Latchkey cannot use.
pub fn inspect(conn: &mut Conn, config: &Config) -> Result<DatabaseContents, MigrateError> {
    let tables = tables(conn)?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let is_django = has("django_migrations");
    let missing: Vec<_> = BLACKLIST.into_iter().filter(|name| !has(name)).collect();
    if missing.len() == BLACKLIST.len() && !is_django && !has("auth_user") {
        return match schema_with_django(conn)? {
            Some(schema) => Err(refuse(&other_schema(&schema))),
            None => Ok(DatabaseContents::Empty),
        };
    }
    if let Some(name) = missing.first() {
        return Err(refuse(&missing_table(name, is_django)));
    }
    let users = UserTable::resolve(conn, config)?;
    let users = Box::new(users);
    Ok(if is_django { DatabaseContents::Django(users) } else { DatabaseContents::Latchkey(users) })
}

fn missing_table(name: &str, is_django: bool) -> String {
    let remedy = if is_django {
        "add \"rest_framework_simplejwt.token_blacklist\" to INSTALLED_APPS and run `python manage.py migrate`, or run \
         `latchkey migrate --with-blacklist-tables`, which creates the tables as that app would"
    } else {
        "supported are an empty database, and a Django database"
    };
    format!("the table {name} is missing: {remedy}")
}

fn other_schema(schema: &str) -> String {
    format!(
        "django_migrations is in the schema {schema}, which the search path does not include: add \
         ?options=-csearch_path%3D{schema} to DATABASE_URL"
    )
}

/// A schema of PostgreSQL with a Django that the search path does not lead to.
fn schema_with_django(conn: &mut Conn) -> Result<Option<String>, DbError> {
    if !conn.is_postgres() {
        return Ok(None);
    }
    let text = "SELECT n.nspname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                WHERE c.relname = 'django_migrations' AND c.relkind = 'r' AND NOT pg_table_is_visible(c.oid) ORDER BY 1";
    Ok(sql_query(text).load::<Name>(conn)?.into_iter().next().map(|row| row.name))
}

/// Names of the tables and views in the database.
pub(super) fn tables(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let text = if conn.is_postgres() {
        "SELECT c.relname::text AS name FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(c.oid)"
    } else {
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
    };
    Ok(sql_query(text).load::<Name>(conn)?.into_iter().map(|row| row.name).collect())
}
