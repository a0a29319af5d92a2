//! Runs a job in a transaction and catches its panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::{Connection, QueryResult};

use super::conn::{Conn, Watched};
use super::error::DbError;

/// Why a job's part of a transaction was rolled back.
pub(super) enum Abort<E> {
    /// The job returned an error.
    Job(E),
    /// The database refused the transaction or savepoint around it.
    Db(diesel::result::Error),
    /// The job panicked.
    Panic,
}

impl<E> From<diesel::result::Error> for Abort<E> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error)
    }
}

impl<E: From<DbError>> Abort<E> {
    /// As the error of the job.
    pub(super) fn into_error(self) -> E {
        match self {
            Self::Job(error) => error,
            Self::Db(error) => DbError::from(error).into(),
            Self::Panic => DbError::Other("a database job panicked; it was rolled back".to_owned()).into(),
        }
    }
}

/// Runs a job and turns a panic into an error, so that the transaction around it is ended properly.
pub(super) fn guarded<T, E>(conn: &mut Conn, job: &impl Fn(&mut Conn) -> Result<T, E>) -> Result<T, Abort<E>> {
    match catch_unwind(AssertUnwindSafe(|| job(conn))) {
        Ok(answer) => answer.map_err(Abort::Job),
        Err(_) => Err(Abort::Panic),
    }
}

/// Runs a job in its own transaction (or in a savepoint, if one is already open).
pub(super) fn alone<T, E: From<DbError>>(
    watched: &mut Watched,
    job: &impl Fn(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    let conn = &mut watched.conn;
    begin(conn).map_err(|error| E::from(error.into()))?;
    match guarded(conn, job) {
        Ok(value) => match commit(conn) {
            Ok(()) => Ok(value),
            Err(error) => {
                rollback(conn);
                Err(DbError::from(error).into())
            }
        },
        Err(abort) => {
            rollback(conn);
            Err(abort.into_error())
        }
    }
}

/// Begins a write transaction: on SQLite with the write lock, on PostgreSQL with immediate constraints.
pub(super) fn begin(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Postgres(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN; SET CONSTRAINTS ALL IMMEDIATE")
        }
        Conn::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE"),
    }
}

/// Commits what `begin` began.
pub(super) fn commit(conn: &mut Conn) -> QueryResult<()> {
    <Conn as Connection>::TransactionManager::commit_transaction(conn)
}

/// Rolls back what `begin` began. An error means that the database has already done so, or that the connection is gone.
pub(super) fn rollback(conn: &mut Conn) {
    if let Err(error) = <Conn as Connection>::TransactionManager::rollback_transaction(conn) {
        tracing::debug!(%error, "rollback");
    }
}
