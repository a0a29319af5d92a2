//! The keys of `JWT_JWK_URL`: kept in memory, fetched when they are old or a token names an unknown one, by one request at a
//! time and not too often. HTTP is in `fetch`, the keys are read by `crypto/jwk`; `tokens` asks for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::OwnedMutexGuard;
use tokio::task::spawn_blocking;

use crate::clock::Clock;
use crate::crypto::decode_error::DecodeError;
use crate::crypto::jwk::Jwks;
use crate::crypto::jwt;
use crate::crypto::signature::VerifyingKey;

pub mod fetch;

use fetch::{FetchError, Source};

/// How long a fetched set counts as fresh: PyJWT's `lifespan`.
pub const LIFESPAN: Duration = Duration::from_mins(5);

/// How soon after a fetch an unknown id may cause another: PyJWT's `cooldown_duration`.
pub const COOLDOWN: Duration = Duration::from_secs(30);

/// The same after a failed fetch.
pub const RETRY: Duration = Duration::from_secs(5);

/// A remote key set.
pub struct KeySet {
    shared: Arc<Shared>,
    /// Held by whoever fetches.
    turn: Arc<tokio::sync::Mutex<()>>,
}

struct Shared {
    source: Source,
    clock: Clock,
    kept: Mutex<Kept>,
}

/// The keys, and since when they are known.
#[derive(Default)]
struct Kept {
    keys: Option<Arc<Jwks>>,
    /// The last successful fetch.
    fetched: Option<DateTime<Utc>>,
    /// The last fetch, successful or not.
    tried: Option<DateTime<Utc>>,
}

impl KeySet {
    /// A set that has not been fetched yet.
    pub fn new(source: Source, clock: Clock) -> Self {
        let shared = Shared { source, clock, kept: Mutex::default() };
        Self { shared: Arc::new(shared), turn: Arc::default() }
    }

    /// The key that a token names, if the set has it; fetches the set if that is due.
    ///
    /// # Errors
    /// What is wrong with the token's header, or `UnknownKey`.
    pub async fn key_of(&self, token: &str) -> Result<Arc<VerifyingKey>, DecodeError> {
        self.find(&jwt::kid(token, self.shared.source.algorithm)?).await.ok_or(DecodeError::UnknownKey)
    }

    /// Fetches the set if that has not been done, so that it is there for the first token.
    pub async fn warm(&self) {
        // No key has an empty id.
        self.find("").await;
    }

    async fn find(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        let (known, is_due) = self.shared.look(kid);
        if !is_due {
            return known;
        }
        let turn = Arc::clone(&self.turn);
        // A request that has its key does not wait for another's fetch.
        let turn = if known.is_some() { turn.try_lock_owned().ok() } else { Some(turn.lock_owned().await) };
        let Some(turn) = turn else { return known };
        // Another request may have fetched while this one waited.
        if self.shared.look(kid).1 {
            self.fetch(turn).await;
        }
        self.shared.look(kid).0
    }

    /// Runs on a blocking thread that holds the turn, so that a caller who goes away neither stops the fetch nor lets a second
    /// one start.
    async fn fetch(&self, turn: OwnedMutexGuard<()>) {
        let shared = Arc::clone(&self.shared);
        let fetched = spawn_blocking(move || {
            shared.keep(shared.source.fetch());
            drop(turn);
        });
        if let Err(error) = fetched.await {
            tracing::error!(%error, "the fetch of JWT_JWK_URL broke off");
        }
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key with that id, and whether a fetch is due.
    fn look(&self, kid: &str) -> (Option<Arc<VerifyingKey>>, bool) {
        let kept = self.kept();
        let known = kept.keys.as_ref().and_then(|keys| keys.find(kid));
        let now = self.clock.now();
        // A time in the future was taken from a wrong clock.
        let is_past = |at: Option<DateTime<Utc>>, wait| {
            at.and_then(|at| (now - at).to_std().ok()).is_none_or(|age: Duration| age >= wait)
        };
        let wait = if kept.tried == kept.fetched { COOLDOWN } else { RETRY };
        let is_due = is_past(kept.tried, wait) && (known.is_none() || is_past(kept.fetched, LIFESPAN));
        (known, is_due)
    }

    /// Keeps what was fetched. After a failure the last good set stays in use, however old: an unreachable source has not
    /// withdrawn any key.
    fn keep(&self, fetched: Result<Jwks, FetchError>) {
        let now = self.clock.now();
        let mut kept = self.kept();
        kept.tried = Some(now);
        match fetched {
            Ok(keys) => {
                let kids = keys.kids();
                if kept.keys.as_ref().is_none_or(|old| old.kids() != kids) {
                    tracing::info!(
                        kids = kids.join(", "),
                        skipped = keys.skipped().join(", "),
                        "JWT_JWK_URL: new keys"
                    );
                }
                kept.keys = Some(Arc::new(keys));
                kept.fetched = Some(now);
            }
            Err(error) => {
                let meanwhile = match kept.fetched {
                    Some(at) => format!("the keys of {} stay in use", at.format("%Y-%m-%d %H:%M:%S UTC")),
                    None => "until it is, every token is invalid".to_owned(),
                };
                tracing::error!("JWT_JWK_URL was not fetched: {error}; {meanwhile}");
            }
        }
    }
}
