//! Asymmetric keys in PEM form (RFC 7468): reading them, and saying what is wrong with one. Called by `keys` only.
//! Every key is read down to its curve or size, so that a wrong one stops the start and not the first login.

use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};

use super::keys::{KeyError, remedy};
use super::signature::{Scheme, SigningKey, VerifyingKey};
use crate::config::Algorithm;

/// The private key.
pub fn private_key(algorithm: Algorithm, pem: &str) -> Result<SigningKey, KeyError> {
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
    // `openssl ecparam -genkey` writes the curve's parameters before the key.
    let key = der(pem, "PRIVATE KEY").and_then(|der| signing_key(algorithm, &der));
    key.ok_or_else(|| refuse(&format!("is not what {name} needs: a readable, private {}", kind(algorithm))))
}

/// A key in PKCS#8, or in the older forms of RSA (PKCS#1) and of EC (SEC 1).
fn signing_key(algorithm: Algorithm, der: &[u8]) -> Option<SigningKey> {
    match Scheme::of(algorithm) {
        Scheme::Hmac(_) => None,
        Scheme::Rsa(encoding, _) => {
            let pair = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).ok()?;
            (256..=1024).contains(&pair.public_modulus_len()).then_some(SigningKey::Rsa(pair, encoding))
        }
        Scheme::Ecdsa(curve, _) => EcdsaKeyPair::from_private_key_der(curve, der).ok().map(SigningKey::Ecdsa),
        Scheme::Ed25519 => Ed25519KeyPair::from_pkcs8(der).ok().map(SigningKey::Ed25519),
    }
}

/// The public key as the settings give it.
pub fn public_key(algorithm: Algorithm, pem: &str) -> Result<VerifyingKey, KeyError> {
    let refuse = |fault: &str| KeyError(format!("JWT_VERIFYING_KEY {fault}. Leave it unset: it is derived"));
    match label(pem) {
        Some("PUBLIC KEY" | "RSA PUBLIC KEY") => {}
        Some("CERTIFICATE") => return Err(refuse("is a certificate, not a public key")),
        Some(_) => return Err(refuse("is a private key")),
        None => return Err(refuse("is not in PEM form (-----BEGIN PUBLIC KEY-----)")),
    }
    let key = der(pem, "PUBLIC KEY").and_then(|der| VerifyingKey::public(algorithm, &der));
    let needs = || format!("is not what {} needs: a readable, public {}", algorithm.name(), kind(algorithm));
    key.ok_or_else(|| refuse(&needs()))
}

/// What a PEM text says that it is: `PRIVATE KEY`, `RSA PRIVATE KEY` …
fn label(pem: &str) -> Option<&str> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    rest.split_once("-----").map(|(label, _)| label)
}

/// The content of the first block whose label ends so.
fn der(pem: &str, label: &str) -> Option<Vec<u8>> {
    let blocks = ::pem::parse_many(pem).ok()?;
    blocks.into_iter().find(|block| block.tag().ends_with(label)).map(::pem::Pem::into_contents)
}

/// What an algorithm's key is called in a sentence.
fn kind(algorithm: Algorithm) -> &'static str {
    match Scheme::of(algorithm) {
        Scheme::Hmac(_) => "secret",
        Scheme::Rsa(..) => "RSA key of 2048 to 8192 bits",
        Scheme::Ecdsa(..) if algorithm == Algorithm::ES384 => "EC key on the curve P-384",
        Scheme::Ecdsa(..) => "EC key on the curve P-256",
        Scheme::Ed25519 => "Ed25519 key",
    }
}
