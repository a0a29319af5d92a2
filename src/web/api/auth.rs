//! Who may call a view. The header is read as SimpleJWT's `JWTAuthentication` reads it; `tokens::verify` checks the token.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::app::App;
use crate::config::{Config, TokenClass};
use crate::tokens::TokenError;
use crate::tokens::verify::{AuthError, Authenticated, authenticate};

use super::error::ApiError;
use super::openapi;
use super::openapi::operation_doc::ErrorExample;

/// Proof that the caller may call a view.
pub trait Caller: Sized {
    /// Whether a token is needed.
    const NEEDS_TOKEN: bool;

    /// Identifies the caller, or refuses the request.
    fn admit(app: &App, headers: &HeaderMap) -> impl Future<Output = Result<Self, ApiError>>;

    /// The errors of a refusal, for the API document.
    fn errors(_config: &Config) -> Vec<ErrorExample> {
        Vec::new()
    }

    /// The security schemes in the API document; any one of them is enough.
    fn security() -> &'static [&'static str] {
        if Self::NEEDS_TOKEN { &[openapi::SECURITY] } else { &[] }
    }
}

/// Any caller: the headers are not examined.
pub struct Anyone;

impl Caller for Anyone {
    const NEEDS_TOKEN: bool = false;

    async fn admit(_app: &App, _headers: &HeaderMap) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

impl Caller for Authenticated {
    const NEEDS_TOKEN: bool = true;

    async fn admit(app: &App, headers: &HeaderMap) -> Result<Self, ApiError> {
        let token = token(app, headers)?.ok_or_else(ApiError::not_authenticated)?;
        Ok(authenticate(app, &token).await?)
    }

    fn errors(config: &Config) -> Vec<ErrorExample> {
        let jwt = &config.jwt;
        let refused = |reason: fn() -> TokenError| {
            AuthError::InvalidToken(jwt.auth_token_classes.iter().map(|class| (*class, reason())).collect())
        };
        let mut errors = vec![
            ErrorExample::new("not_authenticated", "No token, or another scheme", ApiError::not_authenticated()),
            ErrorExample::new(
                "bad_header",
                "The scheme without a token, or with two",
                ApiError::bad_authorization_header(),
            ),
            ErrorExample::new(
                "caller_token_invalid",
                "The token is damaged, or signed with another key",
                refused(|| TokenError::Invalid),
            ),
            ErrorExample::new("caller_token_expired", "The token has expired", refused(|| TokenError::Expired)),
            ErrorExample::new("caller_nobody", "The token names no user", AuthError::NoUserId),
            ErrorExample::new("caller_deleted", "The token's user was deleted", AuthError::UserNotFound),
        ];
        if jwt.check_user_is_active {
            errors.push(ErrorExample::new("caller_inactive", "The token's user is inactive", AuthError::UserInactive));
        }
        if jwt.check_revoke_token {
            errors.push(ErrorExample::new(
                "caller_password_changed",
                "The password was changed later",
                AuthError::PasswordChanged,
            ));
        }
        errors
    }
}

/// A caller with or without a token; the view decides what is allowed without one.
pub struct Visitor(pub Option<Authenticated>);

impl Caller for Visitor {
    const NEEDS_TOKEN: bool = true;

    async fn admit(app: &App, headers: &HeaderMap) -> Result<Self, ApiError> {
        Ok(Self(match token(app, headers)? {
            Some(token) => Some(authenticate(app, &token).await?),
            None => None,
        }))
    }

    fn errors(config: &Config) -> Vec<ErrorExample> {
        Authenticated::errors(config)
    }
}

/// The token of the header that `JWT_AUTH_HEADER_NAME` names, if it has one.
pub fn token(app: &App, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let jwt = &app.config.jwt;
    let lines: Vec<&[u8]> = headers.get_all(jwt.auth_header_name.as_str()).map(HeaderValue::as_bytes).collect();
    bearer(&lines.join(&b','), &jwt.auth_header_types)
}

/// The token of `Bearer TOKEN`; `None` if the scheme is unknown. Schemes are compared byte for byte.
fn bearer(header: &[u8], schemes: &[String]) -> Result<Option<String>, ApiError> {
    // Vertical tab is white space for Python's `bytes.split`, but not for Rust.
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let words: Vec<&[u8]> = header.split(is_space).filter(|word| !word.is_empty()).collect();
    match words[..] {
        [] => Ok(None),
        [scheme, ..] if !schemes.iter().any(|known| known.as_bytes() == scheme) => Ok(None),
        [_, token] => Ok(Some(String::from_utf8_lossy(token).into_owned())),
        _ => Err(ApiError::bad_authorization_header()),
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::InvalidToken(reasons) => valid_for_no_class(reasons),
            AuthError::NoUserId | AuthError::SessionEnded => Self::coded(&error.to_string(), "token_not_valid"),
            AuthError::UserNotFound => Self::coded(&error.to_string(), "user_not_found"),
            AuthError::UserInactive => Self::coded(&error.to_string(), "user_inactive"),
            AuthError::PasswordChanged => Self::coded(&error.to_string(), "password_changed"),
            AuthError::Db(error) => error.into(),
        }
    }
}

fn valid_for_no_class(reasons: Vec<(TokenClass, TokenError)>) -> ApiError {
    let mut messages = Vec::new();
    for (class, reason) in reasons {
        if let TokenError::Db(error) = reason {
            return error.into();
        }
        let (class, token_type) = match class {
            TokenClass::Access => ("AccessToken", "access"),
            TokenClass::Sliding => ("SlidingToken", "sliding"),
        };
        messages.push(json!({"token_class": class, "token_type": token_type, "message": reason.to_string()}));
    }
    let detail = "Given token not valid for any token type";
    ApiError::new(StatusCode::UNAUTHORIZED, json!({"detail": detail, "code": "token_not_valid", "messages": messages}))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn read(header: &[u8]) -> Result<Option<String>, ()> {
        bearer(header, &["Bearer".to_owned(), "JWT".to_owned()]).map_err(|_| ())
    }

    #[test]
    fn a_known_scheme_and_one_word_make_a_token() {
        assert_eq!(read(b"Bearer abc"), Ok(Some("abc".into())));
        assert_eq!(read(b"  JWT \t abc  "), Ok(Some("abc".into())));
    }

    #[test]
    fn other_schemes_are_not_ours() {
        for header in [&b""[..], b"  ", b"bearer abc", b"Basic a b c", b"Bearer: abc", b"abc.def.ghi"] {
            assert_eq!(read(header), Ok(None));
        }
    }

    #[test]
    fn a_known_scheme_with_none_or_two_words_is_an_error() {
        assert_eq!(read(b"Bearer"), Err(()));
        assert_eq!(read(b"Bearer a b"), Err(()));
    }

    #[test]
    fn any_bytes_are_taken() {
        assert_eq!(read(b"\xff\xfe \x00"), Ok(None));
        assert_eq!(read(b"Bearer \xff"), Ok(Some("\u{fffd}".into())));
    }

    proptest! {
        #[test]
        fn every_header_is_read(header in prop_oneof![
            vec(any::<u8>(), 0..64),
            r"[ \t]{0,2}(Bearer|JWT|Basic|bearer)?[ \t]{0,2}[!-~]{0,8}[ \t]{0,2}[!-~]{0,3}".prop_map(String::into_bytes),
        ]) {
            if let Ok(Some(token)) = read(&header) {
                prop_assert!(!token.is_empty() && !token.bytes().any(|byte| byte.is_ascii_whitespace()));
                prop_assert!(header.trim_ascii_start().starts_with(b"Bearer") || header.trim_ascii_start().starts_with(b"JWT"));
            }
        }

        #[test]
        fn a_token_arrives_as_it_was_sent(token in "[!-~]{1,64}", space in "[ \t]{1,3}") {
            prop_assert_eq!(read(format!("Bearer{space}{token}{space}").as_bytes()), Ok(Some(token)));
        }
    }
}
