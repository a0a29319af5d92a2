//! Signing and verifying with keys that were parsed once. Where keys come from is in `keys`, `pem` and `jwk`,
//! what is signed in `jwt`.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self as sig, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, RsaKeyPair, RsaParameters, RsaSignatureEncoding,
};

use crate::config::Algorithm;

/// What an algorithm is made of (RFC 7518, 3.1; RFC 8037, 3.1).
#[derive(Clone, Copy)]
pub enum Scheme {
    /// HMAC with a secret.
    Hmac(hmac::Algorithm),
    /// RSA: how to sign and how to verify.
    Rsa(&'static RsaSignatureEncoding, &'static RsaParameters),
    /// ECDSA on one curve: how to sign and how to verify.
    Ecdsa(&'static EcdsaSigningAlgorithm, &'static EcdsaVerificationAlgorithm),
    /// `EdDSA` on Curve25519.
    Ed25519,
}

impl Scheme {
    /// The scheme of an algorithm.
    pub fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::HS256 => Self::Hmac(hmac::HMAC_SHA256),
            Algorithm::HS384 => Self::Hmac(hmac::HMAC_SHA384),
            Algorithm::HS512 => Self::Hmac(hmac::HMAC_SHA512),
            Algorithm::RS256 => Self::Rsa(&sig::RSA_PKCS1_SHA256, &sig::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => Self::Rsa(&sig::RSA_PKCS1_SHA384, &sig::RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => Self::Rsa(&sig::RSA_PKCS1_SHA512, &sig::RSA_PKCS1_2048_8192_SHA512),
            Algorithm::PS256 => Self::Rsa(&sig::RSA_PSS_SHA256, &sig::RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => Self::Rsa(&sig::RSA_PSS_SHA384, &sig::RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => Self::Rsa(&sig::RSA_PSS_SHA512, &sig::RSA_PSS_2048_8192_SHA512),
            Algorithm::ES256 => Self::Ecdsa(&sig::ECDSA_P256_SHA256_FIXED_SIGNING, &sig::ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => Self::Ecdsa(&sig::ECDSA_P384_SHA384_FIXED_SIGNING, &sig::ECDSA_P384_SHA384_FIXED),
            Algorithm::EdDSA => Self::Ed25519,
        }
    }
}

/// A key that signs. No `Debug`: it is a secret.
pub enum SigningKey {
    /// A secret, prepared for its hash.
    Hmac(Box<hmac::Key>),
    /// An RSA key, and the padding and hash that it signs with.
    Rsa(RsaKeyPair, &'static RsaSignatureEncoding),
    /// An EC key; its curve fixes the hash.
    Ecdsa(EcdsaKeyPair),
    /// An Ed25519 key.
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// The signature; `None` only where memory or randomness is short.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hmac(key) => Some(hmac::sign(key, message).as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature).ok()?;
                Some(signature)
            }
            Self::Ecdsa(pair) => Some(pair.sign(&SystemRandom::new(), message).ok()?.as_ref().to_vec()),
            Self::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
        }
    }

    /// The bytes of the public half; a secret has none.
    pub fn public(&self) -> &[u8] {
        match self {
            Self::Hmac(_) => &[],
            Self::Rsa(pair, _) => pair.public_key().as_ref(),
            Self::Ecdsa(pair) => pair.public_key().as_ref(),
            Self::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }
}

/// A key that verifies, and the one algorithm that it does it with.
pub struct VerifyingKey {
    algorithm: Algorithm,
    key: Parsed,
}

enum Parsed {
    Secret(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl VerifyingKey {
    /// The key that verifies what `signing` signs; `None` where its public half cannot be read.
    pub fn of(algorithm: Algorithm, signing: &SigningKey) -> Option<Self> {
        match signing {
            SigningKey::Hmac(key) => Some(Self { algorithm, key: Parsed::Secret(key.clone()) }),
            SigningKey::Rsa(..) | SigningKey::Ecdsa(_) | SigningKey::Ed25519(_) => {
                Self::public(algorithm, signing.public())
            }
        }
    }

    /// A public key in DER (X.509, PKCS#1), or the bare point of a curve.
    pub fn public(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        let parsed = match Scheme::of(algorithm) {
            Scheme::Hmac(_) => return None,
            Scheme::Rsa(_, verifying) => ParsedPublicKey::new(verifying, bytes),
            Scheme::Ecdsa(_, verifying) => ParsedPublicKey::new(verifying, bytes),
            Scheme::Ed25519 => ParsedPublicKey::new(&sig::ED25519, bytes),
        };
        parsed.ok().map(|key| Self::parsed(algorithm, key))
    }

    /// A public key that was parsed elsewhere, for this algorithm.
    pub fn parsed(algorithm: Algorithm, key: ParsedPublicKey) -> Self {
        Self { algorithm, key: Parsed::Public(key) }
    }

    /// The algorithm that a token's header has to name.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether this signature is the message's.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Parsed::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Parsed::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}
