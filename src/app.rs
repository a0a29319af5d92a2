//! `App`: everything that the doors share, built once.

use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::keys::Keys;
use crate::crypto::password::PasswordPool;
use crate::db::Db;
use crate::db::types::Instant;

/// Settings, database, keys, hasher and clock in one bundle.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// Signing and verifying keys.
    pub keys: Keys,
    /// Hashes and checks passwords.
    pub passwords: PasswordPool,
    /// Where the time comes from.
    pub clock: Clock,
    /// Whether a Django lives in the same database (it has `django_migrations`).
    pub beside_django: bool,
}

impl App {
    /// The time.
    pub fn now(&self) -> Instant {
        Instant::from(self.clock.now())
    }
}
