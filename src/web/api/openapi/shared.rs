//! What all views have in common in the API document: failures that any of them may answer, and headers.

use actix_web::http::StatusCode;
use utoipa::openapi::header::{Header, HeaderBuilder};

use super::super::body;
use super::super::error::ApiError;
use super::super::fields;
use super::entry::Fault;
use super::schemas;

/// Failures that look the same everywhere, with the names of their responses. The first two need no body.
pub fn faults() -> [(&'static str, Fault); 5] {
    [
        (
            "NotAcceptable",
            Fault::new("not_acceptable", "Accept names nothing that Latchkey writes", ApiError::not_acceptable()),
        ),
        (
            "ServiceUnavailable",
            Fault::new("unavailable", "Overload, or the database is away: try again", ApiError::unavailable()),
        ),
        ("RequestTimeout", Fault::new("too_slow", "The body did not arrive in time", ApiError::too_slow())),
        ("ContentTooLarge", Fault::new("too_large", "The body is too large", ApiError::too_large(body::LIMIT))),
        (
            "UnsupportedMediaType",
            Fault::new(
                "unsupported_media_type",
                "The body is neither JSON nor a form",
                ApiError::unsupported_media_type("text/plain"),
            ),
        ),
    ]
}

/// Status and name of the shared responses of a view.
pub fn responses(takes_body: bool) -> impl Iterator<Item = (StatusCode, &'static str)> {
    let count = if takes_body { 5 } else { 2 };
    faults().into_iter().take(count).map(|(name, fault)| (fault.error.status, name))
}

/// How the body of a view with these required fields can be bad.
pub fn body_faults(required: &[&'static str]) -> Vec<Fault> {
    let unread = [
        ("malformed_json", "The body is not JSON", &b"{'token': 1}"[..]),
        ("not_an_object", "The body is JSON, but no object", b"[1]"),
    ];
    let mut faults: Vec<Fault> = unread
        .into_iter()
        .filter_map(|(name, when, body)| Some(Fault::new(name, when, body::parse_json(body).err()?)))
        .collect();
    if !required.is_empty() {
        let each = required.iter().copied();
        faults.push(Fault::new("missing_field", "Required fields are missing", fields::refusal(each.clone(), None)));
        let blank = fields::Value::text(" ".to_owned());
        faults.push(Fault::new("blank_field", "Required fields are blank", fields::refusal(each, Some(&blank))));
    }
    faults
}

/// Every header that a response may name.
pub fn headers() -> [(&'static str, Header); 6] {
    let header =
        |description: &str| HeaderBuilder::new().schema(Some(schemas::text())).description(Some(description)).build();
    [
        ("Allow", header("The methods of this path.")),
        ("Cache-Control", header("`no-store` where answers hold tokens.")),
        ("Retry-After", header("Seconds after which it is worth another try.")),
        ("Vary", header("The request headers that the answer depends on.")),
        ("WWW-Authenticate", header("The scheme by which a request is authenticated.")),
        ("X-Request-ID", header("A random name of the request; the log has the same.")),
    ]
}
