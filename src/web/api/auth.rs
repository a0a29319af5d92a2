//! Who may call a view. What SimpleJWT's `JWTAuthentication` reads from the header, `tokens::verify` checks.

use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderValue};

use crate::app::App;
use crate::tokens::verify::{Authenticated, authenticate};

use super::error::ApiError;

/// The proof that a caller may call.
pub trait Caller: Sized {
    /// Whether that takes a token.
    const NEEDS_TOKEN: bool;

    /// Finds out who calls, or refuses.
    fn admit(app: &Arc<App>, headers: &HeaderMap) -> impl Future<Output = Result<Self, ApiError>>;
}

/// Anybody: no header is looked at.
pub struct Anyone;

impl Caller for Anyone {
    const NEEDS_TOKEN: bool = false;

    async fn admit(_app: &Arc<App>, _headers: &HeaderMap) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

impl Caller for Authenticated {
    const NEEDS_TOKEN: bool = true;

    async fn admit(app: &Arc<App>, headers: &HeaderMap) -> Result<Self, ApiError> {
        let jwt = &app.config.jwt;
        let lines: Vec<&[u8]> = headers.get_all(jwt.auth_header_name.as_str()).map(HeaderValue::as_bytes).collect();
        let token = bearer(&lines.join(&b','), &jwt.auth_header_types)?;
        Ok(authenticate(app, &token.ok_or_else(ApiError::not_authenticated)?).await?)
    }
}

/// The token of `Bearer TOKEN`; `None` where no known scheme is named. Schemes are compared byte for byte.
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

#[cfg(test)]
mod tests {
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
}
