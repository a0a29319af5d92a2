//! `Conn`: one connection to either database. Every query is written once, for this enum.

use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;

/// A connection to the database that `DATABASE_URL` names.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL, through libpq.
    Postgres(PgConnection),
    /// A SQLite file.
    Sqlite(SqliteConnection),
}
