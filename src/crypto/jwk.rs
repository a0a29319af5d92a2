//! A JSON Web Key Set (RFC 7517): what of a document from outside can verify our tokens. Pure CPU.
//! Where the document comes from, and how long it is good, is in `key_set`.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::segment;
use super::signature::{VerifyingKey, jwa};
use crate::config::Algorithm;

/// The keys of a set that fit one algorithm, by their id.
pub struct Jwks {
    keys: BTreeMap<String, Arc<VerifyingKey>>,
    skipped: Vec<String>,
}

/// Why a document is no key set that we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// No JSON, or not of this form.
    #[error("it is no JSON object with a list of keys")]
    NoSet,
    /// Nothing in it verifies tokens of our algorithm.
    #[error("it has no key for {algorithm}{}", because(.skipped))]
    NoKey {
        /// `JWT_ALGORITHM`.
        algorithm: &'static str,
        /// What is wrong with each key.
        skipped: Vec<String>,
    },
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// The members of a key that count (`k` gives a secret away); another one is never a reason to refuse a key.
const MEMBERS: [&str; 11] = ["kty", "kid", "use", "key_ops", "alg", "crv", "n", "e", "x", "y", "k"];

impl Jwks {
    /// Reads a document. Keys that do not fit are skipped; of two with one id the first counts, as in PyJWT.
    ///
    /// # Errors
    /// When it is no key set, or when no key of it fits.
    pub fn parse(document: &[u8], algorithm: Algorithm) -> Result<Self, JwksError> {
        let document: Document<'_> = serde_json::from_slice(document).map_err(|_| JwksError::NoSet)?;
        let (mut keys, mut skipped) = (BTreeMap::new(), Vec::new());
        for raw in document.keys {
            let Some(mut jwk) = read(raw) else {
                skipped.push("one is malformed".to_owned());
                continue;
            };
            let kid = jwk.common.key_id.take().unwrap_or_default();
            match verifying_key(&kid, jwk, algorithm) {
                Ok(key) => drop(keys.entry(kid).or_insert_with(|| Arc::new(key))),
                Err(why) => skipped.push(format!("{} {why}", shown(&kid))),
            }
        }
        if keys.is_empty() {
            return Err(JwksError::NoKey { algorithm: algorithm.name(), skipped });
        }
        Ok(Self { keys, skipped })
    }

    /// The key of that id.
    pub fn find(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        self.keys.get(kid).cloned()
    }

    /// The ids of the usable keys, quoted and shortened: they come from outside.
    pub fn kids(&self) -> Vec<String> {
        self.keys.keys().map(|kid| shown(kid)).collect()
    }

    /// What is not usable, and why.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }
}

/// One key as jsonwebtoken reads it.
fn read(raw: &RawValue) -> Option<Jwk> {
    let mut members: Map<String, Value> = serde_json::from_str(raw.get()).ok()?;
    members.retain(|name, _| MEMBERS.contains(&name.as_str()));
    serde_json::from_value(members.into()).ok()
}

/// The key, if all that it says about itself fits (RFC 7517, 4).
fn verifying_key(kid: &str, mut jwk: Jwk, algorithm: Algorithm) -> Result<VerifyingKey, &'static str> {
    let said = &jwk.common;
    if matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_)) {
        return Err("is a secret, which nobody must publish");
    }
    if kid.is_empty() {
        return Err("has no id");
    }
    if said.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return Err("is not for signatures");
    }
    if said.key_operations.as_ref().is_some_and(|operations| !operations.contains(&KeyOperations::Verify)) {
        return Err("is not for verifying");
    }
    if said.key_algorithm.is_some_and(|alg| alg != KeyAlgorithm::from(jwa(algorithm))) {
        return Err("is for another algorithm");
    }
    if !is_of_kind(&jwk.algorithm, algorithm) {
        return Err("is of another kind, or lacks a number");
    }
    let key = tidy(&mut jwk.algorithm).and_then(|()| DecodingKey::from_jwk(&jwk).ok());
    key.and_then(|key| VerifyingKey::new(algorithm, key)).ok_or("has bad numbers")
}

/// Type and curve (RFC 7518, 6.1; RFC 8037, 2). jsonwebtoken reads an incomplete key as one of an unknown kind.
fn is_of_kind(parameters: &AlgorithmParameters, algorithm: Algorithm) -> bool {
    match (parameters, jwa(algorithm).family()) {
        (AlgorithmParameters::RSA(_), AlgorithmFamily::Rsa) => true,
        (AlgorithmParameters::EllipticCurve(key), AlgorithmFamily::Ec) => match key.curve {
            EllipticCurve::P256 => algorithm == Algorithm::ES256,
            EllipticCurve::P384 => algorithm == Algorithm::ES384,
            _ => false,
        },
        (AlgorithmParameters::OctetKeyPair(key), AlgorithmFamily::Ed) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    }
}

/// Some write padding behind the numbers, and zeros before those of RSA. RFC 7518 (2; 6.3.1) forbids both, and
/// jsonwebtoken takes neither. `None` where a number is none.
fn tidy(parameters: &mut AlgorithmParameters) -> Option<()> {
    match parameters {
        AlgorithmParameters::RSA(key) => {
            for number in [&mut key.n, &mut key.e] {
                let bytes = segment::bytes(number)?;
                let start = bytes.iter().position(|byte| *byte != 0)?;
                *number = URL_SAFE_NO_PAD.encode(&bytes[start..]);
            }
        }
        AlgorithmParameters::EllipticCurve(key) => {
            for coordinate in [&mut key.x, &mut key.y] {
                *coordinate = segment::unpadded(coordinate)?.to_owned();
            }
            // Each is as long as the curve wants it: both together are measured later.
            return (key.x.len() == key.y.len()).then_some(());
        }
        AlgorithmParameters::OctetKeyPair(key) => key.x = segment::unpadded(&key.x)?.to_owned(),
        _ => {}
    }
    Some(())
}

/// An id as it may stand in a log.
fn shown(kid: &str) -> String {
    const MAX_SHOWN: usize = 60;
    let more = if kid.chars().count() > MAX_SHOWN { "…" } else { "" };
    format!("{:?}{more}", kid.chars().take(MAX_SHOWN).collect::<String>())
}

/// A few of the reasons: a set may have hundreds of keys.
fn because(skipped: &[String]) -> String {
    match skipped {
        [] => String::new(),
        some => format!(" ({})", some[..some.len().min(5)].join(", ")),
    }
}

#[cfg(test)]
mod tests;
