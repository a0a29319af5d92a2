//! The values that the examples of the API document share: credentials, tokens, and the bodies made from them. None of
//! the tokens is valid.

use serde_json::{Value, json};

/// A password.
pub const PASSWORD: &str = "violet-harbour-17";
/// An access token.
pub const ACCESS: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.c2ln";
/// A refresh token.
pub const REFRESH: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2ln";
/// A sliding token.
pub const SLIDING: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoic2xpZGluZyJ9.c2ln";
/// The token of a link in a mail.
pub const LINK_TOKEN: &str = "TGlua3MgaW4gbWFpbCBhcmUgZ29vZCBvbmNlIC0gMTIz";
/// The token of a challenge.
pub const CHALLENGE: &str = "Q2hhbGxlbmdlcyB3YWl0IGZvciBhbiBhbnN3ZXItMTI";
/// A recovery code, and a sign that there are more.
const RECOVERY_CODES: &[&str] = &["k7m2p-x9r4t", "…"];
/// A point in time.
pub const TIME: &str = "2026-03-01T12:00:00.123456Z";

/// The answer to a challenge.
pub fn challenge_answer() -> Value {
    json!({"challenge": CHALLENGE, "method": "totp", "code": "123456"})
}

/// Recovery codes, as far as they are shown.
pub fn recovery_codes() -> Vec<String> {
    RECOVERY_CODES.iter().map(|code| (*code).to_owned()).collect()
}
