//! Key sets: which keys of one can be used, and why the others cannot.

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
    let point: Vec<u8> = ["x", "y"].map(|name| URL_SAFE_NO_PAD.decode(p256[name].as_str().unwrap()).unwrap()).concat();
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
