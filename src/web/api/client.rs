//! Who may introspect tokens: a superuser with an access token, or the client of the settings with its id and secret,
//! sent as RFC 6749 2.3.1 defines (HTTP Basic, or two parameters of the body).

use actix_web::http::header::{self, HeaderMap};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use url::form_urlencoded;

use crate::app::App;
use crate::config::Config;
use crate::crypto::digest::{equal, sha256_hex};
use crate::tokens::verify::authenticate;

use super::auth::{self, Caller};
use super::error::ApiError;
use super::fields::Fields;
use super::openapi;
use super::openapi::operation_doc::ErrorExample;

/// The caller of an introspection.
pub enum Introspector {
    /// A caller who may introspect.
    Known,
    /// The headers identify no caller; the body may still do so.
    Unknown,
}

impl Caller for Introspector {
    const NEEDS_TOKEN: bool = true;

    fn errors(_: &Config) -> Vec<ErrorExample> {
        vec![
            ErrorExample::new(
                "no_superuser",
                "The access token belongs to a user who may not ask",
                ApiError::permission_denied(),
            ),
            ErrorExample::new(
                "not_authenticated",
                "Neither a token nor client credentials",
                ApiError::not_authenticated(),
            ),
            ErrorExample::new("invalid_client", "The client's id or secret is wrong", ApiError::invalid_client()),
        ]
    }

    fn security() -> &'static [&'static str] {
        &[openapi::SECURITY, openapi::CLIENT]
    }

    async fn admit(app: &App, headers: &HeaderMap) -> Result<Self, ApiError> {
        if let Some((id, secret)) = basic(headers) {
            return known(app, &id, &secret);
        }
        let Some(token) = auth::token(app, headers)? else { return Ok(Self::Unknown) };
        let is_superuser = authenticate(app, &token).await?.user.is_superuser;
        if is_superuser { Ok(Self::Known) } else { Err(ApiError::permission_denied()) }
    }
}

impl Introspector {
    /// Refuses callers whom neither the headers nor the body identify.
    pub fn prove(self, app: &App, fields: &Fields) -> Result<(), ApiError> {
        match (self, fields.text("client_id"), fields.text("client_secret")) {
            (Self::Known, _, _) => Ok(()),
            (Self::Unknown, None, None) => Err(ApiError::not_authenticated()),
            (Self::Unknown, id, secret) => known(app, id.unwrap_or_default(), secret.unwrap_or_default()).map(drop),
        }
    }
}

/// Compares id and secret with the settings, in a time that does not depend on them.
fn known(app: &App, id: &str, secret: &str) -> Result<Introspector, ApiError> {
    let client = app.config.introspection_client.as_ref().ok_or_else(ApiError::invalid_client)?;
    let is_id = is_same(id, &client.id);
    let is_secret = is_same(secret, client.secret.expose_secret());
    if is_id & is_secret { Ok(Introspector::Known) } else { Err(ApiError::invalid_client()) }
}

/// Clients should encode both as in a form, but many do not. Accepting both spellings lets no wrong secret through.
fn is_same(given: &str, wanted: &str) -> bool {
    let decoded = form_urlencoded::parse(given.as_bytes()).next().map(|(name, _)| name.into_owned());
    let hash = |text: &str| sha256_hex(text.as_bytes());
    let wanted = hash(wanted);
    equal(hash(given).as_bytes(), wanted.as_bytes())
        | equal(hash(&decoded.unwrap_or_default()).as_bytes(), wanted.as_bytes())
}

/// Id and secret of `Authorization: Basic`. If they cannot be read the id is empty, and no client has an empty id.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let text = STANDARD.decode(rest.trim_ascii()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = text.as_deref().and_then(|text| text.split_once(':')).unwrap_or_default();
    Some((pair.0.to_owned(), pair.1.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(value: &str) -> Option<(String, String)> {
        basic(TestRequest::default().insert_header((header::AUTHORIZATION, value)).to_http_request().headers())
    }

    #[test]
    fn basic_has_an_id_and_a_secret() {
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(read("Basic bXktYXBpOnNlY3JldDp4"), pair("my-api", "secret:x"));
        assert_eq!(read("basic  bXktYXBpOg=="), pair("my-api", ""));
        for junk in ["Basic x", "Basic ", "Basic bm8gY29sb24=", "Basic /////w=="] {
            assert_eq!(read(junk), pair("", ""), "{junk}");
        }
        for other in ["Bearer abc", "Basic", ""] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn encoded_and_plain_secrets_are_the_same() {
        assert!(is_same("a+b%2F=&c", "a+b%2F=&c") && is_same("a%2Bb%252F%3D%26c", "a+b%2F=&c"));
        assert!(!is_same("a", "b") && !is_same("", "b") && !is_same("b=c", "c") && !is_same("%62x", "b"));
    }
}
