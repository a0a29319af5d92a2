//! What a username and an e-mail address may be: Django's normalisation and validators, with its texts.

/// What is wrong with one field of a user, in Django's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// `username`, `email` …
    pub field: &'static str,
    /// Django's text.
    pub message: String,
}
