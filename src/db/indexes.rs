//! Our indexes on Django's tables. They are not a migration: a Django migration on SQLite recreates its tables and loses them, and
//! PostgreSQL builds them `CONCURRENTLY`, which a transaction does not allow. `ensure` runs after every `migrate`.

use diesel::sql_types::{Bool, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::user_table::{Column, UserTable, quoted};
use super::{Conn, DbError};
use crate::config::UserField;

const OUTSTANDING: &str = "token_blacklist_outstandingtoken";
const BLACKLISTED: &str = "token_blacklist_blacklistedtoken";

/// An index that should be there.
struct Wanted {
    name: &'static str,
    table: String,
    definition: String,
}

impl Wanted {
    fn new(name: &'static str, table: &str, definition: impl Into<String>) -> Self {
        Self { name, table: table.to_owned(), definition: definition.into() }
    }
}

/// The indexes for this database.
fn wanted(is_postgres: bool, users: &UserTable) -> Vec<Wanted> {
    let mut all = vec![
        // flushexpiredtokens, and the lists sorted by expiry.
        Wanted::new("latchkey_outstandingtoken_expires_at", OUTSTANDING, "(expires_at, id)"),
        // Lists of a period of time.
        Wanted::new("latchkey_outstandingtoken_created_at", OUTSTANDING, "(created_at, id)"),
        Wanted::new("latchkey_blacklistedtoken_blacklisted_at", BLACKLISTED, "(blacklisted_at, id)"),
    ];
    if is_postgres {
        // The newest tokens of a user; on SQLite Django's index on user_id includes the id anyway.
        all.push(Wanted::new("latchkey_outstandingtoken_user_id", OUTSTANDING, "(user_id, id)"));
    }
    all.extend(of_users(is_postgres, users));
    all
}

/// The indexes of the user table, as far as it has the columns.
fn of_users(is_postgres: bool, users: &UserTable) -> Vec<Wanted> {
    let (table, key) = (users.name.quoted(), quoted(&users.key.name));
    let email = users.column(UserField::Email);
    let name = users.name_column();
    // Logins with an email address, and searches by prefix. `LIKE 'x%'` needs the pattern operators.
    let operators = if is_postgres { " text_pattern_ops" } else { "" };
    let lower = |column: &Column| format!("({}{operators})", column.lower(&quoted(&column.name)));
    let shown = name.or(email).map_or_else(|| key.clone(), |column| quoted(&column.name));
    // The few that a filter of the list of users matches.
    let few = |not: &'static str| {
        let shown = shown.clone();
        move |column: &Column| format!("({shown}) WHERE {not}{}", quoted(&column.name))
    };
    let by_time = |column: &Column| format!("({}, {key})", quoted(&column.name));
    let joined = users.column(UserField::DateJoined).filter(|_| users.key.is_uuid());
    [
        ("latchkey_user_lower_email", email.map(lower)),
        ("latchkey_user_lower_username", name.map(lower)),
        ("latchkey_user_lower_first_name", users.column(UserField::FirstName).map(lower)),
        ("latchkey_user_lower_last_name", users.column(UserField::LastName).map(lower)),
        // The list of users by last login, and by the time of creation where the key does not tell it.
        ("latchkey_user_last_login", users.column(UserField::LastLogin).map(by_time)),
        ("latchkey_user_date_joined", joined.map(by_time)),
        ("latchkey_user_staff", users.column(UserField::IsStaff).map(few(""))),
        ("latchkey_user_superuser", users.column(UserField::IsSuperuser).map(few(""))),
        ("latchkey_user_inactive", users.column(UserField::IsActive).map(few("NOT "))),
    ]
    .into_iter()
    .filter_map(|(name, definition)| Some(Wanted::new(name, &table, definition?)))
    .collect()
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
pub fn missing(conn: &mut Conn, users: &UserTable) -> Result<Vec<&'static str>, DbError> {
    let existing = existing(conn)?;
    let is_there = |name: &str| existing.iter().any(|index| index.valid && index.name == name);
    Ok(wanted(conn.is_postgres(), users).into_iter().map(|index| index.name).filter(|name| !is_there(name)).collect())
}

/// Creates the missing ones. If we are not allowed to index a table, there is a warning, and the rest goes on.
pub fn ensure(conn: &mut Conn, users: &UserTable) -> Result<(), DbError> {
    let existing = existing(conn)?;
    for Wanted { name, table, definition } in wanted(conn.is_postgres(), users) {
        let found = existing.iter().find(|index| index.name == name);
        if found.is_some_and(|index| index.valid) {
            continue;
        }
        let made = if conn.is_postgres() {
            if found.is_some() {
                sql_query(format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).execute(conn)?;
            }
            sql_query(format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} {definition}")).execute(conn)
        } else {
            sql_query(format!("CREATE INDEX IF NOT EXISTS {name} ON {table} {definition}")).execute(conn)
        };
        if let Err(error) = made {
            tracing::warn!(%error, index = name, table, "an index could not be made; lists and searches will be slower");
        }
    }
    Ok(())
}
