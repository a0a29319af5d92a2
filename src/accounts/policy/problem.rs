//! The rules that a password can break, and the rules in words.

use crate::accounts::user::FieldError;

/// Longer passwords, in bytes, are not hashed, because it would take too long.
pub const MAX_BYTES: usize = 4096;

/// A rule that a password breaks, with Django's code and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// As in Django's `ValidationError`.
    pub code: &'static str,
    /// The text.
    pub message: String,
}

/// A rule in words, with the limits that a script can check while the user types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PasswordRule {
    /// For the form.
    pub words: String,
    /// The minimum number of characters.
    pub least: Option<usize>,
    /// The maximum number of bytes.
    pub most: Option<usize>,
}

pub(super) fn too_short(least: usize) -> Problem {
    let message = format!("This password is too short. It must contain at least {least} characters.");
    Problem { code: "password_too_short", message }
}

pub(super) fn too_common() -> Problem {
    Problem { code: "password_too_common", message: "This password is too common.".to_owned() }
}

pub(super) fn too_similar(what: &str) -> Problem {
    Problem { code: "password_too_similar", message: format!("The password is too similar to the {what}.") }
}

impl PasswordRule {
    pub(super) fn said(words: &str) -> Self {
        Self { words: words.to_owned(), ..Self::default() }
    }
}

impl From<Problem> for FieldError {
    fn from(problem: Problem) -> Self {
        Self { field: "password", message: problem.message }
    }
}
