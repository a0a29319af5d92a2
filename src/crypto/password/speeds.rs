//! How long each kind of hash takes here, measured with every hash, so that a failed login can take as long as the slowest.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::scheme::Scheme;

/// How long each kind of hash typically takes, not counting the wait in the queue.
#[derive(Default)]
pub(super) struct Speeds(Mutex<Vec<(Scheme, Duration)>>);

impl Speeds {
    /// Maximum number of kinds that are told apart; Django makes far fewer.
    const MAX_KINDS: usize = 64;

    pub fn time<T>(&self, scheme: Scheme, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.record(scheme, start.elapsed());
        result
    }

    /// Follows the upper end of what is usual: a slower hash raises it by at most an eighth, faster ones lower it slowly.
    pub fn record(&self, scheme: Scheme, took: Duration) {
        let mut known = self.lock();
        if let Some((_, typical)) = known.iter_mut().find(|(kind, _)| *kind == scheme) {
            let rise = took.saturating_sub(*typical).min(*typical / 8);
            let fall = typical.saturating_sub(took) / 32;
            *typical = (*typical + rise).saturating_sub(fall);
        } else if known.len() < Self::MAX_KINDS {
            known.push((scheme, took));
        }
    }

    /// How long the slowest kind of hash measured here takes.
    pub fn slowest(&self) -> Duration {
        self.lock().iter().map(|(_, typical)| *typical).max().unwrap_or_default()
    }

    pub fn wait_for_slowest(&self, started: Instant) {
        thread::sleep(self.slowest().saturating_sub(started.elapsed()));
    }

    pub fn knows(&self, scheme: Scheme) -> bool {
        self.lock().iter().any(|(kind, _)| *kind == scheme)
    }

    #[cfg(test)]
    pub fn kinds(&self) -> Vec<Scheme> {
        self.lock().iter().map(|(kind, _)| *kind).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Scheme, Duration)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Hasher;
    use crate::crypto::password::Recipe;

    const CHEAP: Recipe = Recipe { hasher: Hasher::BcryptSha256, bcrypt_rounds: 4, pbkdf2_iterations: 1 };

    #[test]
    fn one_slow_hash_hardly_moves_what_is_typical() {
        let speeds = Speeds::default();
        let scheme = Scheme::of(&CHEAP);
        let typical = || speeds.lock()[0].1;
        for took in [80, 8000, 80, 80] {
            speeds.record(scheme, Duration::from_millis(took));
        }
        assert!((80..=90).contains(&typical().as_millis()));
        for _ in 0..100 {
            speeds.record(scheme, Duration::from_millis(160));
        }
        assert_eq!(typical().as_millis(), 160);
    }
}
