//! The parts of the API document that all views share: common errors, and headers.

use utoipa::openapi::header::{Header, HeaderBuilder};

use super::super::body;
use super::super::error::ApiError;
use super::super::field::Field;
use super::super::fields;
use super::operation_doc::ErrorExample;
use super::schemas;

/// An error that looks the same everywhere.
pub struct SharedError {
    /// The name of its response among the components.
    pub response: &'static str,
    /// Whether only endpoints that take a body can answer with it.
    pub is_about_body: bool,
    /// The error.
    pub example: ErrorExample,
}

/// The errors that look the same everywhere.
pub fn errors() -> Vec<SharedError> {
    let anywhere = |response, example| SharedError { response, is_about_body: false, example };
    let of_body = |response, example| SharedError { response, is_about_body: true, example };
    vec![
        anywhere(
            "NotAcceptable",
            ErrorExample::new(
                "not_acceptable",
                "Accept names nothing that Latchkey writes",
                ApiError::not_acceptable(),
            ),
        ),
        anywhere(
            "ServiceUnavailable",
            ErrorExample::new(
                "unavailable",
                "Overloaded, or the database is unreachable: try again",
                ApiError::unavailable(),
            ),
        ),
        of_body(
            "RequestTimeout",
            ErrorExample::new("too_slow", "The body did not arrive in time", ApiError::too_slow()),
        ),
        of_body(
            "ContentTooLarge",
            ErrorExample::new("too_large", "The body is too large", ApiError::too_large(body::LIMIT)),
        ),
        of_body(
            "UnsupportedMediaType",
            ErrorExample::new(
                "unsupported_media_type",
                "The body is neither JSON nor a form",
                ApiError::unsupported_media_type("text/plain"),
            ),
        ),
    ]
}

/// The errors of a body with these fields.
pub fn body_errors(fields: &[Field]) -> Vec<ErrorExample> {
    let unread = [
        ("malformed_json", "The body is not JSON", &b"{'token': 1}"[..]),
        ("not_an_object", "The body is JSON, but not an object", b"[1]"),
    ];
    let mut errors: Vec<ErrorExample> = unread
        .into_iter()
        .filter_map(|(name, when, body)| Some(ErrorExample::new(name, when, body::parse_json(body).err()?)))
        .collect();
    let required = || fields.iter().filter(|field| field.is_required).map(|field| field.name);
    if required().next().is_some() {
        let missing = fields::refusal(required(), None);
        errors.push(ErrorExample::new("missing_field", "Required fields are missing", missing));
        let blank = fields::refusal(required(), Some(&fields::Value::text(" ".to_owned())));
        errors.push(ErrorExample::new("blank_field", "Required fields are blank", blank));
    }
    errors
}

/// All headers of responses.
pub fn headers() -> Vec<(&'static str, Header)> {
    let header = |name, description: &str| {
        (name, HeaderBuilder::new().schema(Some(schemas::text())).description(Some(description)).build())
    };
    vec![
        header("Allow", "The methods of this path."),
        header("Cache-Control", "`no-store` where answers contain tokens."),
        header("Retry-After", "Seconds to wait before trying again."),
        header("Vary", "The request headers that the answer depends on."),
        header("WWW-Authenticate", "The scheme by which a request is authenticated."),
        header("X-Request-ID", "A random name of the request; the log has the same."),
    ]
}
