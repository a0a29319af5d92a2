//! SimpleJWT's two tables in a Django database that lacks its blacklist app, as the app's own migrations would make them.
//! They are recorded in `django_migrations`, so that adding the app later changes nothing.

use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryResult};

use super::error::{MigrateError, refuse};
use super::inspect::{self, BLACKLIST};
use super::rendered::Rendered;
use crate::config::Config;
use crate::db::Conn;
use crate::db::sql::Sql;
use crate::db::types::Instant;
use crate::db::user_table::UserTable;

/// The migrations of `rest_framework_simplejwt.token_blacklist` 5.5.1. The last ones change no table.
const MIGRATIONS: [&str; 12] = [
    "0001_initial",
    "0002_outstandingtoken_jti_hex",
    "0003_auto_20171017_2007",
    "0004_auto_20171017_2013",
    "0005_remove_outstandingtoken_jti",
    "0006_auto_20171017_2113",
    "0007_auto_20171017_2214",
    "0008_migrate_to_bigautofield",
    "0010_fix_migrate_to_bigautofield",
    "0011_linearizes_history",
    "0012_alter_outstandingtoken_user",
    "0013_alter_blacklistedtoken_options_and_more",
];

/// Creates the tables, if this is a Django database without them. Returns whether it did.
///
/// # Errors
/// `Refused` if nothing says which table has the users, or if only one of the tables is missing.
pub fn create(conn: &mut Conn, config: &Config, now: Instant) -> Result<bool, MigrateError> {
    let tables = inspect::tables(conn)?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let missing = BLACKLIST.iter().filter(|name| !has(name)).count();
    if missing == 0 || !has("django_migrations") {
        return Ok(false);
    }
    if missing == 1 {
        return Err(refuse("one of SimpleJWT's two tables exists and the other does not"));
    }
    let users = UserTable::resolve(conn, config)?;
    let text = Rendered { users: Some(&users), is_postgres: conn.is_postgres() }.blacklist_tables();
    conn.transaction(|conn| record(conn, &text, now)).map_err(|error| MigrateError::Failed(error.to_string()))?;
    Ok(true)
}

fn record(conn: &mut Conn, tables: &str, now: Instant) -> QueryResult<()> {
    conn.batch_execute(tables)?;
    for name in MIGRATIONS {
        let text = "INSERT INTO django_migrations (app, name, applied) VALUES ('token_blacklist', ?, ?)";
        diesel::RunQueryDsl::execute(Sql::fixed(text, &[name.into(), now.into()]), conn)?;
    }
    Ok(())
}
