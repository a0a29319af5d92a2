//! The rules for new passwords (`PASSWORD_RULES`). They apply wherever a password is set, never at a login. As in Django, a
//! password is hashed as it was typed, without Unicode normalisation; only the rules compare it in lower case.

mod common;
mod django;
mod nist;

use secrecy::{ExposeSecret, SecretString};

use super::user::FieldError;
use crate::app::App;
use crate::config::{Config, PasswordRules};
use crate::db::DbError;
use crate::db::users::User;
use crate::db::users::profile::Profile;
use crate::factors;

/// Longer passwords, in bytes, are not hashed: it would take too long.
pub const MAX_BYTES: usize = 4096;

/// The user who gets the password.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Owner {
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    /// Whether a login needs more than the password (`factors::is_multi_factor`), which may then be shorter.
    pub has_second_factor: bool,
}

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

/// All rules that a password breaks; none if it can be set.
pub fn check(config: &Config, owner: &Owner, password: &SecretString) -> Vec<Problem> {
    if let Some(problem) = unusable(password) {
        return vec![problem];
    }
    let password = password.expose_secret();
    // Not without rules, so that passwords stored by Django can be loaded as they are.
    if config.passwords.rules != PasswordRules::None && password.trim() != password {
        let message = "A password can't begin or end with a space, because logins over the API remove it.".to_owned();
        return vec![Problem { code: "surrounding_space", message }];
    }
    match config.passwords.rules {
        PasswordRules::Nist => nist::check(owner, &config.mail.site_name, password),
        PasswordRules::Django => django::check(owner, password),
        PasswordRules::None => Vec::new(),
    }
}

/// The same as errors of a form field.
pub fn faults(config: &Config, owner: &Owner, password: &SecretString) -> Vec<FieldError> {
    check(config, owner, password).into_iter().map(FieldError::from).collect()
}

/// The rules in words.
pub fn rules(config: &Config, has_second_factor: bool) -> Vec<PasswordRule> {
    match config.passwords.rules {
        PasswordRules::Nist => nist::rules(has_second_factor),
        PasswordRules::Django => django::rules(),
        PasswordRules::None => {
            let words = "Not empty and at most 4,096 bytes".to_owned();
            vec![PasswordRule { words, least: Some(1), most: Some(MAX_BYTES) }]
        }
    }
}

/// The rules for an existing user.
pub async fn rules_of(app: &App, user: &User) -> Result<Vec<PasswordRule>, DbError> {
    Ok(rules(&app.config, Owner::find(app, user).await?.has_second_factor))
}

/// Passwords that are never allowed, because nobody could log in with them or hashing them would take too long.
pub(super) fn unusable(password: &SecretString) -> Option<Problem> {
    let password = password.expose_secret();
    let (code, message) = if password.is_empty() {
        ("blank", "This field cannot be blank.")
    } else if password.len() > MAX_BYTES {
        ("max_length", "Ensure this value has at most 4096 bytes.")
    } else if password.contains('\0') {
        ("null_characters_not_allowed", "Null characters are not allowed.")
    } else {
        return None;
    };
    Some(Problem { code, message: message.to_owned() })
}

fn too_short(least: usize) -> Problem {
    let message = format!("This password is too short. It must contain at least {least} characters.");
    Problem { code: "password_too_short", message }
}

fn too_common() -> Problem {
    Problem { code: "password_too_common", message: "This password is too common.".to_owned() }
}

fn too_similar(what: &str) -> Problem {
    Problem { code: "password_too_similar", message: format!("The password is too similar to the {what}.") }
}

impl PasswordRule {
    fn said(words: &str) -> Self {
        Self { words: words.to_owned(), ..Self::default() }
    }
}

impl Owner {
    /// An existing user.
    pub async fn find(app: &App, user: &User) -> Result<Self, DbError> {
        let id = user.id;
        let has_second_factor = app.read(move |tx| factors::is_multi_factor(tx.conn, id)).await?;
        Ok(Self { has_second_factor, ..Self::from(&Profile::from(user)) })
    }
}

impl From<Problem> for FieldError {
    fn from(problem: Problem) -> Self {
        Self { field: "password", message: problem.message }
    }
}

impl From<&Profile> for Owner {
    fn from(profile: &Profile) -> Self {
        Self {
            username: profile.username.clone(),
            first_name: profile.first_name.clone(),
            last_name: profile.last_name.clone(),
            email: profile.email.clone(),
            has_second_factor: false,
        }
    }
}
