//! Asymmetric keys in PEM form (RFC 7468): reading them, and saying what is wrong with one. Called by `keys` only.
//! Every key is read down to its curve or size, so that a wrong one stops the start and not the first login.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm as Jwa, AlgorithmFamily, DecodingKey, EncodingKey};

use super::keys::{KeyError, remedy};

/// The private key, and the public one that belongs to it.
pub fn private_key(name: &str, jwa: Jwa, pem: &str) -> Result<(EncodingKey, DecodingKey), KeyError> {
    let refuse = |fault: &str| KeyError(format!("JWT_SIGNING_KEY {fault}. {}", remedy(jwa)));
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
    let pair = match jwa.family() {
        AlgorithmFamily::Ec => ec_pair(jwa, pem),
        AlgorithmFamily::Ed => EncodingKey::from_ed_pem(pem.as_bytes()).ok().and_then(|key| {
            let public = Ed25519KeyPair::from_pkcs8(key.as_bytes()).ok()?;
            Some((key, DecodingKey::from_ed_der(public.public_key().as_ref())))
        }),
        AlgorithmFamily::Rsa | AlgorithmFamily::Hmac => {
            EncodingKey::from_rsa_pem(pem.as_bytes()).ok().and_then(|key| {
                let public =
                    RsaKeyPair::from_der(key.as_bytes()).ok().filter(|pair| pair.public_modulus_len() >= 256)?;
                Some((key, DecodingKey::from_rsa_der(public.public_key().as_ref())))
            })
        }
    };
    pair.ok_or_else(|| refuse(&format!("is not what {name} needs: a readable, private {}", kind(jwa))))
}

/// An EC key in PKCS#8, or in SEC 1 as `openssl ecparam -genkey` writes it (which jsonwebtoken cannot read).
fn ec_pair(jwa: Jwa, pem: &str) -> Option<(EncodingKey, DecodingKey)> {
    let curve: &'static EcdsaSigningAlgorithm =
        if jwa == Jwa::ES384 { &ECDSA_P384_SHA384_FIXED_SIGNING } else { &ECDSA_P256_SHA256_FIXED_SIGNING };
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

/// The public key as the settings give it.
pub fn public_key(name: &str, jwa: Jwa, pem: &str) -> Result<DecodingKey, KeyError> {
    let refuse = |fault: &str| KeyError(format!("JWT_VERIFYING_KEY {fault}. Leave it unset: it is derived"));
    match label(pem) {
        Some("PUBLIC KEY" | "RSA PUBLIC KEY") => {}
        Some("CERTIFICATE") => return Err(refuse("is a certificate, not a public key")),
        Some(_) => return Err(refuse("is a private key")),
        None => return Err(refuse("is not in PEM form (-----BEGIN PUBLIC KEY-----)")),
    }
    let key = match jwa.family() {
        AlgorithmFamily::Ec => DecodingKey::from_ec_pem(pem.as_bytes()),
        AlgorithmFamily::Ed => DecodingKey::from_ed_pem(pem.as_bytes()),
        AlgorithmFamily::Rsa | AlgorithmFamily::Hmac => DecodingKey::from_rsa_pem(pem.as_bytes()),
    };
    key.map_err(|_| refuse(&format!("is not what {name} needs: a readable, public {}", kind(jwa))))
}

/// What a PEM text says that it is: `PRIVATE KEY`, `RSA PRIVATE KEY` …
fn label(pem: &str) -> Option<&str> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    rest.split_once("-----").map(|(label, _)| label)
}

/// What an algorithm's key is called in a sentence.
fn kind(jwa: Jwa) -> &'static str {
    match jwa.family() {
        AlgorithmFamily::Hmac => "secret",
        AlgorithmFamily::Rsa => "RSA key of 2048 to 8192 bits",
        AlgorithmFamily::Ec if jwa == Jwa::ES384 => "EC key on the curve P-384",
        AlgorithmFamily::Ec => "EC key on the curve P-256",
        AlgorithmFamily::Ed => "Ed25519 key",
    }
}
