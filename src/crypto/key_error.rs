//! Why a signing or verifying key is refused, and how to make a good one: the sentence with which the start fails. Used by
//! `keys` and `pem`.

use jsonwebtoken::AlgorithmFamily;

use super::signature::jwa;
use crate::config::Algorithm;

/// Why the keys cannot be used; the text names the setting and a remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);

/// How to make a good signing key.
pub(super) fn remedy(algorithm: Algorithm) -> String {
    let options = match jwa(algorithm).family() {
        AlgorithmFamily::Hmac => return "Make one: openssl rand -base64 48".to_owned(),
        AlgorithmFamily::Rsa => "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        AlgorithmFamily::Ec if algorithm == Algorithm::ES384 => "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        AlgorithmFamily::Ec => "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        AlgorithmFamily::Ed => "-algorithm ed25519",
    };
    format!("Make one, and set JWT_SIGNING_KEY=./signing.pem: openssl genpkey {options} -out signing.pem")
}

/// What a sentence calls the key of an algorithm.
pub(super) fn key_kind(algorithm: Algorithm) -> &'static str {
    match jwa(algorithm).family() {
        AlgorithmFamily::Hmac => "secret",
        AlgorithmFamily::Rsa => "RSA key of 2048 to 8192 bits",
        AlgorithmFamily::Ec if algorithm == Algorithm::ES384 => "EC key on the curve P-384",
        AlgorithmFamily::Ec => "EC key on the curve P-256",
        AlgorithmFamily::Ed => "Ed25519 key",
    }
}
