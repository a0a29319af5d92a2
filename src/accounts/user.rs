//! What a username and an e-mail address may be: Django's normalisation and validators, with its texts.

/// What is wrong with one field of a user, in Django's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// `username`, `email` …
    pub field: &'static str,
    /// Django's text.
    pub message: String,
}

/// Stub.
pub fn normalize_username(name: &str) -> String {
    name.to_owned()
}
/// Stub.
pub fn normalize_email(name: &str) -> String {
    name.to_owned()
}
/// Stub.
pub fn validate(_username: &str, _email: &str, _first: &str, _last: &str, _required: bool) -> Vec<FieldError> {
    Vec::new()
}
