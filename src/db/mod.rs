//! The database: two ways into it (`Db::read`, `Db::write`), and one file per table with its rows and queries. Only this folder
//! uses Diesel. Functions take the connection, never the pool, so that they can be combined in one transaction.

pub mod blacklisted_tokens;
pub mod conn;
pub mod error;
pub mod exclusive;
pub mod indexes;
pub mod latchkey_account_session;
pub mod latchkey_admin_session;
pub mod latchkey_audit_log;
pub mod latchkey_browser;
pub mod latchkey_challenge;
pub mod latchkey_device;
pub mod latchkey_link;
pub mod latchkey_mail;
pub mod latchkey_recovery_code;
pub mod latchkey_rollup;
pub mod latchkey_second_factor;
pub mod latchkey_session;
pub mod latchkey_statistic;
pub mod latchkey_throttle;
pub mod latchkey_token;
pub mod latchkey_user;
pub mod list;
pub mod migrations;
pub mod outstanding_tokens;
pub mod page;
mod pool;
pub mod schema;
mod sql;
mod statements;
mod transaction;
pub mod types;
pub mod user_id;
pub mod user_table;
pub mod users;
mod writer;

use std::sync::Arc;

pub use conn::Conn;
use conn::{AccessMode, Watched};
pub use error::DbError;
use pool::Pool;
use statements::Statements;
pub use statements::{Event, Observer};
use writer::Writer;

use crate::config::{Database, DatabaseUrl};

/// The database, with the two ways into it.
pub struct Db {
    url: DatabaseUrl,
    pool: Arc<Pool>,
    /// Only for SQLite; on PostgreSQL every connection may write.
    writer: Option<Writer>,
    statements: Arc<Statements>,
}

impl Db {
    /// Prepares access; connections are opened when they are needed.
    ///
    /// # Errors
    /// If the writer's thread cannot be started.
    pub fn new(settings: &Database) -> Result<Self, DbError> {
        let statements = Arc::new(Statements::default());
        let open = |mode| {
            let (url, statements) = (settings.url.clone(), Arc::clone(&statements));
            move || Watched::open(&url, mode, &statements)
        };
        let (reads, writer) = match settings.url {
            DatabaseUrl::Postgres(_) => (AccessMode::Write, None),
            DatabaseUrl::Sqlite(_) => {
                let writer = Writer::start(Box::new(open(AccessMode::Write)));
                (AccessMode::Read, Some(writer.map_err(|error| DbError::Unavailable(error.to_string()))?))
            }
        };
        let pool = Arc::new(Pool::new(settings.pool_size, Box::new(open(reads))));
        Ok(Self { url: settings.url.clone(), pool, writer, statements })
    }

    /// Runs `job` with a connection for reading. It may run twice, if a connection is broken.
    pub async fn read<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.pool.run(move |watched| job(&mut watched.conn)).await
    }

    /// Runs `job` in one transaction; what it wrote is durable when this returns.
    ///
    /// It may run twice (after a deadlock, a lost connection or an error in another job of its group), so it may contain only SQL
    /// and cheap computation: no hashing, no signing, no network.
    pub async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        match &self.writer {
            Some(writer) => writer.write(job).await,
            None => self.pool.run(move |watched| transaction::alone(watched, &job)).await,
        }
    }

    /// A separate connection, for migrations and indexes.
    pub fn open(&self) -> Result<Conn, DbError> {
        Conn::open(&self.url, AccessMode::Migrate)
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.writer.is_none()
    }

    /// How many statements have been run, not counting transaction control.
    pub fn statements(&self) -> u64 {
        self.statements.count()
    }

    /// Reports each statement to `observer` from now on. Only for tests.
    pub fn observe(&self, observer: Observer) {
        self.statements.observe(observer);
    }
}
