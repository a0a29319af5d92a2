//! Asymmetric keys in PEM form (RFC 7468): reading them, and saying what is wrong with one. Called only by `keys`.
//! Every key is checked down to its curve or size, so that a wrong one fails at start and not at the first login.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{AlgorithmFamily, DecodingKey, EncodingKey};

use super::key_error::{KeyError, key_kind, remedy};
use super::signature::{SigningKey, VerifyingKey, jwa};
use crate::config::Algorithm;

/// The private key and its public half.
pub fn private_key(algorithm: Algorithm, pem: &str) -> Result<(SigningKey, VerifyingKey), KeyError> {
    let name = algorithm.name();
    let refuse = |fault: &str| KeyError(format!("JWT_SIGNING_KEY {fault}. {}", remedy(algorithm)));
    match label(pem) {
        None => return Err(refuse(&format!("is not in PEM form (-----BEGIN PRIVATE KEY-----), as {name} needs it"))),
        Some(label) if label.contains("PUBLIC") || label.contains("CERTIFICATE") => {
            return Err(refuse("is a public key; signing needs the private one"));
        }
        Some(_) if pem.contains("ENCRYPTED") => {
            return Err(refuse("is encrypted with a passphrase. Decrypt it with: openssl pkey -in key.pem"));
        }
        Some(_) => {}
    }
    let pair = match jwa(algorithm).family() {
        AlgorithmFamily::Hmac => None,
        AlgorithmFamily::Rsa => rsa_pair(pem),
        AlgorithmFamily::Ec => ec_pair(algorithm, pem),
        AlgorithmFamily::Ed => ed_pair(pem),
    };
    pair.and_then(|(private, public)| {
        Some((SigningKey::new(algorithm, private)?, VerifyingKey::new(algorithm, public)?))
    })
    .ok_or_else(|| refuse(&format!("is not what {name} needs: a readable, private {}", key_kind(algorithm))))
}

fn rsa_pair(pem: &str) -> Option<(EncodingKey, DecodingKey)> {
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).ok()?;
    let pair = RsaKeyPair::from_der(key.as_bytes()).ok()?;
    let fits = (256..=1024).contains(&pair.public_modulus_len());
    fits.then(|| (key, DecodingKey::from_rsa_der(pair.public_key().as_ref())))
}

/// An EC key in PKCS#8, or in SEC 1 as `openssl ecparam -genkey` writes it, which jsonwebtoken cannot read.
fn ec_pair(algorithm: Algorithm, pem: &str) -> Option<(EncodingKey, DecodingKey)> {
    let curve: &'static EcdsaSigningAlgorithm = match algorithm {
        Algorithm::ES384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
    };
    let der = if let Ok(key) = EncodingKey::from_ec_pem(pem.as_bytes()) {
        key.as_bytes().to_vec()
    } else {
        let (_, body) = pem.split_once("-----BEGIN EC PRIVATE KEY-----")?;
        let (body, _) = body.split_once("-----END")?;
        STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()?
    };
    let pair = EcdsaKeyPair::from_private_key_der(curve, &der).ok()?;
    let pkcs8 = pair.to_pkcs8v1().ok()?;
    Some((EncodingKey::from_ec_der(pkcs8.as_ref()), DecodingKey::from_ec_der(pair.public_key().as_ref())))
}

fn ed_pair(pem: &str) -> Option<(EncodingKey, DecodingKey)> {
    let key = EncodingKey::from_ed_pem(pem.as_bytes()).ok()?;
    let pair = Ed25519KeyPair::from_pkcs8(key.as_bytes()).ok()?;
    Some((key, DecodingKey::from_ed_der(pair.public_key().as_ref())))
}

/// The public key given in the settings.
pub fn public_key(algorithm: Algorithm, pem: &str) -> Result<VerifyingKey, KeyError> {
    let refuse = |fault: &str| KeyError(format!("JWT_VERIFYING_KEY {fault}. Leave it unset: it is derived"));
    match label(pem) {
        Some("PUBLIC KEY" | "RSA PUBLIC KEY") => {}
        Some("CERTIFICATE") => return Err(refuse("is a certificate, not a public key")),
        Some(_) => return Err(refuse("is a private key")),
        None => return Err(refuse("is not in PEM form (-----BEGIN PUBLIC KEY-----)")),
    }
    let key = match jwa(algorithm).family() {
        AlgorithmFamily::Hmac => None,
        AlgorithmFamily::Rsa => DecodingKey::from_rsa_pem(pem.as_bytes()).ok(),
        AlgorithmFamily::Ec => DecodingKey::from_ec_pem(pem.as_bytes()).ok(),
        AlgorithmFamily::Ed => DecodingKey::from_ed_pem(pem.as_bytes()).ok(),
    };
    let needs = || format!("is not what {} needs: a readable, public {}", algorithm.name(), key_kind(algorithm));
    key.and_then(|key| VerifyingKey::new(algorithm, key)).ok_or_else(|| refuse(&needs()))
}

/// The label of a PEM text: `PRIVATE KEY`, `RSA PRIVATE KEY` …
fn label(pem: &str) -> Option<&str> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    rest.split_once("-----").map(|(label, _)| label)
}
