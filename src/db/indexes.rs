//! Our indexes on Django's tables. They are no migration: a Django migration on SQLite remakes its tables and loses
//! them, and PostgreSQL makes them `CONCURRENTLY`, which no transaction allows. `ensure` runs after every `migrate`.

use diesel::sql_types::{Bool, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::{Conn, DbError};

/// Name, table, columns on PostgreSQL, columns on SQLite.
const WANTED: [(&str, &str, &str, &str); 3] = [
    // flushexpiredtokens, and the lists sorted by expiry.
    ("latchkey_outstandingtoken_expires_at", "token_blacklist_outstandingtoken", "expires_at, id", "expires_at, id"),
    // Login by e-mail address, and searches that begin like a name. `LIKE 'x%'` needs the pattern operators.
    ("latchkey_user_lower_email", "auth_user", "lower(email) text_pattern_ops", "lower(email)"),
    ("latchkey_user_lower_username", "auth_user", "lower(username) text_pattern_ops", "lower(username)"),
];

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

/// Names of the indexes that are missing (or were left invalid by an interrupted build).
pub fn missing(conn: &mut Conn) -> Result<Vec<&'static str>, DbError> {
    let existing = existing(conn)?;
    let is_there = |name: &str| existing.iter().any(|index| index.valid && index.name == name);
    Ok(WANTED.iter().map(|(name, ..)| *name).filter(|name| !is_there(name)).collect())
}

/// Makes those that are missing. Where the table is not ours to index, a warning says so and the rest goes on.
pub fn ensure(conn: &mut Conn) -> Result<(), DbError> {
    let existing = existing(conn)?;
    for (name, table, on_postgres, on_sqlite) in WANTED {
        let found = existing.iter().find(|index| index.name == name);
        if found.is_some_and(|index| index.valid) {
            continue;
        }
        let made = if conn.is_postgres() {
            if found.is_some() {
                sql_query(format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).execute(conn)?;
            }
            sql_query(format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} ({on_postgres})"))
                .execute(conn)
        } else {
            sql_query(format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ({on_sqlite})")).execute(conn)
        };
        if let Err(error) = made {
            tracing::warn!(%error, index = name, table, "an index could not be made; lists and searches will be slower");
        }
    }
    Ok(())
}
