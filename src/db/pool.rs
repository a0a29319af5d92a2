//! The pool behind `Db::read` (and, on PostgreSQL, `Db::write`): a permit, then a connection on a blocking thread.
//! A broken connection is discarded and the job tried again on a new one; if the database is down, it fails immediately.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::conn::Watched;
use super::error::{DbError, ErrorEffect};

/// How long a request waits for a connection before it is told to come back later.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a transaction that loses deadlocks is tried.
const ATTEMPTS: usize = 3;

type Open = Box<dyn Fn() -> Result<Watched, DbError> + Send + Sync>;

/// At most `size` connections, opened when they are needed.
pub(super) struct Pool {
    open: Open,
    idle: Mutex<Vec<Watched>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(size: usize, open: Open) -> Self {
        Self { open, idle: Mutex::default(), permits: Arc::new(Semaphore::new(size)) }
    }

    /// Runs `job` on a blocking thread with a connection of the pool.
    pub(super) async fn run<T, E, F>(self: &Arc<Self>, job: F) -> Result<T, E>
    where
        F: Fn(&mut Watched) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let permit = self.permit().await?;
        let pool = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let answer = pool.attempt(&job);
            drop(permit);
            answer
        })
        .await
        .map_err(|error| DbError::Other(format!("a database job did not finish: {error}")))?
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, DbError> {
        match tokio::time::timeout(PERMIT_TIMEOUT, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(DbError::Unavailable("the pool is closed".to_owned())),
            Err(_) => Err(DbError::Unavailable("every connection is busy".to_owned())),
        }
    }

    fn attempt<T, E: From<DbError>>(&self, job: &impl Fn(&mut Watched) -> Result<T, E>) -> Result<T, E> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let (mut watched, reused) = self.take()?;
            let answer = job(&mut watched);
            let effect = watched.take_worst_effect();
            if effect == ErrorEffect::Broken {
                // The idle ones were opened before the same restart: they are broken too.
                drop(watched);
                self.idle().clear();
            } else {
                self.give_back(watched);
            }
            let again = effect == ErrorEffect::Deadlock || (effect == ErrorEffect::Broken && reused);
            if !(again && answer.is_err() && left > 0) {
                return answer;
            }
        }
    }

    fn take(&self) -> Result<(Watched, bool), DbError> {
        while let Some(watched) = self.pop() {
            if watched.is_current() {
                return Ok((watched, true));
            }
        }
        Ok(((self.open)()?, false))
    }

    fn pop(&self) -> Option<Watched> {
        self.idle().pop()
    }

    fn give_back(&self, watched: Watched) {
        self.idle().push(watched);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Watched>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
