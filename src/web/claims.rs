//! A token, taken apart for a page: the parts of its text, and each claim with its value and what it means.
//! Nothing is checked here. The panel shows stored tokens with it, the API's pages those of a request and its answer.

use serde_json::Value;

use super::words::{Reader, When};
use crate::config::Jwt;
use crate::crypto::jwt;
use crate::db::types::Instant;
use crate::db::users::User;

/// One line of the table.
#[derive(Clone)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its value: texts as they are, unless they could be mistaken for something else.
    pub value: String,
    /// What it says.
    pub meaning: Meaning,
}

/// What a claim says, in words.
#[derive(Clone)]
pub enum Meaning {
    /// A sentence.
    Text(String),
    /// A word and a point in time.
    Time(&'static str, When),
    /// The owner: its id and name.
    Owner(i64, String),
}

/// A token, decoded.
#[derive(Default)]
pub struct Decoded {
    /// The text before the first dot.
    pub header: String,
    /// The text between the dots.
    pub payload: String,
    /// Whether there is a signature too (Latchkey stores tokens without it, Django with it).
    pub is_whole: bool,
    /// `refresh`, `sliding` …, if it says so.
    pub kind: Option<String>,
    /// The algorithm.
    pub algorithm: String,
    /// When it expires, if it says so.
    pub expires: Option<Instant>,
    /// Header and payload, in their order.
    pub claims: Vec<Claim>,
}

/// What the meanings depend on.
pub struct Context<'a> {
    /// The names of the claims.
    pub jwt: &'a Jwt,
    /// Whom the token names.
    pub owner: Owner<'a>,
    /// Who reads it.
    pub reader: Reader,
}

/// The user that a token names, as far as anybody looked.
#[derive(Clone, Copy)]
pub enum Owner<'a> {
    /// This one.
    User(&'a User),
    /// Nobody who is there any more.
    Deleted,
    /// Nobody looked.
    Unknown,
}

impl<'a> Owner<'a> {
    /// Of a look into the database.
    pub fn found(user: Option<&'a User>) -> Self {
        user.map_or(Self::Deleted, Self::User)
    }
}

/// Takes a text apart; `None` if it is no token.
pub fn decode(stored: &str, context: &Context<'_>) -> Option<Decoded> {
    let (header, claims) = jwt::peek(stored)?;
    let mut parts = stored.split('.');
    let (header_text, payload) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let kind = context.jwt.token_type_claim.as_ref().and_then(|name| text(claims.get(name)));
    let of_header = header.iter().map(|(name, value)| (name, value, in_header(name, value)));
    let of_claims = claims.iter().map(|(name, value)| (name, value, context.in_payload(name, value)));
    Some(Decoded {
        header: header_text,
        payload,
        is_whole: parts.next().is_some_and(|signature| !signature.is_empty()),
        kind,
        algorithm: text(header.get("alg")).unwrap_or_default(),
        expires: claims.get("exp").and_then(seconds).and_then(Instant::from_timestamp),
        claims: of_header
            .chain(of_claims)
            .map(|(name, value, meaning)| Claim { name: name.clone(), value: shown(value), meaning })
            .collect(),
    })
}

fn shown(value: &Value) -> String {
    match value.as_str() {
        Some(text) if serde_json::from_str::<Value>(text).is_err() && !text.is_empty() => text.to_owned(),
        _ => value.to_string(),
    }
}

fn in_header(name: &str, value: &Value) -> Meaning {
    let text = match (name, value.as_str().unwrap_or_default()) {
        ("alg", "HS256") => "Signed with HMAC and SHA-256",
        ("alg", "HS384") => "Signed with HMAC and SHA-384",
        ("alg", "HS512") => "Signed with HMAC and SHA-512",
        ("alg", "RS256" | "RS384" | "RS512") => "Signed with RSA (PKCS #1)",
        ("alg", "PS256" | "PS384" | "PS512") => "Signed with RSA (PSS)",
        ("alg", "ES256" | "ES384") => "Signed with ECDSA",
        ("alg", "EdDSA") => "Signed with EdDSA",
        ("alg", _) => "The algorithm of the signature",
        ("typ", "JWT") => "A JSON web token",
        ("typ", _) => "The type of the token",
        ("kid", _) => "The id of the key",
        _ => "Part of the header",
    };
    Meaning::Text(text.to_owned())
}

impl Context<'_> {
    fn in_payload(&self, name: &str, value: &Value) -> Meaning {
        let jwt = self.jwt;
        if let Some(word) = self.time_word(name) {
            return match seconds(value).and_then(Instant::from_timestamp) {
                Some(at) => Meaning::Time(word, When::new(at, self.reader)),
                None => Meaning::Text("Not a point in time".to_owned()),
            };
        }
        if name == jwt.user_id_claim {
            return match self.owner {
                Owner::User(user) => Meaning::Owner(user.id.0, user.username.clone()),
                Owner::Deleted => Meaning::Text("A user who was deleted".to_owned()),
                Owner::Unknown => Meaning::Text("The user whom it speaks for".to_owned()),
            };
        }
        let text = if Some(name) == jwt.token_type_claim.as_deref() {
            match value.as_str().unwrap_or_default() {
                "refresh" => "Good for new access tokens, not for API requests",
                "sliding" => "Good for API requests, and can be refreshed itself",
                "access" => "Good for API requests",
                _ => "The kind of token",
            }
        } else if Some(name) == jwt.jti_claim.as_deref() {
            "Its own id"
        } else if Some(name) == jwt.session_claim.as_deref() {
            "Its session: everything that grew from one login"
        } else if name == jwt.revoke_token_claim {
            "A fingerprint of the password hash: a new password makes the token invalid"
        } else if jwt.extra_claims.iter().any(|claim| claim.name() == name) {
            "Copied from the user at login (JWT_EXTRA_CLAIMS)"
        } else {
            match name {
                "iss" => "Who issued it",
                "aud" => "For whom it is meant",
                "sub" => "Whom it is about",
                "amr" => "How the user logged in (RFC 8176)",
                _ => "Set by whoever issued it",
            }
        };
        Meaning::Text(text.to_owned())
    }

    fn time_word(&self, name: &str) -> Option<&'static str> {
        match name {
            "exp" => Some("Expires"),
            "iat" => Some("Issued"),
            "auth_time" => Some("Logged in"),
            "nbf" => Some("Not valid before"),
            _ if name == self.jwt.sliding_token_refresh_exp_claim => Some("Can be refreshed until"),
            _ => None,
        }
    }
}

/// A NumericDate (RFC 7519, section 2), rounded down.
fn seconds(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large saturates, and is no year we know")]
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))
}
