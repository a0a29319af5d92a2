//! Decodes a token for a page: the parts of its text, and each claim with its value and meaning. Nothing is verified here.
//! The panel shows stored tokens with it, the API's pages the tokens of requests and responses.

use serde_json::Value;

use super::words::{Reader, When};
use crate::config::Jwt;
use crate::crypto::jwt;
use crate::db::types::Instant;
use crate::db::types::UserId;
use crate::db::users::User;

/// A claim, as a row of the table.
#[derive(Clone)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its value; a string is quoted only if it looks like another JSON value.
    pub value: String,
    /// Its meaning.
    pub meaning: Meaning,
}

/// The meaning of a claim.
#[derive(Clone)]
pub enum Meaning {
    /// A sentence.
    Text(String),
    /// A word and a time.
    Time(&'static str, When),
    /// The owner: its id and name.
    Owner(UserId, String),
}

/// A token, decoded.
#[derive(Default)]
pub struct Decoded {
    /// The text before the first dot.
    pub header: String,
    /// The text between the dots.
    pub payload: String,
    /// Whether it has a signature (Latchkey stores tokens without one, Django with it).
    pub is_whole: bool,
    /// The token type, if it has one: `refresh`, `sliding` …
    pub kind: Option<String>,
    /// The algorithm.
    pub algorithm: String,
    /// When it expires, if it has an expiry.
    pub expires: Option<Instant>,
    /// The claims of header and payload, in their order.
    pub claims: Vec<Claim>,
}

/// The context of a token, which decides the meaning of its claims.
pub struct Context<'a> {
    /// The names of the claims.
    pub jwt: &'a Jwt,
    /// The user of the token.
    pub owner: Owner<'a>,
    /// The reader of the page.
    pub reader: Reader,
}

/// The user of a token, if it was looked up.
#[derive(Clone, Copy)]
pub enum Owner<'a> {
    /// This user.
    User(&'a User),
    /// The user no longer exists.
    Deleted,
    /// It was not looked up.
    Unknown,
}

impl<'a> Owner<'a> {
    /// The result of a lookup.
    pub fn found(user: Option<&'a User>) -> Self {
        user.map_or(Self::Deleted, Self::User)
    }
}

/// Decodes a text; `None` if it is not a token.
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
        ("alg", _) => "The signature algorithm",
        ("typ", "JWT") => "A JSON Web Token",
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
                None => Meaning::Text("Not a valid time".to_owned()),
            };
        }
        if name == jwt.user_id_claim {
            return match self.owner {
                Owner::User(user) => Meaning::Owner(user.id, user.username.clone()),
                Owner::Deleted => Meaning::Text("A deleted user".to_owned()),
                Owner::Unknown => Meaning::Text("The user of the token".to_owned()),
            };
        }
        let text = if Some(name) == jwt.token_type_claim.as_deref() {
            match value.as_str().unwrap_or_default() {
                "refresh" => "Can be exchanged for access tokens, not used for API requests",
                "sliding" => "Can be used for API requests and refreshed",
                "access" => "Can be used for API requests",
                _ => "The token type",
            }
        } else if Some(name) == jwt.jti_claim.as_deref() {
            "The id of the token"
        } else if Some(name) == jwt.session_claim.as_deref() {
            "The session that the token belongs to"
        } else if name == jwt.revoke_token_claim {
            "A fingerprint of the password hash; a new password makes the token invalid"
        } else if jwt.extra_claims.iter().any(|claim| claim.name() == name) {
            "Copied from the user at login (JWT_EXTRA_CLAIMS)"
        } else {
            match name {
                "iss" => "Who issued it",
                "aud" => "Who it is intended for",
                "sub" => "Who it is about",
                "amr" => "How the user logged in (RFC 8176)",
                _ => "Set by the issuer",
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
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large saturates, and is not a valid year")]
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))
}
