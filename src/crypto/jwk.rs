//! A JSON Web Key Set (RFC 7517): which keys of a foreign document can verify our tokens. Pure CPU.
//! Where the document comes from, and how long it is valid, is in `key_set`.

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

/// The keys of a set that fit one algorithm, by id.
pub struct Jwks {
    keys: BTreeMap<String, Arc<VerifyingKey>>,
    skipped: Vec<String>,
}

/// Why a document is not a usable key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// It is not JSON, or not of this form.
    #[error("it is no JSON object with a list of keys")]
    NoSet,
    /// None of its keys verifies tokens of our algorithm.
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

/// The members of a key that are read (`k` reveals a secret); any other is ignored.
const MEMBERS: [&str; 11] = ["kty", "kid", "use", "key_ops", "alg", "crv", "n", "e", "x", "y", "k"];

impl Jwks {
    /// Reads a document. Keys that do not fit are skipped; of two with the same id the first counts, as in PyJWT.
    ///
    /// # Errors
    /// When it is not a key set, or when none of its keys fits.
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

    /// The key with that id.
    pub fn find(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        self.keys.get(kid).cloned()
    }

    /// The ids of the usable keys, quoted and shortened: they are foreign text.
    pub fn kids(&self) -> Vec<String> {
        self.keys.keys().map(|kid| shown(kid)).collect()
    }

    /// The keys that cannot be used, and why.
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

/// The key, if everything that it says about itself fits (RFC 7517, 4).
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

/// Whether type and curve fit (RFC 7518, 6.1; RFC 8037, 2). jsonwebtoken reads an incomplete key as one of unknown kind.
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

/// Removes padding from numbers and leading zeros from those of RSA: some issuers write both, RFC 7518 (2; 6.3.1) forbids
/// them, and jsonwebtoken rejects them. `None` if a number cannot be read.
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
            // Both have the length of the curve's numbers; their sum is checked later.
            return (key.x.len() == key.y.len()).then_some(());
        }
        AlgorithmParameters::OctetKeyPair(key) => key.x = segment::unpadded(&key.x)?.to_owned(),
        _ => {}
    }
    Some(())
}

/// An id as it may appear in a log.
fn shown(kid: &str) -> String {
    const MAX_SHOWN: usize = 60;
    let more = if kid.chars().count() > MAX_SHOWN { "…" } else { "" };
    format!("{:?}{more}", kid.chars().take(MAX_SHOWN).collect::<String>())
}

/// The first few reasons: a set may have hundreds of keys.
fn because(skipped: &[String]) -> String {
    match skipped {
        [] => String::new(),
        some => format!(" ({})", some[..some.len().min(5)].join(", ")),
    }
}

#[cfg(test)]
mod tests;
