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
    const LONGEST: usize = 60;
    let more = if kid.chars().count() > LONGEST { "…" } else { "" };
    format!("{:?}{more}", kid.chars().take(LONGEST).collect::<String>())
}

/// A few of the reasons: a set may have hundreds of keys.
fn because(skipped: &[String]) -> String {
    match skipped {
        [] => String::new(),
        some => format!(" ({})", some[..some.len().min(5)].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA512, RsaKeyPair,
    };
    use base64::engine::general_purpose::URL_SAFE;
    use jsonwebtoken::{Algorithm as Jwa, EncodingKey};
    use serde_json::json;

    use super::*;
    use crate::crypto::signature::SigningKey;

    fn base64(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key with that id, and something signed with it.
    fn ed(kid: &str) -> (Value, SigningKey) {
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = base64(pair.public_key().as_ref());
        let signing = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
        (json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid}), SigningKey::Plain(signing, Jwa::EdDSA))
    }

    fn ec(curve: &'static EcdsaSigningAlgorithm, name: &str, jwa: Jwa) -> (Value, SigningKey) {
        let pair = EcdsaKeyPair::generate(curve).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let signing = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        let key = json!({"kty": "EC", "crv": name, "x": base64(x), "y": base64(y), "kid": "k"});
        (key, SigningKey::Plain(signing, jwa))
    }

    /// Of 2048 bits: in PKCS#1 its modulus stands behind a header of 9 bytes.
    fn rsa() -> (Value, RsaKeyPair) {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let n = base64(&pair.public_key().as_ref()[9..265]);
        (json!({"kty": "RSA", "n": n, "e": "AQAB", "kid": "k"}), pair)
    }

    fn parse(keys: &[Value], algorithm: Algorithm) -> Result<Jwks, JwksError> {
        Jwks::parse(json!({"keys": keys}).to_string().as_bytes(), algorithm)
    }

    #[track_caller]
    fn assert_verifies(key: &Value, signing: &SigningKey, algorithm: Algorithm) {
        let found = parse(std::slice::from_ref(key), algorithm).unwrap().find("k").unwrap();
        let signature = signing.sign(b"text").unwrap();
        assert!(found.verify(b"text", &signature) && !found.verify(b"test", &signature), "{algorithm:?}");
    }

    /// Why a set of this key alone has no key.
    #[track_caller]
    fn fault(key: &Value, algorithm: Algorithm) -> String {
        parse(std::slice::from_ref(key), algorithm).err().unwrap().to_string()
    }

    /// The key with a member changed; null removes it.
    fn with(key: &Value, name: &str, value: Value) -> Value {
        let mut key = key.clone();
        key[name] = value;
        key
    }

    #[test]
    fn keys_of_every_kind_verify() {
        let (key, signing) = ed("k");
        assert_verifies(&key, &signing, Algorithm::EdDSA);
        let (key, signing) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", Jwa::ES256);
        assert_verifies(&key, &signing, Algorithm::ES256);
        let (key, signing) = ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", Jwa::ES384);
        assert_verifies(&key, &signing, Algorithm::ES384);
        let (key, pair) = rsa();
        let signing = SigningKey::Rsa(pair, &RSA_PKCS1_SHA256);
        assert_verifies(&key, &signing, Algorithm::RS256);
        // Written with padding, and with a zero before it.
        let n = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
        let padded = URL_SAFE.encode([&[0], &n[..]].concat());
        assert_verifies(&with(&key, "n", padded.into()), &signing, Algorithm::RS256);
        let SigningKey::Rsa(pair, _) = signing else { unreachable!() };
        assert_verifies(&key, &SigningKey::Rsa(pair, &RSA_PSS_SHA512), Algorithm::PS512);
    }

    #[test]
    fn what_a_key_says_about_itself_must_fit() {
        let (key, signing) = ed("k");
        for (name, value) in [
            ("use", json!("sig")),
            ("alg", json!("EdDSA")),
            ("key_ops", json!(["verify"])),
            ("key_ops", json!(["sign", "verify"])),
            ("use", Value::Null),
            ("x5c", json!([1])),
        ] {
            assert_verifies(&with(&key, name, value), &signing, Algorithm::EdDSA);
        }
        for (name, value, why) in [
            ("use", json!("enc"), "is not for signatures"),
            ("use", json!(""), "is not for signatures"),
            ("alg", json!("RS256"), "is for another algorithm"),
            ("key_ops", json!(["encrypt"]), "is not for verifying"),
            ("key_ops", json!([]), "is not for verifying"),
            ("key_ops", json!("verify"), "is malformed"),
            ("kid", Value::Null, "has no id"),
            ("kid", json!(""), "has no id"),
            ("kid", json!(5), "is malformed"),
            ("kty", json!("EC"), "is of another kind"),
            ("kty", Value::Null, "is of another kind"),
            ("kty", json!(5), "is of another kind"),
            ("crv", json!("Ed448"), "is of another kind"),
            ("crv", json!("X25519"), "is of another kind"),
            ("x", json!("AAAA"), "has bad numbers"),
            ("x", json!("not base64!"), "has bad numbers"),
            ("x", json!("A==="), "has bad numbers"),
            ("x", Value::Null, "lacks a number"),
        ] {
            let fault = fault(&with(&key, name, value.clone()), Algorithm::EdDSA);
            assert!(fault.contains(why), "{name} {value}: {fault}");
        }
    }

    #[test]
    fn secrets_other_curves_and_bad_points_are_no_keys() {
        let secret = json!({"kty": "oct", "k": base64(&[7; 64]), "kid": "k", "alg": "HS256"});
        for algorithm in [Algorithm::HS256, Algorithm::RS256, Algorithm::EdDSA] {
            assert!(fault(&secret, algorithm).contains("is a secret"), "{algorithm:?}");
        }
        let (p256, _) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", Jwa::ES256);
        assert!(fault(&p256, Algorithm::ES384).contains("is of another kind"));
        assert!(fault(&with(&p256, "crv", json!("P-384")), Algorithm::ES384).contains("has bad numbers"));
        // A byte of y in x.
        let point: Vec<u8> =
            ["x", "y"].map(|name| URL_SAFE_NO_PAD.decode(p256[name].as_str().unwrap()).unwrap()).concat();
        let shifted = with(&with(&p256, "x", base64(&point[..33]).into()), "y", base64(&point[33..]).into());
        assert!(fault(&shifted, Algorithm::ES256).contains("has bad numbers"));
        // A point beside the curve.
        assert!(fault(&with(&p256, "x", base64(&[1; 32]).into()), Algorithm::ES256).contains("has bad numbers"));
        let (small, _) = rsa();
        assert!(fault(&with(&small, "n", base64(&[0xff; 128]).into()), Algorithm::RS256).contains("has bad numbers"));
        assert!(fault(&with(&small, "n", base64(&[0xff; 1025]).into()), Algorithm::RS256).contains("has bad numbers"));
        assert!(fault(&small, Algorithm::ES256).contains("is of another kind"));
    }

    #[test]
    fn unusable_keys_do_not_hide_the_usable_ones_and_the_first_of_an_id_counts() {
        let ((first, signing), (second, _), (other, _)) = (ed("k"), ed("k"), ed("o"));
        let set = parse(&[json!(5), json!({"kty": "oct"}), first, second, other], Algorithm::EdDSA).unwrap();
        assert_eq!(set.kids(), [r#""k""#, r#""o""#]);
        assert_eq!(set.skipped().len(), 2);
        assert!(set.find("k").unwrap().verify(b"text", &signing.sign(b"text").unwrap()));
        assert!(set.find("").is_none() && set.find("K").is_none());
    }

    #[test]
    fn other_documents_are_no_sets() {
        for bad in ["", "[]", "{}", "null", r#"{"keys":{}}"#, r#"{"keys":null}"#, "<html>"] {
            let fault = Jwks::parse(bad.as_bytes(), Algorithm::RS256).err().unwrap();
            assert_eq!(fault, JwksError::NoSet);
        }
        assert_eq!(Jwks::parse(b"{\"keys\":[\"\xff\"]}", Algorithm::RS256).err().unwrap(), JwksError::NoSet);
        let deep = format!(r#"{{"keys":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(Jwks::parse(deep.as_bytes(), Algorithm::RS256), Err(JwksError::NoKey { .. })));
        let fault = parse(&[], Algorithm::RS256).err().unwrap().to_string();
        assert_eq!(fault, "it has no key for RS256");
        let many = vec![json!({"kty": "RSA", "kid": "\n".repeat(1000)}); 100];
        let fault = parse(&many, Algorithm::RS256).err().unwrap().to_string();
        assert!(fault.len() < 1000 && !fault.contains('\n'), "{fault}");
    }
}
