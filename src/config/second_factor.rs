//! Who needs a second factor, how long a browser is remembered, and which domain passkeys are for.

use std::time::Duration;

use url::Host;

use super::jwt::Jwt;
use super::parse::{self, ValueError};
use super::reader::Reader;
use super::server::Server;

/// `SECOND_FACTOR`, `SECOND_FACTOR_REMEMBER`, `PASSKEY_RP_ID`, `JWT_AUTH_CLAIMS`.
#[derive(Debug, Clone)]
pub struct SecondFactor {
    /// Who must have a second factor.
    pub required: Required,
    /// How long a browser is remembered; zero means never.
    pub remember: Duration,
    /// The domain of passkeys (WebAuthn's RP ID).
    pub passkey_rp_id: String,
    /// Tokens say how and when their user logged in.
    pub auth_claims: bool,
}

/// Who must have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Required {
    /// Nobody, but users may.
    Optional,
    /// Staff and superusers.
    Staff,
    /// Everybody.
    #[strum(serialize = "required")]
    Everybody,
}

impl SecondFactor {
    pub(super) fn read(reader: &mut Reader<'_>, server: &Server, jwt: &Jwt) -> Self {
        let required = reader.read("SECOND_FACTOR", parse::variant);
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
        let mut taken = jwt.named_claims().filter(|(_, claim)| ["amr", "auth_time"].contains(claim));
        if auth_claims && let Some((setting, claim)) = taken.next() {
            reader.refuse("JWT_AUTH_CLAIMS", None, &format!("needs the claim {claim:?}, which {setting} uses already"));
        }
        Self { required, remember, passkey_rp_id, auth_claims }
    }
}

/// A domain and nothing else.
fn domain(value: &str) -> Result<String, ValueError> {
    match Host::parse(value) {
        Ok(Host::Domain(domain)) => Ok(domain),
        _ => Err("is not a domain such as example.com".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn load(settings: &[(&str, &str)]) -> Result<SecondFactor, String> {
        let key = ("SECRET_KEY", "0123456789abcdef0123456789abcdef");
        let value =
            |name: &str| settings.iter().chain([&key]).find(|(other, _)| *other == name).map(|(_, value)| *value);
        let config = Config::load(&|name| value(name).map(str::to_owned));
        config.map(|config| config.second_factor).map_err(|problems| problems.to_string())
    }

    #[test]
    fn passkeys_are_for_the_host_or_a_domain_above_it() {
        let of = |domain| load(&[("PUBLIC_URL", "https://auth.example.com"), ("PASSKEY_RP_ID", domain)]);
        assert_eq!(load(&[("PUBLIC_URL", "https://auth.example.com")]).unwrap().passkey_rp_id, "auth.example.com");
        assert_eq!(of("example.com").unwrap().passkey_rp_id, "example.com");
        for bad in ["other.com", "ample.com", "www.example.com", "https://example.com", "203.0.113.1", "a b"] {
            assert!(of(bad).unwrap_err().contains("PASSKEY_RP_ID"), "{bad}");
        }
    }

    #[test]
    fn claims_of_one_name_are_refused() {
        for setting in ["JWT_USER_ID_CLAIM", "JWT_JTI_CLAIM", "JWT_SESSION_CLAIM"] {
            let both = [("JWT_AUTH_CLAIMS", "true"), (setting, "amr")];
            assert!(load(&both).unwrap_err().contains("JWT_AUTH_CLAIMS"), "{setting}");
            assert!(load(&both[1..]).is_ok());
        }
    }

    #[test]
    fn who_needs_one_is_a_word() {
        let required = |word| load(&[("SECOND_FACTOR", word)]).map(|read| read.required);
        assert_eq!(required("staff"), Ok(Required::Staff));
        assert!(required("everybody").is_err());
    }
}
