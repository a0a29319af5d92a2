//! The signing and verifying keys: read from the settings and checked once at start, then used for every token.
//! What is signed, and what else is checked, is in `jwt`. Built by `app`; the `check` command shows the warnings.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{AlgorithmFamily, DecodingKey, EncodingKey};
use secrecy::{ExposeSecret, SecretString};

use super::digest::sha256_hex;
use super::key_error::remedy;
use super::keyed;
use super::pem;
use super::signature::{SigningKey, VerifyingKey, jwa};
use crate::config::{Algorithm, Jwt};

pub use super::key_error::KeyError;

/// Minimum length of an HMAC key, in bytes; Django's own keys have 50 characters.
const MIN_SECRET_BYTES: usize = 32;

/// The parsed keys and the algorithm that they belong to.
pub struct Keys {
    algorithm: Algorithm,
    header: String,
    signing: SigningKey,
    verifying: VerifyingKey,
    kid: String,
    warnings: Vec<String>,
}

impl Keys {
    /// Parses `JWT_SIGNING_KEY` (`secret_key` where that is unset) and `JWT_VERIFYING_KEY` for `JWT_ALGORITHM`.
    ///
    /// # Errors
    /// When a key is missing, too short or of the wrong kind for the algorithm, or when the two are not a pair.
    pub fn new(jwt: &Jwt, secret_key: &SecretString) -> Result<Self, KeyError> {
        let signing = jwt.signing_key.as_ref().map(ExposeSecret::expose_secret);
        let verifying = jwt.verifying_key.as_ref().map(ExposeSecret::expose_secret);
        Self::parse(jwt.algorithm, signing, verifying, secret_key.expose_secret())
    }

    fn parse(
        algorithm: Algorithm,
        signing: Option<&str>,
        verifying: Option<&str>,
        secret_key: &str,
    ) -> Result<Self, KeyError> {
        if jwa(algorithm).family() == AlgorithmFamily::Hmac {
            let (variable, secret) = signing.map_or(("SECRET_KEY", secret_key), |key| ("JWT_SIGNING_KEY", key));
            let warnings = look_at_secret(algorithm, variable, secret, verifying.is_some())?;
            let kid = keyed::mac(&SecretString::from(secret), "latchkey key id", &[]).hex();
            let secret = secret.as_bytes();
            let signing = SigningKey::new(algorithm, EncodingKey::from_secret(secret));
            let verifying = VerifyingKey::new(algorithm, DecodingKey::from_secret(secret));
            return Self::assemble(algorithm, signing.zip(verifying), kid, warnings);
        }
        let Some(private) = signing else {
            return Err(KeyError(format!(
                "JWT_SIGNING_KEY is not set: {} signs with a private key in PEM form. {}",
                algorithm.name(),
                remedy(algorithm)
            )));
        };
        let (signing, derived) = pem::private_key(algorithm, private)?;
        let kid = sha256_hex(derived.bytes());
        let verifying = verifying.map_or(Ok(derived), |public| pem::public_key(algorithm, public))?;
        Self::assemble(algorithm, Some((signing, verifying)), kid, Vec::new())
    }

    /// Combines two keys if they are a pair.
    fn assemble(
        algorithm: Algorithm,
        pair: Option<(SigningKey, VerifyingKey)>,
        mut kid: String,
        warnings: Vec<String>,
    ) -> Result<Self, KeyError> {
        let fit = |(signing, verifying): &(SigningKey, VerifyingKey)| {
            signing.sign(b"probe").is_some_and(|signature| verifying.verify(b"probe", &signature))
        };
        let Some((signing, verifying)) = pair.filter(fit) else {
            return Err(KeyError(
                "JWT_VERIFYING_KEY is not the public half of JWT_SIGNING_KEY. Leave it unset: it is derived".into(),
            ));
        };
        kid.truncate(16);
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{}","typ":"JWT"}}"#, algorithm.name()));
        Ok(Self { algorithm, header, signing, verifying, kid, warnings })
    }

    /// The algorithm's name as in a token's header: `HS256` …
    pub fn algorithm(&self) -> &'static str {
        self.algorithm.name()
    }

    /// A short id of the verifying key (first 16 hex digits of a SHA-256), recorded with each token.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Whether signing the same text again gives the same signature (HS, RS, `EdDSA`: yes; PS, ES: no).
    pub fn is_deterministic(&self) -> bool {
        use Algorithm::{ES256, ES384, PS256, PS384, PS512};
        !matches!(self.algorithm, PS256 | PS384 | PS512 | ES256 | ES384)
    }

    /// What is allowed about the keys but not recommended, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The key that verifies the tokens signed here.
    pub fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// The first segment of every token: the encoded `{"alg":…,"typ":"JWT"}`.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// The encoded signature of a message.
    pub(super) fn sign(&self, message: &str) -> String {
        #[expect(clippy::expect_used, reason = "this key signed at start; only memory or randomness can run out")]
        self.signing.sign(message.as_bytes()).expect("a key that has signed signs again")
    }
}

/// Refuses an unusable secret; returns warnings about one that is barely good enough.
fn look_at_secret(
    algorithm: Algorithm,
    variable: &str,
    secret: &str,
    has_verifying: bool,
) -> Result<Vec<String>, KeyError> {
    let (name, remedy) = (algorithm.name(), remedy(algorithm));
    if secret.contains("-----BEGIN ") || secret.starts_with("ssh-") || secret.starts_with("ecdsa-sha2-") {
        return Err(KeyError(format!(
            "{variable} is an asymmetric key, and JWT_ALGORITHM={name} needs a secret. \
             Set JWT_ALGORITHM to the key's (RS256, ES256, EdDSA …), or make a secret: {remedy}"
        )));
    }
    let bytes = secret.len();
    if bytes < MIN_SECRET_BYTES {
        return Err(KeyError(format!(
            "{variable} has {bytes} bytes, and {name} needs at least {MIN_SECRET_BYTES}. {remedy}"
        )));
    }
    let mut warnings = Vec::new();
    let wanted = match algorithm {
        Algorithm::HS384 => 48,
        Algorithm::HS512 => 64,
        _ => MIN_SECRET_BYTES,
    };
    if bytes < wanted {
        warnings.push(format!("{variable} has {bytes} bytes; RFC 7518 (3.2) asks for {wanted} with {name}. {remedy}"));
    }
    if has_verifying {
        warnings.push(format!("JWT_VERIFYING_KEY has no use with {name}: the signing key verifies too"));
    }
    Ok(warnings)
}

#[cfg(test)]
pub(super) mod tests;
