//! Signing and verifying through jsonwebtoken, with keys that were checked when they were made. Where keys come from is in
//! `keys`, `pem` and `jwk`, what is signed in `jwt`.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as sig, ParsedPublicKey, RsaKeyPair, RsaSignatureEncoding};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm as Jwa, DecodingKey, DecodingKeyKind, EncodingKey, crypto};

use crate::config::Algorithm;

/// The algorithm as jsonwebtoken names it.
pub(super) fn jwa(algorithm: Algorithm) -> Jwa {
    match algorithm {
        Algorithm::HS256 => Jwa::HS256,
        Algorithm::HS384 => Jwa::HS384,
        Algorithm::HS512 => Jwa::HS512,
        Algorithm::RS256 => Jwa::RS256,
        Algorithm::RS384 => Jwa::RS384,
        Algorithm::RS512 => Jwa::RS512,
        Algorithm::PS256 => Jwa::PS256,
        Algorithm::PS384 => Jwa::PS384,
        Algorithm::PS512 => Jwa::PS512,
        Algorithm::ES256 => Jwa::ES256,
        Algorithm::ES384 => Jwa::ES384,
        Algorithm::EdDSA => Jwa::EdDSA,
    }
}

/// A key that signs. No `Debug`: it is a secret.
pub(super) enum SigningKey {
    /// A secret, or a private key on a curve.
    Plain(EncodingKey, Jwa),
    /// An RSA key, parsed once: jsonwebtoken parses it for each signature, which takes longer than signing.
    Rsa(RsaKeyPair, &'static RsaSignatureEncoding),
}

impl SigningKey {
    /// The key, ready to sign with this algorithm; `None` for an RSA algorithm whose key cannot be read.
    pub fn new(algorithm: Algorithm, key: EncodingKey) -> Option<Self> {
        let encoding = match jwa(algorithm) {
            Jwa::RS256 => &sig::RSA_PKCS1_SHA256,
            Jwa::RS384 => &sig::RSA_PKCS1_SHA384,
            Jwa::RS512 => &sig::RSA_PKCS1_SHA512,
            Jwa::PS256 => &sig::RSA_PSS_SHA256,
            Jwa::PS384 => &sig::RSA_PSS_SHA384,
            Jwa::PS512 => &sig::RSA_PSS_SHA512,
            other => return Some(Self::Plain(key, other)),
        };
        RsaKeyPair::from_der(key.as_bytes()).ok().map(|pair| Self::Rsa(pair, encoding))
    }

    /// The encoded signature; `None` only if memory or randomness runs out.
    pub fn sign(&self, message: &[u8]) -> Option<String> {
        match self {
            Self::Plain(key, jwa) => crypto::sign(message, key, *jwa).ok(),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature).ok()?;
                Some(URL_SAFE_NO_PAD.encode(signature))
            }
        }
    }
}

/// A key that verifies, and the one algorithm that it verifies with.
pub struct VerifyingKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl VerifyingKey {
    /// The key, if it fits this algorithm: jsonwebtoken would only find out at the first signature.
    pub(super) fn new(algorithm: Algorithm, key: DecodingKey) -> Option<Self> {
        let jwa = jwa(algorithm);
        let is_readable = match (key.kind(), jwa) {
            (DecodingKeyKind::SecretOrDer(_), Jwa::HS256 | Jwa::HS384 | Jwa::HS512) => true,
            (DecodingKeyKind::SecretOrDer(point), Jwa::EdDSA) => point.len() == 32,
            (DecodingKeyKind::SecretOrDer(point), Jwa::ES256) => {
                ParsedPublicKey::new(&sig::ECDSA_P256_SHA256_FIXED, point).is_ok()
            }
            (DecodingKeyKind::SecretOrDer(point), Jwa::ES384) => {
                ParsedPublicKey::new(&sig::ECDSA_P384_SHA384_FIXED, point).is_ok()
            }
            (DecodingKeyKind::SecretOrDer(der), _) => {
                ParsedPublicKey::new(&sig::RSA_PKCS1_2048_8192_SHA256, der).is_ok()
            }
            (DecodingKeyKind::RsaModulusExponent { n, e }, _) => {
                let zeros = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
                (2048..=8192).contains(&(n.len() * 8 - zeros)) && !e.is_empty()
            }
        };
        (is_readable && key.family() == jwa.family()).then_some(Self { algorithm, key })
    }

    /// The algorithm that a token's header has to name.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether this is the message's encoded signature.
    pub fn verify(&self, message: &[u8], signature: &str) -> bool {
        crypto::verify(signature, message, &self.key, jwa(self.algorithm)).unwrap_or(false)
    }

    /// The key as bytes; empty if it was given as numbers.
    pub(super) fn bytes(&self) -> &[u8] {
        self.key.try_get_as_bytes().unwrap_or_default()
    }
}
