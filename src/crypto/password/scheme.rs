//! The schemes that hash passwords, with their costs: which one the settings ask for, whether a stored one is affordable, and the
//! computation itself. Pure CPU, and a lot of it. How hashes are written is in `format`.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Version};
use aws_lc_rs::{digest, pbkdf2};
use secrecy::zeroize::Zeroizing;

use super::recipe::Recipe;
use crate::config::Hasher;
use crate::crypto::random;

/// A scheme with its cost, which decide how long a hash takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Bcrypt { rounds: u32, sha256: bool },
    Argon2 { algorithm: Algorithm, version: Version, memory: u32, passes: u32, lanes: u32 },
    Pbkdf2 { iterations: NonZeroU32, sha256: bool },
    Scrypt { log_n: u8, block: u32, lanes: u32 },
}

impl Scheme {
    /// The scheme of new hashes; Argon2 as in Django, which has no settings for it.
    pub fn of(recipe: &Recipe) -> Self {
        let rounds = recipe.bcrypt_rounds.clamp(4, 31);
        match recipe.hasher {
            Hasher::BcryptSha256 => Self::Bcrypt { rounds, sha256: true },
            Hasher::Bcrypt => Self::Bcrypt { rounds, sha256: false },
            Hasher::Argon2 => Self::Argon2 {
                algorithm: Algorithm::Argon2id,
                version: Version::V0x13,
                memory: 102_400,
                passes: 2,
                lanes: 8,
            },
            Hasher::Pbkdf2Sha256 => Self::Pbkdf2 {
                iterations: NonZeroU32::new(recipe.pbkdf2_iterations).unwrap_or(NonZeroU32::MIN),
                sha256: true,
            },
        }
    }

    /// Whether a comparison takes seconds at most and no more than 512 MiB. Nobody makes costlier hashes on purpose.
    pub fn is_bearable(self) -> bool {
        const MAX_MEMORY: u64 = 512 << 20;
        const MAX_MEMORY_TRAFFIC: u64 = 4 << 30;
        match self {
            Self::Bcrypt { rounds, .. } => (4..=16).contains(&rounds),
            Self::Pbkdf2 { iterations, .. } => iterations.get() <= 10_000_000,
            Self::Argon2 { memory, passes, .. } => {
                let bytes = u64::from(memory) << 10;
                bytes <= MAX_MEMORY && bytes.saturating_mul(passes.into()) <= MAX_MEMORY_TRAFFIC
            }
            Self::Scrypt { log_n, block, lanes } => {
                let bytes = (128_u64 << log_n.min(32)).saturating_mul(block.into());
                log_n <= 32 && bytes <= MAX_MEMORY && bytes.saturating_mul(lanes.into()) <= MAX_MEMORY_TRAFFIC
            }
        }
    }

    /// The hash itself, with as many bytes as asked for; `None` if parameters, salt or length are impossible.
    pub fn derive(self, password: &str, salt: &[u8], length: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; length];
        match self {
            Self::Bcrypt { rounds, sha256: true } => {
                let hash = digest::digest(&digest::SHA256, password.as_bytes());
                let hex = Zeroizing::new(random::hex(hash.as_ref()));
                out.copy_from_slice(bcrypt(rounds, salt, hex.as_bytes())?.get(..length)?);
            }
            Self::Bcrypt { rounds, sha256: false } => {
                out.copy_from_slice(bcrypt(rounds, salt, password.as_bytes())?.get(..length)?);
            }
            Self::Pbkdf2 { iterations, sha256 } => {
                let algorithm = if sha256 { pbkdf2::PBKDF2_HMAC_SHA256 } else { pbkdf2::PBKDF2_HMAC_SHA1 };
                pbkdf2::derive(algorithm, iterations, salt, password.as_bytes(), &mut out);
            }
            Self::Argon2 { algorithm, version, memory, passes, lanes } => {
                let params = argon2::Params::new(memory, passes, lanes, None).ok()?;
                let argon2 = Argon2::new(algorithm, version, params);
                argon2.hash_password_into(password.as_bytes(), salt, &mut out).ok()?;
            }
            Self::Scrypt { log_n, block, lanes } => {
                let params = scrypt::Params::new(log_n, block, lanes).ok()?;
                scrypt::scrypt(password.as_bytes(), salt, &params, &mut out).ok()?;
            }
        }
        Some(out)
    }

    /// Django's lengths of salt and hash, in bytes.
    pub fn lengths(self) -> (usize, usize) {
        match self {
            Self::Bcrypt { .. } => (16, 23),
            Self::Argon2 { .. } | Self::Pbkdf2 { sha256: true, .. } => (22, 32),
            Self::Pbkdf2 { sha256: false, .. } => (22, 20),
            Self::Scrypt { .. } => (22, 64),
        }
    }
}

/// bcrypt reads at most 72 bytes, and a zero byte after a shorter password.
fn bcrypt(rounds: u32, salt: &[u8], password: &[u8]) -> Option<[u8; 24]> {
    let mut key = Zeroizing::new([0; 72]);
    let length = password.len().min(72);
    key[..length].copy_from_slice(&password[..length]);
    Some(bcrypt::bcrypt(rounds, salt.try_into().ok()?, &key[..(length + 1).min(72)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_costs_are_not_bearable() {
        let argon2 = |memory, passes| {
            let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
            Scheme::Argon2 { algorithm, version, memory, passes, lanes: 1 }.is_bearable()
        };
        assert!(argon2(524_288, 8) && !argon2(524_289, 1) && !argon2(524_288, 9) && !argon2(u32::MAX, u32::MAX));
        let scrypt = |log_n, block, lanes| Scheme::Scrypt { log_n, block, lanes }.is_bearable();
        assert!(scrypt(14, 8, 5) && scrypt(17, 8, 1) && !scrypt(20, 8, 1) && !scrypt(31, 1, 1) && !scrypt(63, 1, 1));
        assert!(!scrypt(1, u32::MAX, 1) && !scrypt(1, 8, u32::MAX));
        assert!(!Scheme::Bcrypt { rounds: 17, sha256: true }.is_bearable());
        assert!(!Scheme::Bcrypt { rounds: 3, sha256: false }.is_bearable());
        assert!(!Scheme::Pbkdf2 { iterations: NonZeroU32::MAX, sha256: true }.is_bearable());
    }
}
