//! Password hashes in Django's formats, and the bounded pool of threads that computes them.

use std::time::Duration;

use secrecy::SecretString;

use crate::config::{Hasher, Passwords};
use crate::db::types::EncodedPassword;

/// How new hashes are made.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// The scheme.
    pub hasher: Hasher,
    /// Cost of bcrypt and `bcrypt_sha256`.
    pub bcrypt_rounds: u32,
    /// Iterations of `pbkdf2_sha256`.
    pub pbkdf2_iterations: u32,
}

impl Recipe {
    /// What the settings say, with the defaults for a database with or without a Django.
    pub fn new(passwords: &Passwords, beside_django: bool) -> Self {
        let default = if beside_django { Hasher::Pbkdf2Sha256 } else { Hasher::BcryptSha256 };
        Self {
            hasher: passwords.hasher.unwrap_or(default),
            bcrypt_rounds: passwords.bcrypt_rounds,
            pbkdf2_iterations: passwords.pbkdf2_iterations,
        }
    }
}

/// The answer of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Not this password (or an unusable or unreadable hash).
    Wrong,
    /// This password; `outdated` when the hash is not what the recipe would make.
    Right {
        /// Scheme or cost differ from the recipe's.
        outdated: bool,
    },
}

/// Too many hashes are waiting already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being hashed at once")]
pub struct Busy;

/// Threads of their own for hashing, with a bounded queue in front.
pub struct PasswordPool {}

impl PasswordPool {
    /// A pool of `threads` threads and room for `queue` waiting jobs.
    pub fn new(_recipe: Recipe, _threads: usize, _queue: usize) -> Self {
        unimplemented!()
    }

    /// Hashes a new password.
    pub async fn hash(&self, _password: SecretString) -> Result<EncodedPassword, Busy> {
        unimplemented!()
    }

    /// Compares; costs one hash, also for an unusable or unreadable one (by hashing with the recipe).
    pub async fn verify(&self, _password: SecretString, _encoded: EncodedPassword) -> Result<Check, Busy> {
        unimplemented!()
    }

    /// Costs as much as a verification with the recipe: for a user that does not exist.
    pub async fn pretend(&self, _password: SecretString) -> Result<(), Busy> {
        unimplemented!()
    }

    /// Tells the pool that such hashes exist in the database; their time is measured once, on the pool.
    pub fn learn(&self, _example: EncodedPassword) {
        unimplemented!()
    }

    /// How long the slowest kind of hash takes that was ever measured here: no failed login is answered sooner.
    pub fn slowest(&self) -> Duration {
        unimplemented!()
    }
}
