//! Fetches the document of `JWT_JWK_URL` over HTTP, with every limit that a foreign server's answer needs. Blocks.
//! `mod.rs` decides when; the `check` command fetches once to inform the operator.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs as primitives;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use url::Url;

use crate::config::Algorithm;
use crate::crypto::jwk::{Jwks, JwksError};

/// How long one fetch may take, from the name lookup to the last byte.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum size of the document, in bytes: room for hundreds of keys.
const MAX_DOCUMENT_BYTES: u64 = 256 * 1024;

/// Where a key set comes from, and which algorithm its keys are for.
pub struct Source {
    /// `JWT_JWK_URL`: https, or http on this machine.
    pub url: Url,
    /// `JWT_ALGORITHM`.
    pub algorithm: Algorithm,
    /// How long one fetch may take: [`TIMEOUT`], except in tests.
    pub timeout: Duration,
}

/// Why there is no key set.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The connection, TLS or HTTP failed.
    #[error("it cannot be reached ({0})")]
    Away(String),
    /// No answer in time.
    #[error("it did not answer within {} s", .0.as_secs_f32())]
    Slow(Duration),
    /// The status is not 200.
    #[error("it answered {}{}", .0, if (300..400).contains(.0) { "; redirects are not followed" } else { "" })]
    Status(u16),
    /// The document exceeds `MAX_DOCUMENT_BYTES`.
    #[error("it is larger than {} KiB", MAX_DOCUMENT_BYTES / 1024)]
    TooLarge,
    /// This machine has no root certificates.
    #[error("this system has no root certificates to trust: install ca-certificates, or set SSL_CERT_FILE")]
    NoRoots,
    /// The document is not a usable key set.
    #[error(transparent)]
    Document(#[from] JwksError),
}

impl Source {
    /// Fetches and reads the set.
    ///
    /// # Errors
    /// If the source does not answer 200 with a usable set in time.
    pub fn fetch(&self) -> Result<Jwks, FetchError> {
        let document = self.download(&self.agent()?)?;
        Ok(Jwks::parse(&document, self.algorithm)?)
    }

    fn download(&self, agent: &Agent) -> Result<Vec<u8>, FetchError> {
        let failed = |error| match error {
            ureq::Error::Timeout(_) => FetchError::Slow(self.timeout),
            ureq::Error::BodyExceedsLimit(_) => FetchError::TooLarge,
            other => FetchError::Away(other.to_string()),
        };
        let mut answer = agent.get(self.url.as_str()).call().map_err(failed)?;
        if answer.status() != 200 {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        // ureq fails at its limit, not beyond it.
        answer.body_mut().with_config().limit(MAX_DOCUMENT_BYTES + 1).read_to_vec().map_err(failed)
    }

    /// A client for one fetch. Fetches are minutes apart, and each trusts what the system trusts at the time.
    fn agent(&self) -> Result<Agent, FetchError> {
        let is_tls = self.url.scheme() == "https";
        let mut config = Agent::config_builder()
            .https_only(is_tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(self.timeout))
            .proxy(None)
            .accept("application/jwk-set+json, application/json")
            .user_agent(concat!("latchkey/", env!("CARGO_PKG_VERSION")));
        if is_tls {
            config = config.tls_config(tls()?);
        }
        Ok(config.build().into())
    }
}

/// rustls with the cryptography that signs our tokens, and with the system's root certificates, which may include a private
/// authority's.
fn tls() -> Result<TlsConfig, FetchError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(FetchError::NoRoots);
    }
    let roots: Vec<_> = found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(primitives::default_provider()))
        .build())
}
