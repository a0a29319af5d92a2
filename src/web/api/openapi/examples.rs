//! The credentials and tokens that the examples of the API document show. None of them is good for anything.

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
pub const RECOVERY_CODES: [&str; 2] = ["k7m2p-x9r4t", "…"];
/// A point in time.
pub const TIME: &str = "2026-03-01T12:00:00.123456Z";
