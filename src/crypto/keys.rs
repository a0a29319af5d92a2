//! The signing and verifying keys, parsed once at start.

use crate::config::Jwt;

/// The parsed keys and the algorithm that they belong to.
pub struct Keys {}

/// Why the keys cannot be used; the text names the setting and a remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);

impl Keys {
    /// Parses `JWT_SIGNING_KEY` (`secret_key` where that is unset) and `JWT_VERIFYING_KEY` for `JWT_ALGORITHM`.
    pub fn new(_jwt: &Jwt, _secret_key: &secrecy::SecretString) -> Result<Self, KeyError> {
        unimplemented!()
    }

    /// A short id of the verifying key (first 16 hex digits of a SHA-256): which key a token was made with.
    pub fn kid(&self) -> &str {
        unimplemented!()
    }

    /// The algorithm's name, as in `alg`.
    pub fn algorithm(&self) -> &'static str {
        unimplemented!()
    }

    /// Whether signing the same text again gives the same signature (HS, RS, EdDSA: yes; PS, ES: no).
    pub fn is_deterministic(&self) -> bool {
        unimplemented!()
    }
}
