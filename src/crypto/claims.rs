//! The claims of a token, and what is expected of them.

use serde_json::{Map, Value};

/// A token's claims, in their order.
pub type Claims = Map<String, Value>;

/// What the claims are compared with.
#[derive(Debug, Clone)]
pub struct Expect<'a> {
    /// Accepted audiences; if there are none, `aud` is ignored.
    pub audience: &'a [String],
    /// The required issuer, if any.
    pub issuer: Option<&'a str>,
    /// Tolerated clock difference, in seconds.
    pub leeway: f64,
    /// The time now, in seconds since 1970 with a fraction.
    pub now: f64,
}
