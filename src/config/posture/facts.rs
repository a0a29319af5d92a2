//! What the rows of the posture look at: the settings, and what follows from them.

use secrecy::ExposeSecret;

use crate::config::accounts::Hasher;
use crate::config::key::SecretKeySource;
use crate::config::load::Config;
use crate::config::vocabulary::Algorithm;

/// The settings, and whether the database is shared with Django.
pub(super) struct Facts<'a> {
    pub config: &'a Config,
    pub beside_django: bool,
}

impl Facts<'_> {
    pub fn has_https(&self) -> bool {
        self.config.server.public_url.scheme() == "https"
    }

    /// Whether only this machine can reach the server.
    pub fn is_local(&self) -> bool {
        self.config.server.host.is_loopback()
            && matches!(self.config.server.public_url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
    }

    pub fn has_audience(&self) -> bool {
        !self.config.jwt.audience.as_slice().is_empty()
    }

    pub fn hasher(&self) -> Hasher {
        let default = if self.beside_django { Hasher::Pbkdf2Sha256 } else { Hasher::BcryptSha256 };
        self.config.passwords.hasher.unwrap_or(default)
    }

    /// Whether stolen hashes are slow to guess.
    pub fn hashes_slowly(&self) -> bool {
        let passwords = &self.config.passwords;
        match self.hasher() {
            Hasher::BcryptSha256 | Hasher::Bcrypt => passwords.bcrypt_rounds >= 10,
            Hasher::Pbkdf2Sha256 => passwords.pbkdf2_iterations >= 600_000,
            Hasher::Argon2 => true,
        }
    }

    /// Whether the signing secrets look random and are long enough for their algorithms (RFC 7518, 3.2).
    pub fn has_strong_secrets(&self) -> bool {
        let jwt = &self.config.jwt;
        let shortest = match jwt.algorithm {
            Algorithm::HS256 => 32,
            Algorithm::HS384 => 48,
            Algorithm::HS512 => 64,
            _ => 0,
        };
        let secret = self.config.secret_key.expose_secret();
        let is_made_here = self.config.secret_key_source != SecretKeySource::Setting;
        let signs = jwt.signing_key.as_ref().map_or(secret, |key| key.expose_secret());
        (is_made_here || looks_random(secret)) && (shortest == 0 || signs.len() >= shortest && looks_random(signs))
    }
}

/// Not an example, not what Django writes into a new project, and not a few keys pressed repeatedly.
fn looks_random(secret: &str) -> bool {
    let mut letters: Vec<char> = secret.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let is_example = secret.starts_with("django-insecure-") || secret.contains("0123456789abcdef");
    !is_example && letters.len() >= 10
}
