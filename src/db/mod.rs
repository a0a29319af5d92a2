//! The cellar: two doors into the database (`Db::read`, `Db::write`), and one file per table with its rows and queries.
//! Only this folder names Diesel. Functions take the connection, never the pool, so they compose into one transaction.

pub mod conn;
pub mod error;
pub mod schema;
pub mod types;

pub use conn::Conn;
pub use error::DbError;
pub mod blacklisted_tokens;
pub mod outstanding_tokens;
pub mod page;
pub mod users;

/// The database, with its two doors.
pub struct Db {}

impl Db {
    /// Runs `job` with a connection that only reads. It may run twice when a connection broke.
    pub async fn read<T, E, F>(&self, _job: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        unimplemented!()
    }

    /// Runs `job` in one transaction; what it wrote is durable when this answers. It may run twice (see the writer).
    pub async fn write<T, E, F>(&self, _job: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        unimplemented!()
    }
}
