//! The threads that hash passwords, behind a bounded queue: a flood of logins waits here or is turned away, and the rest of the
//! server does not notice.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

use super::format::Encoded;
use super::recipe::{Busy, Check, Recipe};
use super::scheme::Scheme;
use super::speeds::Speeds;

type Job = Box<dyn FnOnce() + Send>;

/// Threads for hashing, behind a bounded queue.
pub struct PasswordPool {
    scheme: Scheme,
    jobs: SyncSender<Job>,
    speeds: Arc<Speeds>,
}

impl PasswordPool {
    /// A pool of `threads` threads, with room for `queue` waiting jobs.
    pub fn new(recipe: Recipe, threads: usize, queue: usize) -> Self {
        let (jobs, waiting) = sync_channel(queue);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads.max(1) {
            let waiting = Arc::clone(&waiting);
            let thread = thread::Builder::new().name(format!("password-{number}")).spawn(move || work(&waiting));
            if let Err(error) = thread {
                tracing::error!(%error, "cannot start a thread for password hashes");
            }
        }
        Self { scheme: Scheme::of(&recipe), jobs, speeds: Arc::default() }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Busy`] if the queue is full or memory runs out.
    pub async fn hash(&self, password: SecretString) -> Result<String, Busy> {
        let (scheme, speeds) = (self.scheme, Arc::clone(&self.speeds));
        let made = self.submit(move || speeds.time(scheme, || Encoded::make(scheme, password.expose_secret()))).await?;
        made.map(|made| made.text()).ok_or(Busy)
    }

    /// Compares. It costs one hash, even if the stored one is unusable or unreadable (then by hashing with the recipe). Unless
    /// the password is right and the user `may_log_in`, it occupies its thread for as long as the slowest kind of hash would:
    /// so many attempts at once take equally long for users with quick hashes, with slow hashes, and for nobody.
    ///
    /// # Errors
    /// [`Busy`] if the queue is full.
    pub async fn verify(&self, password: SecretString, encoded: String, may_log_in: bool) -> Result<Check, Busy> {
        let (scheme, speeds) = (self.scheme, Arc::clone(&self.speeds));
        self.submit(move || {
            let started = Instant::now();
            let check = match readable(&encoded, scheme) {
                Some(stored) if speeds.time(stored.scheme, || stored.matches(password.expose_secret())) => {
                    Check::Right { outdated: stored.is_outdated(scheme) }
                }
                Some(_) => Check::Wrong,
                None => {
                    speeds.time(scheme, || Encoded::make(scheme, password.expose_secret()));
                    Check::Wrong
                }
            };
            if check == Check::Wrong || !may_log_in {
                speeds.wait_for_slowest(started);
            }
            check
        })
        .await
    }

    /// Takes as long as a failed verification, for a user who does not exist.
    ///
    /// # Errors
    /// [`Busy`] if the queue is full.
    pub async fn pretend(&self, password: SecretString) -> Result<(), Busy> {
        let (scheme, speeds) = (self.scheme, Arc::clone(&self.speeds));
        self.submit(move || {
            let started = Instant::now();
            speeds.time(scheme, || Encoded::make(scheme, password.expose_secret()));
            speeds.wait_for_slowest(started);
        })
        .await
    }

    /// Tells the pool that such hashes exist in the database; how long they take is measured once, on the pool.
    pub fn learn(&self, example: String) {
        // The recipe's too: that is what users who do not exist cost, before anybody has logged in.
        let other = readable(&example, self.scheme).map(|stored| stored.scheme);
        for scheme in [Some(self.scheme), other].into_iter().flatten() {
            let speeds = Arc::clone(&self.speeds);
            if !speeds.knows(scheme) {
                // If the queue is full, it is measured at the next call or by the first login of such a user.
                let _ = self.jobs.try_send(Box::new(move || {
                    if !speeds.knows(scheme) {
                        speeds.time(scheme, || Encoded::make(scheme, "a password to measure with"));
                    }
                }));
            }
        }
    }

    /// Queues a job and waits for its answer; the job is skipped if the caller has gone away.
    async fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let (answer, answered) = oneshot::channel();
        let job = move || {
            if !answer.is_closed() {
                let _ = answer.send(job());
            }
        };
        self.jobs.try_send(Box::new(job)).map_err(|_| Busy)?;
        answered.await.map_err(|_| Busy)
    }
}

/// What each thread does, until the pool is dropped.
fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a password hash panicked; its login was turned away");
        }
    }
}

/// A stored hash that can be compared at a bearable cost, or at the cost that our own recipe has.
fn readable(encoded: &str, ours: Scheme) -> Option<Encoded> {
    Encoded::parse(encoded).filter(|stored| stored.scheme == ours || stored.scheme.is_bearable())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Sender, channel};
    use std::task::{Context, Waker};
    use std::time::Duration;

    use super::*;
    use crate::config::Hasher;

    const CHEAP: Recipe = Recipe { hasher: Hasher::BcryptSha256, bcrypt_rounds: 4, pbkdf2_iterations: 1 };
    const OTHER: &str = "pbkdf2_sha256$3$abcdefghijklmnopqrstuv$kB5zNrQa1nDMXMQlMO2KUrnxVUilEGVEungXaPeylVg=";

    fn wait<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn verify(pool: &PasswordPool, password: &str, encoded: &str) -> Check {
        wait(pool.verify(password.into(), encoded.into(), true)).unwrap()
    }

    /// One thread, which works on something until the sender is dropped.
    fn occupied(queue: usize) -> (PasswordPool, Sender<()>) {
        let pool = PasswordPool::new(CHEAP, 1, queue);
        let (release, held) = channel::<()>();
        let (started, starts) = channel();
        let mut job: Job = Box::new(move || {
            started.send(()).unwrap();
            let _ = held.recv();
        });
        // A pool without a queue takes a job only once its thread waits for one.
        while let Err(std::sync::mpsc::TrySendError::Full(back)) = pool.jobs.try_send(job) {
            job = back;
            thread::yield_now();
        }
        starts.recv().unwrap();
        (pool, release)
    }

    #[test]
    fn a_password_is_hashed_and_verified() {
        let pool = PasswordPool::new(CHEAP, 2, 10);
        let made = wait(pool.hash("secret".into())).unwrap();
        assert!(made.starts_with("bcrypt_sha256$$2b$04$"));
        assert_eq!(verify(&pool, "secret", &made), Check::Right { outdated: false });
        assert_eq!(verify(&pool, "Secret", &made), Check::Wrong);
        assert_eq!(verify(&pool, "pässwörd 1", OTHER), Check::Right { outdated: true });
        assert_eq!(wait(pool.pretend("secret".into())), Ok(()));
    }

    #[test]
    fn unusable_unreadable_and_absurd_hashes_are_wrong_and_cost_a_hash() {
        for encoded in ["", "!", "nonsense", "bcrypt$$2b$31$vRlO2gilJuv/ndaTz9drvOKAzQYuaaRDJKBeWk2r31uZXowlxVuOS"] {
            let pool = PasswordPool::new(CHEAP, 1, 1);
            assert_eq!(verify(&pool, "secret", encoded), Check::Wrong);
            assert!(pool.speeds.knows(pool.scheme), "{encoded}");
        }
    }

    #[test]
    fn a_full_queue_is_busy() {
        let (pool, release) = occupied(1);
        pool.jobs.try_send(Box::new(|| {})).unwrap();
        assert_eq!(wait(pool.hash("secret".into())), Err(Busy));
        assert_eq!(wait(pool.verify("secret".into(), OTHER.into(), true)), Err(Busy));
        drop(release);
    }

    #[test]
    fn nothing_is_hashed_for_a_caller_that_went_away() {
        let (pool, release) = occupied(2);
        let hashed = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&hashed);
        {
            let waiting = pin!(pool.submit(move || seen.store(true, Ordering::SeqCst)));
            assert!(waiting.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        drop(release);
        // The one thread does its jobs in turn: after this one the other had its chance.
        assert_eq!(wait(pool.submit(|| ())), Ok(()));
        assert!(!hashed.load(Ordering::SeqCst));
    }

    #[test]
    fn a_panic_costs_only_its_own_caller() {
        let pool = PasswordPool::new(CHEAP, 1, 2);
        assert_eq!(wait(pool.submit(|| panic!("on purpose"))), Err::<(), _>(Busy));
        assert_eq!(wait(pool.submit(|| 1)), Ok(1));
    }

    #[test]
    fn what_is_learnt_is_measured_once_with_the_recipe() {
        let pool = PasswordPool::new(CHEAP, 1, 10);
        assert_eq!(pool.speeds.slowest(), Duration::ZERO);
        for example in [OTHER, OTHER, "!"] {
            pool.learn(example.into());
        }
        wait(pool.submit(|| ())).unwrap();
        assert_eq!(pool.speeds.kinds(), [pool.scheme, Encoded::parse(OTHER).unwrap().scheme]);
        assert!(pool.speeds.slowest() > Duration::ZERO);
    }

    #[test]
    fn a_failed_login_occupies_a_thread_as_long_as_the_slowest_hash() {
        let slow = Duration::from_millis(40);
        let pool = PasswordPool::new(CHEAP, 1, 3);
        pool.speeds.record(Encoded::parse(OTHER).unwrap().scheme, slow);
        let right = wait(pool.hash("secret".into())).unwrap();
        let started = Instant::now();
        wait(async {
            let wrong = pool.verify("wrong".into(), right.clone(), true);
            let inactive = pool.verify("secret".into(), right, false);
            let nobody = pool.pretend("secret".into());
            let answers = futures_util::future::join3(wrong, inactive, nobody).await;
            assert_eq!(answers, (Ok(Check::Wrong), Ok(Check::Right { outdated: false }), Ok(())));
        });
        assert!(started.elapsed() >= 3 * slow);
    }
}
