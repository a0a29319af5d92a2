//! Our indexes on Django's tables. They are not a migration: a Django migration on SQLite recreates its tables and loses them, and
//! PostgreSQL builds them `CONCURRENTLY`, which a transaction does not allow. `ensure` runs after every `migrate`.

use diesel::sql_types::{Bool, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::{Conn, DbError};

const OUTSTANDING: &str = "token_blacklist_outstandingtoken";
const BLACKLISTED: &str = "token_blacklist_blacklistedtoken";
const USERS: &str = "auth_user";

/// An index: its name, its table, and its definition on PostgreSQL and on SQLite (empty if not needed there).
type Wanted = (&'static str, &'static str, &'static str, &'static str);

const WANTED: [Wanted; 12] = [
    // flushexpiredtokens, and the lists sorted by expiry.
    ("latchkey_outstandingtoken_expires_at", OUTSTANDING, "(expires_at, id)", "(expires_at, id)"),
    // Lists of a period of time.
    ("latchkey_outstandingtoken_created_at", OUTSTANDING, "(created_at, id)", "(created_at, id)"),
    ("latchkey_blacklistedtoken_blacklisted_at", BLACKLISTED, "(blacklisted_at, id)", "(blacklisted_at, id)"),
    // The newest tokens of a user; on SQLite Django's index on user_id includes the id anyway.
    ("latchkey_outstandingtoken_user_id", OUTSTANDING, "(user_id, id)", ""),
    // Logins with an email address, and searches by prefix. `LIKE 'x%'` needs the pattern operators.
    ("latchkey_user_lower_email", USERS, "(lower(email) text_pattern_ops)", "(lower(email))"),
    ("latchkey_user_lower_username", USERS, "(lower(username) text_pattern_ops)", "(lower(username))"),
    ("latchkey_user_lower_first_name", USERS, "(lower(first_name) text_pattern_ops)", "(lower(first_name))"),
    ("latchkey_user_lower_last_name", USERS, "(lower(last_name) text_pattern_ops)", "(lower(last_name))"),
    // The list of users by last login, and filters that match few of them.
    ("latchkey_user_last_login", USERS, "(last_login, id)", "(last_login, id)"),
    ("latchkey_user_staff", USERS, "(username) WHERE is_staff", "(username) WHERE is_staff"),
    ("latchkey_user_superuser", USERS, "(username) WHERE is_superuser", "(username) WHERE is_superuser"),
    ("latchkey_user_inactive", USERS, "(username) WHERE NOT is_active", "(username) WHERE NOT is_active"),
];

/// The indexes for this database: name, table and definition.
fn wanted(conn: &Conn) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> + use<> {
    let is_postgres = conn.is_postgres();
    WANTED
        .iter()
        .map(move |(name, table, on_postgres, on_sqlite)| {
            (*name, *table, if is_postgres { *on_postgres } else { *on_sqlite })
        })
        .filter(|(.., made_of)| !made_of.is_empty())
}

#[derive(QueryableByName)]
struct Index {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    valid: bool,
}

fn existing(conn: &mut Conn) -> Result<Vec<Index>, DbError> {
    let sql = if conn.is_postgres() {
        "SELECT c.relname::text AS name, i.indisvalid AS valid FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid \
         WHERE c.relname LIKE 'latchkey\\_%' AND pg_table_is_visible(c.oid)"
    } else {
        "SELECT name, true AS valid FROM sqlite_master WHERE type = 'index' AND name LIKE 'latchkey\\_%' ESCAPE '\\'"
    };
    Ok(sql_query(sql).load(conn)?)
}

/// Names of the indexes that are missing or were left invalid by an interrupted build.
pub fn missing(conn: &mut Conn) -> Result<Vec<&'static str>, DbError> {
    let existing = existing(conn)?;
    let is_there = |name: &str| existing.iter().any(|index| index.valid && index.name == name);
    Ok(wanted(conn).map(|(name, ..)| name).filter(|name| !is_there(name)).collect())
}

/// Creates the missing ones. If we are not allowed to index a table, there is a warning, and the rest goes on.
pub fn ensure(conn: &mut Conn) -> Result<(), DbError> {
    let existing = existing(conn)?;
    for (name, table, made_of) in wanted(conn) {
        let found = existing.iter().find(|index| index.name == name);
        if found.is_some_and(|index| index.valid) {
            continue;
        }
        let made = if conn.is_postgres() {
            if found.is_some() {
                sql_query(format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).execute(conn)?;
            }
            sql_query(format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} {made_of}")).execute(conn)
        } else {
            sql_query(format!("CREATE INDEX IF NOT EXISTS {name} ON {table} {made_of}")).execute(conn)
        };
        if let Err(error) = made {
            tracing::warn!(%error, index = name, table, "an index could not be made; lists and searches will be slower");
        }
    }
    Ok(())
}
