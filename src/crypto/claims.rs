//! The claims of a token, and what is expected of them.

use serde_json::{Map, Value};

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
