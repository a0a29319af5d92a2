//! How new passwords are hashed, and the results of a comparison. Made from the settings by `app`; `scheme` and `pool` use it.

use crate::config::{Hasher, Passwords};

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
    /// What the settings say, with defaults that depend on whether the database is shared with Django.
    pub fn new(passwords: &Passwords, beside_django: bool) -> Self {
        let default = if beside_django { Hasher::Pbkdf2Sha256 } else { Hasher::BcryptSha256 };
        Self {
            hasher: passwords.hasher.unwrap_or(default),
            bcrypt_rounds: passwords.bcrypt_rounds,
            pbkdf2_iterations: passwords.pbkdf2_iterations,
        }
    }
}

/// The result of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Not this password (or an unusable or unreadable hash).
    Wrong,
    /// This password; `outdated` if the recipe would make another hash.
    Right {
        /// Scheme or cost differ from the recipe's.
        outdated: bool,
    },
}

/// Too many hashes are already waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being hashed at once")]
pub struct Busy;
