//! What a new password has to be: `PASSWORD_RULES`. Asked wherever one is set, never at a login. A password is hashed as it
//! was typed, without Unicode normalisation, as Django does; it is only compared in lower case. Called by `accounts`.

mod common;
mod django;
mod nist;

use secrecy::{ExposeSecret, SecretString};

use super::user::FieldError;
use crate::app::App;
use crate::config::{Config, PasswordRules};
use crate::db::users::User;
use crate::db::users::profile::Profile;
use crate::db::{DbError, latchkey_second_factor};

/// The longest password that is hashed, in bytes: an endless one is an attack.
pub const LONGEST: usize = 4096;

/// Whose password it is to be.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Owner {
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    /// Whether logins take more than the password (NIST SP 800-63B-4, 3.1.3.1: codes by email do not count): then it may be
    /// shorter.
    pub has_second_factor: bool,
}

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

/// Everything that is wrong with a password; nothing if it can be set.
pub fn check(config: &Config, owner: &Owner, password: &SecretString) -> Vec<Problem> {
    if let Some(problem) = unusable(password) {
        return vec![problem];
    }
    let password = password.expose_secret();
    // Not without rules: what a Django has stored for its users may be loaded as it is.
    if config.passwords.rules != PasswordRules::None && password.trim() != password {
        let message = "A password can't begin or end with a space: a login over the API cuts it off.".to_owned();
        return vec![Problem { code: "surrounding_space", message }];
    }
    match config.passwords.rules {
        PasswordRules::Nist => nist::check(owner, &config.mail.site_name, password),
        PasswordRules::Django => django::check(owner, password),
        PasswordRules::None => Vec::new(),
    }
}

/// The same as errors of a form's field.
pub fn faults(config: &Config, owner: &Owner, password: &SecretString) -> Vec<FieldError> {
    check(config, owner, password).into_iter().map(FieldError::from).collect()
}

/// The rules in words.
pub fn rules(config: &Config, has_second_factor: bool) -> Vec<PasswordRule> {
    match config.passwords.rules {
        PasswordRules::Nist => nist::rules(has_second_factor),
        PasswordRules::Django => django::rules(),
        PasswordRules::None => {
            let words = "Not empty, and no longer than 4,096 bytes".to_owned();
            vec![PasswordRule { words, least: Some(1), most: Some(LONGEST) }]
        }
    }
}

/// The rules for a user who is there.
pub async fn rules_of(app: &App, user: &User) -> Result<Vec<PasswordRule>, DbError> {
    Ok(rules(&app.config, Owner::find(app, user).await?.has_second_factor))
}

/// What no rules allow: nobody could log in with it, or everybody would wait for its hash.
pub(super) fn unusable(password: &SecretString) -> Option<Problem> {
    let password = password.expose_secret();
    let (code, message) = if password.is_empty() {
        ("blank", "This field cannot be blank.")
    } else if password.len() > LONGEST {
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

/// Factors that count as a second one for NIST.
const STRONG: [&str; 2] = ["totp", "passkey"];

impl Owner {
    /// A user, with whether their logins take a second factor.
    pub async fn find(app: &App, user: &User) -> Result<Self, DbError> {
        let id = user.id;
        let has_second_factor = app.read(move |tx| latchkey_second_factor::has_any(tx.conn, id, &STRONG)).await?;
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
