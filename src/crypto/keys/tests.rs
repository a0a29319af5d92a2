//! Keys of every algorithm: which are accepted, which are refused and with what words. Also a key for other files' tests.

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use base64::engine::general_purpose::STANDARD;

use super::*;

const SECRET: &str = "an HMAC key of forty-two bytes for the tests";

/// Keys for other files' tests.
pub fn hs256() -> Keys {
    Keys::parse(Algorithm::HS256, None, None, SECRET).unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    let body: Vec<String> =
        STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", body.join("\n"))
}

/// A private and its public PEM.
fn rsa() -> (String, String) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    (pem("PRIVATE KEY", private.as_ref()), pem("PUBLIC KEY", public.as_ref()))
}

fn ec(curve: &'static EcdsaSigningAlgorithm) -> (String, String) {
    let pair = EcdsaKeyPair::generate(curve).unwrap();
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    (pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref()), pem("PUBLIC KEY", public.as_ref()))
}

fn ed() -> (String, String) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    (pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref()), pem("PUBLIC KEY", public.as_ref()))
}

fn fault(algorithm: Algorithm, signing: Option<&str>, verifying: Option<&str>) -> String {
    Keys::parse(algorithm, signing, verifying, SECRET).err().map(|error| error.0).unwrap_or_default()
}

fn verifies(keys: &Keys, message: &str, signature: &str) -> bool {
    keys.verifying().verify(message.as_bytes(), signature)
}

fn assert_signs(algorithm: Algorithm, private: &str, public: &str) {
    let alone = Keys::parse(algorithm, Some(private), None, "").unwrap();
    let both = Keys::parse(algorithm, Some(private), Some(public), "").unwrap();
    assert_eq!(alone.kid(), both.kid(), "{algorithm:?}");
    let signature = alone.sign("text");
    assert!(verifies(&both, "text", &signature) && !verifies(&both, "test", &signature), "{algorithm:?}");
    assert!(!verifies(&both, "text", "") && !verifies(&both, "text", "AAAA"));
    assert_eq!(alone.sign("text") == signature, alone.is_deterministic(), "{algorithm:?}");
}

#[test]
fn every_algorithm_signs_what_its_derived_and_its_given_public_key_verify() {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let (private, public) = rsa();
    for algorithm in [RS256, RS384, RS512, PS256, PS384, PS512] {
        assert_signs(algorithm, &private, &public);
    }
    let (private, public) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    assert_signs(ES256, &private, &public);
    let (private, public) = ec(&ECDSA_P384_SHA384_FIXED_SIGNING);
    assert_signs(ES384, &private, &public);
    let (private, public) = ed();
    assert_signs(EdDSA, &private, &public);
}

#[test]
fn older_pem_forms_are_read_too() {
    let (private, public) = rsa();
    let pkcs1 = EncodingKey::from_rsa_pem(private.as_bytes()).unwrap();
    assert_signs(Algorithm::RS256, &pem("RSA PRIVATE KEY", pkcs1.as_bytes()), &public);
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let private = format!("{parameters}{}", pem("EC PRIVATE KEY", sec1.as_ref()));
    assert_signs(Algorithm::ES256, &private, &pem("PUBLIC KEY", public.as_ref()));
}

#[test]
fn hmac_uses_the_secret_key_unless_a_signing_key_is_set() {
    let own = Keys::parse(Algorithm::HS512, Some(&"k".repeat(64)), None, SECRET).unwrap();
    assert!(own.warnings().is_empty() && own.algorithm() == "HS512" && own.is_deterministic());
    assert_eq!(own.kid().len(), 16);
    assert_ne!(own.kid(), hs256().kid());
    assert!(!verifies(&own, "text", &hs256().sign("text")));
}

#[test]
fn short_secrets_are_refused_and_middling_ones_warn() {
    let fault = fault(Algorithm::HS256, Some("thirty-one bytes, which is less"), None);
    assert!(fault.starts_with("JWT_SIGNING_KEY has 31 bytes") && fault.contains("openssl rand"), "{fault}");
    let fault = Keys::parse(Algorithm::HS256, None, None, "short").err().unwrap().0;
    assert!(fault.starts_with("SECRET_KEY has 5 bytes"), "{fault}");
    let warned = Keys::parse(Algorithm::HS512, None, Some("unused"), SECRET).unwrap();
    assert!(warned.warnings()[0].contains("asks for 64") && warned.warnings()[1].contains("JWT_VERIFYING_KEY"));
}

#[test]
fn keys_of_another_kind_are_refused_with_a_remedy() {
    let (p256, p256_public) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let (p384, p384_public) = ec(&ECDSA_P384_SHA384_FIXED_SIGNING);
    let (ed, ed_public) = ed();
    let encrypted = p256.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (algorithm, signing, verifying, part) in [
        (Algorithm::HS256, Some(&*p256), None, "is an asymmetric key"),
        (Algorithm::RS256, None, None, "is not set: RS256"),
        (Algorithm::ES256, None, Some(&*p384_public), "is not set: ES256"),
        (Algorithm::RS256, Some(SECRET), None, "is not in PEM form"),
        (Algorithm::RS256, Some(&*p256), None, "private RSA key"),
        (Algorithm::PS512, Some(&*ed), None, "rsa_keygen_bits:2048"),
        (Algorithm::ES256, Some(&*p384), None, "on the curve P-256"),
        (Algorithm::ES384, Some(&*p256), None, "ec_paramgen_curve:P-384"),
        (Algorithm::EdDSA, Some(&*p256), None, "-algorithm ed25519"),
        (Algorithm::ES384, Some(&*p384_public), None, "is a public key"),
        (Algorithm::ES256, Some(&*encrypted), None, "is encrypted"),
        (Algorithm::ES384, Some(&*p384), Some(&*p384), "is a private key"),
        (Algorithm::ES384, Some(&*p384), Some(&*ed_public), "public EC key on the curve P-384"),
        (Algorithm::ES384, Some(&*p384), Some(&*p256_public), "public EC key on the curve P-384"),
        (Algorithm::ES384, Some(&*p384), Some(SECRET), "is not in PEM form"),
    ] {
        let fault = fault(algorithm, signing, verifying);
        assert!(fault.contains(part), "{algorithm:?}: {fault}");
        assert!(!signing.is_some_and(|key| fault.contains(key)), "{fault}");
    }
}

#[test]
fn a_public_key_of_another_pair_is_refused() {
    let (private, _) = ed();
    let (_, other) = ed();
    assert!(fault(Algorithm::EdDSA, Some(&private), Some(&other)).contains("not the public half"));
}

#[test]
fn an_rsa_key_under_2048_bits_is_refused() {
    assert!(fault(Algorithm::RS256, Some(RSA_1024), None).contains("2048 to 8192 bits"));
}

/// Made for this test; nothing was ever signed with it.
const RSA_1024: &str = "-----BEGIN PRIVATE KEY-----\n\
MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAKkBPY6uLcRvfMcU\n\
yoalIVwlOVPWQhwjKHXgDoWhWf9v9wvPQpSV6AKc8CrxZ4KqH/RU1Rb4WxPloGVe\n\
GmrgspDDO5MsVXw1aHP+CsvdeRLOfluSaOz+Werr77RW77oJmJa8DCgrJHctywUI\n\
lSUCAqenup8ismwYVDcUrCpeJ1KJAgMBAAECgYBiDMwv6TG4U44q2g8dytPt59K4\n\
pwe311Xz/Uevk4rpPYYwndBc8BOo4HAeGewZzKW5VTZDm1cL1h8WcGAXPcGadVwY\n\
WNQzmWQm/rzI6PYux/sFXumge2CopBf9Bbm142PZn5P1KUJkRyvdaRK5Zx6FCSiR\n\
/uM4m44Fnr0ASJb9eQJBANsZCgsS1vSqxaRQCYc7Uk9HMOPsRO9AuLTuQ/p+sl2H\n\
ZX8p1YBDsqTamAG9twzsju7DnBhMLW1BHK51SxdC6k8CQQDFeFC6gwzLe04ak3Rf\n\
AAodJQ85n4z46ZSlO69Q6Ofpg4Y9BYSM5+vU0Yf+Geu+R9obufMkHG2eW8wrulG9\n\
XrenAkEAvFx3hPOqd+hFSLFCr89xQRUMVDcxQJvc8DgTm0zHXZ9kxAGcOsx4zj/c\n\
BUssD2FktKLZFQ6Q02fyF45hg1sVAwJBAIqA5CadqojCWLrdN982OOHOT4p8NTWV\n\
J9RpM4NNiPRJcwsz5o+qT8g6mucIKUiSPxH5b+ehJOXQvzjge1qWp7sCQQCRYahP\n\
siXoxdd8lywhtYA2SfXUAcD0SDHgbPxcpTkCC0Jls9x5+iRzUDQDzD3stgWtAZBD\n\
I/QA8F+0ImlXGECZ\n\
-----END PRIVATE KEY-----";
