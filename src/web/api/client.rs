//! Who may introspect tokens: a superuser by access token, or the client of the settings by id and secret, as RFC 6749
//! 2.3.1 has it (HTTP Basic, or two parameters of the body).

use std::sync::Arc;

use actix_web::http::header::{self, HeaderMap};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use url::form_urlencoded;

use crate::app::App;
use crate::crypto::digest::{equal, sha256_hex};
use crate::tokens::verify::authenticate;

use super::auth::{self, Caller};
use super::error::ApiError;
use super::fields::Fields;

/// Who asks what a token is worth.
pub enum Introspector {
    /// Somebody who may.
    Known,
    /// Nobody has proven anything yet; the body may.
    Unknown,
}

impl Caller for Introspector {
    const NEEDS_TOKEN: bool = true;

    async fn admit(app: &Arc<App>, headers: &HeaderMap) -> Result<Self, ApiError> {
        if let Some(credentials) = basic(headers) {
            return known(app, credentials.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str())));
        }
        let Some(token) = auth::token(app, headers)? else { return Ok(Self::Unknown) };
        let is_superuser = authenticate(app, &token).await?.user.is_superuser;
        if is_superuser { Ok(Self::Known) } else { Err(ApiError::permission_denied()) }
    }
}

impl Introspector {
    /// Only who has proven who they are goes on, by the header or else by the body.
    pub fn prove(self, app: &App, fields: &Fields) -> Result<(), ApiError> {
        match (self, fields.text("client_id"), fields.text("client_secret")) {
            (Self::Known, _, _) => Ok(()),
            (Self::Unknown, None, None) => Err(ApiError::not_authenticated()),
            (Self::Unknown, id, secret) => known(app, id.zip(secret)).map(drop),
        }
    }
}

/// Compares id and secret with the settings, in a time that says nothing about them.
fn known(app: &App, credentials: Option<(&str, &str)>) -> Result<Introspector, ApiError> {
    let Some(((id, secret), client)) = credentials.zip(app.config.introspection_client.as_ref()) else {
        return Err(ApiError::invalid_client());
    };
    let is_id = is_same(id, &client.id);
    let is_secret = is_same(secret, client.secret.expose_secret());
    if is_id & is_secret { Ok(Introspector::Known) } else { Err(ApiError::invalid_client()) }
}

/// Clients should have encoded both as in a form; many do not, and nothing else is mistaken for what they send.
fn is_same(given: &str, wanted: &str) -> bool {
    let decoded = form_urlencoded::parse(given.as_bytes()).next().map(|(name, _)| name.into_owned());
    let hash = |text: &str| sha256_hex(text.as_bytes());
    let wanted = hash(wanted);
    equal(hash(given).as_bytes(), wanted.as_bytes())
        | equal(hash(&decoded.unwrap_or_default()).as_bytes(), wanted.as_bytes())
}

/// Id and secret of `Authorization: Basic`; `Some(None)` where they cannot be read.
fn basic(headers: &HeaderMap) -> Option<Option<(String, String)>> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, rest) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let text = STANDARD.decode(rest.trim_ascii()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    Some(text.and_then(|text| text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(value: &str) -> Option<Option<(String, String)>> {
        basic(TestRequest::default().insert_header((header::AUTHORIZATION, value)).to_http_request().headers())
    }

    #[test]
    fn basic_has_an_id_and_a_secret() {
        let pair = |id: &str, secret: &str| Some(Some((id.to_owned(), secret.to_owned())));
        assert_eq!(read("Basic bXktYXBpOnNlY3JldDp4"), pair("my-api", "secret:x"));
        assert_eq!(read("basic  bXktYXBpOg=="), pair("my-api", ""));
        for junk in ["Basic x", "Basic ", "Basic bm8gY29sb24=", "Basic /////w=="] {
            assert_eq!(read(junk), Some(None), "{junk}");
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
