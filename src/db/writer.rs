//! The writer: SQLite's only read-write connection, on its own thread, committing in groups.
//!
//! Up to `MAX_GROUP` queued jobs share one `BEGIN IMMEDIATE … COMMIT`, each in its own savepoint, and are answered only after
//! the commit. One fsync for the whole group makes `synchronous=FULL` affordable. Only `Db::write` uses it.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use diesel::Connection;
use diesel::result::{DatabaseErrorKind, Error};
use tokio::sync::oneshot;

use super::conn::{Conn, Watched};
use super::error::{DbError, ErrorEffect};
use super::transaction::{self, Abort};

/// Maximum number of jobs that share a commit.
const MAX_GROUP: usize = 64;
/// Maximum number of waiting jobs; further ones are refused.
const MAX_QUEUED: usize = 4096;

type Open = Box<dyn Fn() -> Result<Watched, DbError> + Send>;

/// The writer's queue. Dropping it finishes what is queued.
pub(super) struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread; the connection is opened for the first job, and again if it breaks.
    pub(super) fn start(open: Open) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(MAX_QUEUED);
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(move || work(&open, &jobs))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues a job and waits until its group is durable.
    pub(super) async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let queued = Box::new(Queued { job, answer: None, reply: Some(reply) });
        let gone = || DbError::Unavailable("the writer has stopped".to_owned());
        match self.queue.as_ref().ok_or_else(gone)?.try_send(queued) {
            Ok(()) => answer.await.map_err(|_| gone())?,
            Err(TrySendError::Full(_)) => Err(DbError::Unavailable("the queue of writes is full".to_owned()).into()),
            Err(TrySendError::Disconnected(_)) => Err(gone().into()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        let own = std::thread::current().id();
        // A job may hold the last handle, and is dropped on the writer's own thread after it has answered.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != own) {
            // The thread ends when the queue is empty; a panic has been logged where it happened.
            let _ = thread.join();
        }
    }
}

/// A queued job with its types erased.
trait Job: Send {
    /// Runs it in a savepoint and keeps its answer.
    fn run(&mut self, conn: &mut Conn);
    /// Runs it in its own transaction and keeps its answer.
    fn run_alone(&mut self, watched: &mut Watched);
    /// Sends the kept answer.
    fn answer(&mut self);
    /// Sends an error instead.
    fn refuse(&mut self, reason: &str);
}

struct Queued<F, T, E> {
    job: F,
    answer: Option<Result<T, E>>,
    reply: Option<oneshot::Sender<Result<T, E>>>,
}

impl<F, T, E> Job for Queued<F, T, E>
where
    F: Fn(&mut Conn) -> Result<T, E> + Send,
    T: Send,
    E: From<DbError> + Send,
{
    fn run(&mut self, conn: &mut Conn) {
        let answer = conn.transaction(|conn| transaction::guarded(conn, &self.job));
        self.answer = Some(answer.map_err(Abort::into_error));
    }

    fn run_alone(&mut self, watched: &mut Watched) {
        self.answer = Some(transaction::alone(watched, &self.job));
    }

    fn answer(&mut self) {
        // If the receiver is gone, the client went away; the write stands.
        if let (Some(reply), Some(answer)) = (self.reply.take(), self.answer.take()) {
            let _ = reply.send(answer);
        }
    }

    fn refuse(&mut self, reason: &str) {
        if let Some(reply) = self.reply.take() {
            let _ = reply.send(Err(DbError::Unavailable(reason.to_owned()).into()));
        }
    }
}

fn work(open: &Open, jobs: &Receiver<Box<dyn Job>>) {
    let mut connection: Option<Watched> = None;
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(std::iter::from_fn(|| jobs.try_recv().ok()).take(MAX_GROUP - 1));
        let mut watched = match connection.take().filter(Watched::is_current).map_or_else(open, Ok) {
            Ok(watched) => watched,
            Err(error) => {
                refuse(&mut group, &error.to_string());
                continue;
            }
        };
        if commit_group(&mut watched, &mut group) {
            connection = Some(watched);
        }
    }
}

/// Runs and answers a group; `false` if the connection cannot be used again.
fn commit_group(watched: &mut Watched, group: &mut [Box<dyn Job>]) -> bool {
    if let Err(error) = transaction::begin(&mut watched.conn) {
        refuse(group, &error.to_string());
        return watched.take_worst_effect() != ErrorEffect::Broken;
    }
    for job in group.iter_mut() {
        job.run(&mut watched.conn);
        if watched.take_worst_effect() == ErrorEffect::Broken {
            // A full disk or an I/O error may have rolled back the whole transaction unnoticed.
            transaction::rollback(&mut watched.conn);
            refuse(group, "the disk is full or the database file cannot be written");
            return false;
        }
    }
    match transaction::commit(&mut watched.conn) {
        Ok(()) => {
            for job in group {
                job.answer();
            }
            true
        }
        Err(error) => {
            transaction::rollback(&mut watched.conn);
            if is_constraint(&error) {
                // Django's foreign keys are checked only here; one job's error must not affect the others.
                for job in group {
                    job.run_alone(watched);
                    job.answer();
                }
                watched.take_worst_effect() != ErrorEffect::Broken
            } else {
                refuse(group, &error.to_string());
                false
            }
        }
    }
}

fn refuse(group: &mut [Box<dyn Job>], reason: &str) {
    for job in group {
        job.refuse(reason);
    }
}

fn is_constraint(error: &Error) -> bool {
    matches!(
        error,
        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::UniqueViolation, _)
    )
}
