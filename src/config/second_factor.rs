//! Who needs a second factor, how long a browser is remembered, and which domain passkeys are for.

use std::time::Duration;

use url::Host;

use super::jwt::Jwt;
use super::parse::{self, Fault};
use super::reader::Reader;
use super::server::Server;

/// `SECOND_FACTOR`, `SECOND_FACTOR_REMEMBER`, `PASSKEY_RP_ID`, `JWT_AUTH_CLAIMS`.
#[derive(Debug, Clone)]
pub struct SecondFactor {
    /// Who must have one.
    pub required: Required,
    /// How long a browser is remembered; zero: never.
    pub remember: Duration,
    /// The domain of passkeys (WebAuthn's RP ID).
    pub passkey_rp_id: String,
    /// Tokens say how and when their user logged in.
    pub auth_claims: bool,
}

/// Who must have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// Nobody; users may.
    Optional,
    /// Staff and superusers.
    Staff,
    /// Everybody.
    Everybody,
}

const REQUIRED: &[(&str, Required)] =
    &[("optional", Required::Optional), ("staff", Required::Staff), ("required", Required::Everybody)];

impl SecondFactor {
    pub(super) fn read(reader: &mut Reader<'_>, server: &Server, jwt: &Jwt) -> Self {
        let required = reader.read("SECOND_FACTOR", parse::choice(REQUIRED));
        let remember = reader.read("SECOND_FACTOR_REMEMBER", parse::duration);
        let host = server.public_url.host_str().unwrap_or_default().to_owned();
        let given = reader.optional("PASSKEY_RP_ID", domain);
        if let Some(domain) = &given
            && host != *domain
            && !host.ends_with(&format!(".{domain}"))
        {
            let fault = format!("is neither the host of PUBLIC_URL ({host}) nor a domain above it");
            reader.refuse("PASSKEY_RP_ID", Some(domain), &fault);
        }
        let passkey_rp_id = given.unwrap_or_else(|| {
            reader.show("PASSKEY_RP_ID", host.clone());
            host
        });
        let auth_claims = reader.read("JWT_AUTH_CLAIMS", parse::boolean);
        if auth_claims && [&jwt.user_id_claim].into_iter().any(|claim| claim == "amr" || claim == "auth_time") {
            reader.refuse("JWT_AUTH_CLAIMS", None, "needs the claims amr and auth_time, and JWT_USER_ID_CLAIM has one");
        }
        Self { required, remember, passkey_rp_id, auth_claims }
    }
}

/// A domain without anything else.
fn domain(value: &str) -> Result<String, Fault> {
    match Host::parse(value) {
        Ok(Host::Domain(domain)) => Ok(domain),
        _ => Err("is not a domain such as example.com".to_owned()),
    }
}
