//! The token that is explained, and what `steps` and `verdict` both say of it.

use serde_json::Value;

use super::Sentence;
use crate::app::App;
use crate::db::types::Instant;
use crate::tokens::explain::Explanation;
use crate::web::words::{Reader, length};

/// A token, the settings that it is checked against, and the reader of the page.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The settings and keys.
    pub app: &'a App,
    /// The token, with the result of each check.
    pub token: &'a Explanation,
    /// The reader of the page.
    pub reader: Reader,
}

/// Cuts a text from outside so that it fits into a line.
pub fn shorten(text: &str) -> String {
    const MAX_LENGTH: usize = 80;
    if text.chars().count() <= MAX_LENGTH {
        return text.to_owned();
    }
    text.chars().take(MAX_LENGTH).chain(['…']).collect()
}

impl Subject<'_> {
    /// A claim as it stands in the token.
    pub fn claim(&self, name: &str) -> String {
        match self.token.claims.get(name) {
            None => "nothing".to_owned(),
            Some(Value::String(text)) => format!("“{}”", shorten(text)),
            Some(other) => shorten(&other.to_string()),
        }
    }

    /// The token type: `token_type is “refresh”`.
    pub fn token_type(&self) -> String {
        let name = self.app.config.jwt.token_type_claim.as_deref().unwrap_or_default();
        format!("{name} is {}", self.claim(name))
    }

    /// The algorithm that the header names.
    pub fn algorithm(&self) -> String {
        match self.token.header.get("alg") {
            None => "no algorithm".to_owned(),
            Some(Value::String(name)) => shorten(name),
            Some(other) => shorten(&other.to_string()),
        }
    }

    /// The time that a claim names.
    pub fn time(&self, name: &str) -> Option<Instant> {
        let value = self.token.claims.get(name)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float that is too large saturates, and is not a valid year"
        )]
        let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))?;
        Instant::from_timestamp(seconds)
    }

    /// A sentence that ends with the time of a claim.
    pub fn at_claim(&self, name: &str, before: &str) -> Sentence {
        self.at_claim_and(name, before, String::new())
    }

    /// The same where a leeway applies to the claim.
    pub fn at_claim_with_leeway(&self, name: &str, before: &str) -> Sentence {
        self.at_claim_and(name, before, self.leeway())
    }

    fn at_claim_and(&self, name: &str, before: &str, after: String) -> Sentence {
        match self.time(name) {
            Some(at) => Sentence::at(before, at, self.reader, after),
            None => Sentence::plain(format!("{name} is {}", self.claim(name))),
        }
    }

    /// ` (JWT_LEEWAY allows 10 seconds more)`
    pub fn leeway(&self) -> String {
        match self.app.config.jwt.leeway.as_secs() {
            0 => String::new(),
            seconds => format!(" (JWT_LEEWAY allows {} more)", length(seconds)),
        }
    }

    /// The name of the token's user.
    pub fn username(&self) -> &str {
        self.token.facts.user.as_ref().map_or("the user", |user| user.username.as_str())
    }

    /// Why the token's user cannot use it.
    pub fn user_error(&self) -> String {
        let claim = self.claim(&self.app.config.jwt.user_id_claim);
        let owner = self.token.facts.recorded.as_ref().map(|recorded| recorded.row.user_id);
        match (&self.token.facts.user, owner) {
            (Some(user), Some(Some(owner))) if owner != user.id => {
                format!("It was issued to another user, not to the {} of today", user.username)
            }
            (Some(user), _) if !user.is_active => format!("{} is inactive", user.username),
            (_, Some(None)) => "The user was deleted".to_owned(),
            (_, _) => format!("There is no user {claim}"),
        }
    }
}
