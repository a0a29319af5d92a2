//! JSON web tokens: PyJWT's rules for reading, SimpleJWT's layout for writing. Pure CPU.

use serde_json::{Map, Value};

use super::keys::Keys;

/// A token's claims, in their order.
pub type Claims = Map<String, Value>;

/// What is checked besides the signature and the times.
#[derive(Debug, Clone)]
pub struct Expect<'a> {
    /// Accepted audiences; empty: `aud` is not looked at.
    pub audience: &'a [String],
    /// Wanted issuer.
    pub issuer: Option<&'a str>,
    /// Tolerated clock difference in seconds.
    pub leeway: f64,
    /// The time, seconds since 1970 with a fraction.
    pub now: f64,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Not a JWT, wrong signature, wrong algorithm, bad claims: SimpleJWT's "Token is invalid".
    #[error("Token is invalid")]
    Invalid,
    /// Well signed but past its `exp`: SimpleJWT's "Token is expired".
    #[error("Token is expired")]
    Expired,
}

/// `header.payload`, without a signature: what is stored.
pub fn unsigned(_keys: &Keys, _claims: &Claims) -> String {
    unimplemented!()
}

/// Signs `header.payload` and answers the whole token.
pub fn sign(_keys: &Keys, _unsigned: &str) -> String {
    unimplemented!()
}

/// Reads and checks a token: signature, then the registered claims, as PyJWT does.
pub fn decode(_keys: &Keys, _token: &str, _expect: &Expect<'_>) -> Result<Claims, JwtError> {
    unimplemented!()
}

/// Header and claims of a token or of `header.payload`, without any check; `None` if it is no JWT at all.
pub fn peek(_token: &str) -> Option<(Claims, Claims)> {
    unimplemented!()
}
