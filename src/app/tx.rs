//! A transaction, which the functions of all rooms take to read and write. Only this file and the mail queue ask `Db`
//! for a connection, so everything that a transaction does is part of it, and its mail is sent as soon as it is
//! committed.

use super::App;
use crate::db::exclusive::{self, Task};
use crate::db::types::Instant;
use crate::db::{Conn, DbError};
use crate::mail::Outgoing;

/// A running transaction.
pub struct Tx<'a> {
    /// The settings, keys and everything else that is shared.
    pub app: &'a App,
    /// The connection, for the functions of `db`.
    pub conn: &'a mut Conn,
    /// When the transaction began: one time for everything that it writes.
    pub now: Instant,
    queued_mail: bool,
}

impl<'a> Tx<'a> {
    fn new(app: &'a App, conn: &'a mut Conn) -> Self {
        Self { app, conn, now: app.now(), queued_mail: false }
    }

    /// Queues a mail. It is sent once the transaction is committed, and never if it is rolled back.
    pub fn send(&mut self, mail: &Outgoing<'_>) -> Result<(), DbError> {
        self.app.mailer.enqueue(self.conn, self.now, mail)?;
        self.queued_mail = true;
        Ok(())
    }
}

impl App {
    /// Runs a job that only reads. It may run twice, if a connection breaks.
    pub async fn read<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let app = self.clone();
        self.db.read(move |conn| job(&mut Tx::new(&app, conn))).await
    }

    /// Runs a job in one transaction; its writes are durable when this returns.
    ///
    /// It may run twice (after a deadlock, a lost connection or another job's constraint violation), so it holds SQL and
    /// cheap computation only: no hashing, no signing, no network.
    pub async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let app = self.clone();
        let committed = self.db.write(move |conn| {
            let mut tx = Tx::new(&app, conn);
            job(&mut tx).map(|answer| (answer, tx.queued_mail))
        });
        let (answer, queued_mail) = committed.await?;
        if queued_mail {
            self.mailer.wake();
        }
        Ok(answer)
    }

    /// Runs background work as `write` does. Returns `None` if another instance on the same database is doing it.
    pub async fn write_exclusively<T, F>(&self, task: Task, job: F) -> Result<Option<T>, DbError>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, DbError> + Send + 'static,
        T: Send + 'static,
    {
        self.write(move |tx| if exclusive::try_start(tx.conn, task)? { job(tx).map(Some) } else { Ok(None) }).await
    }
}
