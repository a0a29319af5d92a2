//! Who besides superusers may introspect tokens. `web/api/client.rs` checks it.

use secrecy::SecretString;

use super::key::MIN_SECRET_BYTES;
use super::parse::ValueError;
use super::reader::Reader;

/// `INTROSPECTION_CLIENT_ID` and `INTROSPECTION_CLIENT_SECRET`.
#[derive(Debug, Clone)]
pub struct IntrospectionClient {
    /// Its name.
    pub id: String,
    /// Its password.
    pub secret: SecretString,
}

impl IntrospectionClient {
    /// Reads both settings; one without the other is refused.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let id = reader.optional("INTROSPECTION_CLIENT_ID", client_id);
        let secret = reader.optional("INTROSPECTION_CLIENT_SECRET", client_secret);
        let (has_id, has_secret) =
            (reader.is_set("INTROSPECTION_CLIENT_ID"), reader.is_set("INTROSPECTION_CLIENT_SECRET"));
        if has_id && !has_secret {
            reader.refuse("INTROSPECTION_CLIENT_SECRET", None, "is not set, and INTROSPECTION_CLIENT_ID is");
        }
        if has_secret && !has_id {
            reader.refuse("INTROSPECTION_CLIENT_ID", None, "is not set, and INTROSPECTION_CLIENT_SECRET is");
        }
        Some(Self { id: id?, secret: secret? })
    }
}

/// As in RFC 6749 (appendix A), but without a colon, which separates it from the secret in HTTP Basic.
fn client_id(value: &str) -> Result<String, ValueError> {
    if value.len() > 255 || !value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
        return Err("is not up to 255 visible ASCII characters without a colon".to_owned());
    }
    Ok(value.to_owned())
}

fn client_secret(value: &str) -> Result<SecretString, ValueError> {
    if value.len() < MIN_SECRET_BYTES {
        return Err(format!("has {} bytes and needs at least {MIN_SECRET_BYTES}", value.len()));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has other characters than visible ASCII".to_owned());
    }
    Ok(value.into())
}
