//! Tokens that no server would issue: any header, any claims, any key.

use std::fmt::Display;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::server::{NOW, SECRET};

/// `header.payload.signature`, signed with HS256 whatever the header says.
pub fn sign(header: &Value, claims: &Value, key: &str) -> String {
    sign_raw(header.to_string().as_bytes(), claims.to_string().as_bytes(), key)
}

/// The same for bytes that need not be JSON.
pub fn sign_raw(header: &[u8], claims: &[u8], key: &str) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes())))
}

/// A token as the server would make it, with claims altered by `change`.
pub fn token(kind: &str, user: impl Display, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "token_type": kind,
        "exp": NOW + 3600,
        "iat": NOW,
        "jti": "0123456789abcdef0123456789abcdef",
        "user_id": user.to_string(),
    });
    change(&mut claims);
    sign(&json!({"alg": "HS256", "typ": "JWT"}), &claims, SECRET)
}

/// The claims of a token, unchecked.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a token has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The jti of a token.
pub fn jti(token: &str) -> String {
    claims(token)["jti"].as_str().unwrap().to_owned()
}

/// Signs what the server stores of a token: `header.payload`.
pub fn sign_again(unsigned: &str) -> String {
    let part = |at: usize| URL_SAFE_NO_PAD.decode(unsigned.split('.').nth(at).unwrap()).unwrap();
    sign_raw(&part(0), &part(1), SECRET)
}
