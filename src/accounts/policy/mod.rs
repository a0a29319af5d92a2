//! The rules for new passwords (`PASSWORD_RULES`). They apply wherever a password is set, never at a login. As in
//! Django, a password is hashed as it was typed, without Unicode normalisation; only the rules compare it in lower
//! case.

mod common;
mod django;
mod nist;
mod owner;
mod problem;

pub use owner::Owner;
pub use problem::{MAX_BYTES, PasswordRule, Problem};

use secrecy::{ExposeSecret, SecretString};

use super::user::FieldError;
use crate::app::App;
use crate::config::{Config, PasswordRules};
use crate::db::DbError;
use crate::db::users::User;

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

/// Passwords that are never allowed: no login would accept them, or hashing them would take too long.
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
