//! Passkeys (WebAuthn Level 3), through webauthn-rs. Browsers' responses and the state between two requests are JSON here; who
//! owns which passkey is known to `accounts::second_factor`.

use serde_json::Value;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    CredentialID, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Webauthn, WebauthnBuilder,
};

/// Maximum length of a passkey's id, in bytes (WebAuthn Level 3, 7.1, step 25).
const MAX_ID_BYTES: usize = 1023;

/// Passkeys for this site.
pub struct Passkeys(Webauthn);

/// A question to a browser, and the state that its response is checked with. The state must not leave the server.
pub struct Asked {
    /// For `navigator.credentials`.
    pub options: Value,
    /// JSON.
    pub state: String,
}

/// A new passkey.
pub struct Registered {
    /// Its id, in base64url.
    pub credential_id: String,
    /// Its public key and counter, as JSON.
    pub data: String,
}

/// A passkey that was used.
pub struct Used {
    /// Its id, in base64url.
    pub credential_id: String,
    /// Its new data, if that changed.
    pub data: Option<String>,
}

/// The response does not match the challenge.
#[derive(Debug, thiserror::Error)]
#[error("the passkey was not accepted")]
pub struct Refused;

impl Passkeys {
    /// `domain` is the host of `origin` or a domain above it; `others` are origins of front ends below it. `None` where browsers
    /// offer no passkeys: without https (except on localhost), and at an IP address.
    pub fn new(domain: &str, origin: &Url, others: &[Url], name: &str) -> Option<Self> {
        let is_secure = |origin: &Url| origin.scheme() == "https" || origin.host_str() == Some("localhost");
        if !is_secure(origin) {
            return None;
        }
        // On a developer's machine any port may be a front end.
        let builder = WebauthnBuilder::new(domain, origin).ok()?.rp_name(name).allow_any_port(domain == "localhost");
        let below = |origin: &&Url| {
            let host = origin.domain().unwrap_or_default();
            is_secure(origin) && (host == domain || host.ends_with(&format!(".{domain}")))
        };
        others.iter().filter(below).fold(builder, WebauthnBuilder::append_allowed_origin).build().ok().map(Self)
    }

    /// Asks for a new passkey. `user` is the user's permanent random id; `known` are the passkeys they have (`Registered::data`).
    pub fn start_registration(&self, user: Uuid, username: &str, known: &[String]) -> Result<Asked, Refused> {
        let ids: Vec<CredentialID> = passkeys(known).iter().map(|passkey| passkey.cred_id().clone()).collect();
        let started = self.0.start_passkey_registration(user, username, username, Some(ids));
        let (options, state) = started.map_err(|_| Refused)?;
        asked(&options, &state)
    }

    /// Checks the response.
    pub fn finish_registration(&self, state: &str, answer: &Value) -> Result<Registered, Refused> {
        let state: PasskeyRegistration = serde_json::from_str(state).map_err(|_| Refused)?;
        let answer: RegisterPublicKeyCredential = serde_json::from_value(answer.clone()).map_err(|_| Refused)?;
        let passkey = self.0.finish_passkey_registration(&answer, &state).map_err(|_| Refused)?;
        let credential = passkey.cred_id();
        if credential.is_empty() || credential.len() > MAX_ID_BYTES {
            return Err(Refused);
        }
        Ok(Registered { credential_id: id(credential), data: text(&passkey)? })
    }

    /// Asks for one of these passkeys.
    pub fn start_authentication(&self, known: &[String]) -> Result<Asked, Refused> {
        let known = passkeys(known);
        // An empty list would ask for any passkey.
        if known.is_empty() {
            return Err(Refused);
        }
        let (options, state) = self.0.start_passkey_authentication(&known).map_err(|_| Refused)?;
        asked(&options, &state)
    }

    /// Checks the response. A counter that went back is refused: the passkey was copied (WebAuthn, 7.2, step 22).
    pub fn finish_authentication(&self, state: &str, answer: &Value, known: &[String]) -> Result<Used, Refused> {
        let state: PasskeyAuthentication = serde_json::from_str(state).map_err(|_| Refused)?;
        let answer: PublicKeyCredential = serde_json::from_value(answer.clone()).map_err(|_| Refused)?;
        let result = self.0.finish_passkey_authentication(&answer, &state).map_err(|_| Refused)?;
        let mut known = passkeys(known);
        let used = known.iter_mut().find(|passkey| passkey.cred_id() == result.cred_id()).ok_or(Refused)?;
        // The state holds the counter of when the question was asked; this one is current.
        if result.counter() > 0 && result.counter() <= counter(used) {
            return Err(Refused);
        }
        let is_changed = used.update_credential(&result).ok_or(Refused)?;
        let data = if is_changed { Some(text(used)?) } else { None };
        Ok(Used { credential_id: id(result.cred_id()), data })
    }
}

/// The readable ones; all of them are, since we wrote the rows.
fn passkeys(known: &[String]) -> Vec<Passkey> {
    known.iter().filter_map(|data| serde_json::from_str(data).ok()).collect()
}

/// The library has no accessor for it, but serialises it.
fn counter(passkey: &Passkey) -> u32 {
    let written = serde_json::to_value(passkey).unwrap_or_default();
    written["cred"]["counter"].as_u64().and_then(|counter| counter.try_into().ok()).unwrap_or_default()
}

fn id(id: &CredentialID) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(id)
}

fn text(value: &impl serde::Serialize) -> Result<String, Refused> {
    serde_json::to_string(value).map_err(|_| Refused)
}

fn asked(options: &impl serde::Serialize, state: &impl serde::Serialize) -> Result<Asked, Refused> {
    Ok(Asked { options: serde_json::to_value(options).map_err(|_| Refused)?, state: text(state)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn passkeys_at(domain: &str, origin: &str) -> Option<Passkeys> {
        Passkeys::new(domain, &Url::parse(origin).unwrap(), &[], "Example")
    }

    #[test]
    fn passkeys_need_https_or_localhost_and_a_name() {
        assert!(passkeys_at("auth.example.com", "https://auth.example.com").is_some());
        assert!(passkeys_at("example.com", "https://auth.example.com").is_some());
        assert!(passkeys_at("localhost", "http://localhost:8000").is_some());
        for (domain, origin) in [
            ("auth.example.com", "http://auth.example.com"),
            ("ample.com", "https://example.com"),
            ("other.com", "https://example.com"),
            ("127.0.0.1", "http://127.0.0.1:8000"),
            ("203.0.113.1", "https://203.0.113.1"),
        ] {
            assert!(passkeys_at(domain, origin).is_none(), "{domain} {origin}");
        }
    }

    #[test]
    fn a_question_names_site_and_user_and_wants_the_user_verified() {
        let passkeys = passkeys_at("localhost", "http://localhost:8000").unwrap();
        let asked = passkeys.start_registration(Uuid::nil(), "alice", &[]).unwrap();
        let options = &asked.options["publicKey"];
        assert_eq!((&options["rp"]["id"], &options["user"]["name"]), (&json!("localhost"), &json!("alice")));
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        assert_ne!(
            options["challenge"],
            passkeys.start_registration(Uuid::nil(), "alice", &[]).unwrap().options["publicKey"]["challenge"]
        );
    }

    #[test]
    fn junk_is_refused() {
        let passkeys = passkeys_at("localhost", "http://localhost:8000").unwrap();
        let asked = passkeys.start_registration(Uuid::nil(), "alice", &[]).unwrap();
        for junk in [json!(null), json!({}), json!({"id": "x", "rawId": "eA", "type": "public-key", "response": {}})] {
            assert!(passkeys.finish_registration(&asked.state, &junk).is_err());
            assert!(passkeys.finish_registration("{}", &junk).is_err());
            assert!(passkeys.finish_authentication(&asked.state, &junk, &[]).is_err());
        }
        assert!(passkeys.start_authentication(&[]).is_err());
        assert!(passkeys.start_authentication(&["junk".to_owned()]).is_err());
    }
}
