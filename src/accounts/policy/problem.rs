//! What can be wrong with a password, and the rules in words.

use crate::accounts::user::FieldError;

/// The longest password that is hashed, in bytes: an endless one is an attack.
pub const LONGEST: usize = 4096;

/// What is wrong with a password: Django's code and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// As in Django's `ValidationError`.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// A rule in words, and what of it a script can measure while somebody types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PasswordRule {
    /// For the form.
    pub words: String,
    /// At least so many characters.
    pub least: Option<usize>,
    /// At most so many bytes.
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
