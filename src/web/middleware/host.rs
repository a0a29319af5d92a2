//! Checks `Host` against `ALLOWED_HOSTS`, by Django's rules.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::uri::Authority;
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::{is_health, page};
use crate::app::App;

/// Middleware: refuses a `Host` that is not in `ALLOWED_HOSTS`.
pub async fn check_host(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_allowed = is_health(request.path())
        || request.app_data::<Data<App>>().is_some_and(|app| {
            // The address may name a host too (RFC 9112, 3.2.2); then both must be allowed.
            let hosts = request.headers().get_all(header::HOST).map(|host| host.to_str().unwrap_or_default());
            let mut hosts = request.uri().authority().map(Authority::as_str).into_iter().chain(hosts).peekable();
            let allowed = &app.config.server.allowed_hosts;
            hosts.peek().is_some() && hosts.all(|host| is_allowed_host(allowed, host))
        });
    if is_allowed {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    tracing::warn!(host = %named_host(&request), "refused: no such host in ALLOWED_HOSTS");
    let text = "The host that this request names is not in ALLOWED_HOSTS. The log has its name.";
    let page = page(StatusCode::BAD_REQUEST, "Bad Request (400)", text);
    Ok(request.into_response(page).map_into_right_body())
}

/// The `Host` that was sent, for the log: short and without control characters.
fn named_host(request: &ServiceRequest) -> String {
    const MAX_LENGTH: usize = 100;
    let host = match request.uri().authority() {
        Some(authority) => authority.as_str().as_bytes(),
        None => request.headers().get(header::HOST).map_or(&b""[..], HeaderValue::as_bytes),
    };
    host.iter().take(MAX_LENGTH).copied().flat_map(std::ascii::escape_default).map(char::from).collect()
}

/// Django's rule: the name without its port, in any case, equals an entry, or ends with one that begins with a dot.
fn is_allowed_host(allowed: &[String], host: &str) -> bool {
    let Some(name) = host_name(&host.to_ascii_lowercase()) else { return false };
    allowed.iter().map(|pattern| pattern.to_ascii_lowercase()).any(|pattern| match pattern.strip_prefix('.') {
        _ if pattern == "*" => true,
        Some(domain) => name == domain || name.ends_with(&pattern),
        None => name == pattern,
    })
}

/// `example.com` of `example.com.:8000`; `None` if it is not a host.
fn host_name(host: &str) -> Option<String> {
    let end = if host.starts_with('[') { host.find(']')? + 1 } else { host.find(':').unwrap_or(host.len()) };
    let (name, port) = host.split_at(end);
    let has_good_port = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let is_address = |inner: &str| inner.parse::<std::net::Ipv6Addr>().is_ok();
    let has_good_name = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => is_address(inner),
        None => name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-'),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    (has_good_port && has_good_name && !name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allowed(patterns: &[&str], host: &str) -> bool {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        is_allowed_host(&patterns, host)
    }

    #[test]
    fn hosts_are_compared_as_django_compares_them() {
        assert!(allowed(&["localhost"], "LOCALHOST:8000"));
        assert!(allowed(&["localhost"], "localhost."));
        assert!(allowed(&["[::1]"], "[::1]:8000"));
        assert!(allowed(&[".example.com"], "example.com"));
        assert!(allowed(&[".example.com"], "a.b.example.com"));
        assert!(allowed(&["*"], "anything.test"));
        assert!(!allowed(&["example.com"], "a.example.com"));
        assert!(!allowed(&[".example.com"], "badexample.com"));
    }

    #[test]
    fn what_is_no_host_is_refused_even_where_all_are_allowed() {
        for host in ["", ":80", "a b", "a:b", "a:", "[::1", "[x]", "[::1]x", "a/b", "user@a", "ä"] {
            assert!(!allowed(&["*"], host), "{host:?}");
        }
    }

    proptest! {
        #[test]
        fn a_host_is_allowed_only_under_the_names_that_are_listed(
            host in prop_oneof![any::<String>(), r"[a-zA-Z.]{0,8}(\.?(Example|localhost)\.?(com)?)[.:@/]?[0-9]{0,6}", r"\[[0-9a-f:]{0,9}\]?(:[0-9]*)?"],
        ) {
            let is_allowed = allowed(&[".example.com", "localhost", "[::1]"], &host);
            let lower = host.to_ascii_lowercase();
            let name = lower.rsplit_once(':').map_or(lower.as_str(), |(name, port)| {
                if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() { name } else { &lower }
            });
            let name = name.strip_suffix('.').unwrap_or(name);
            let is_ours = name == "localhost" || name == "[::1]" || name == "example.com" || name.ends_with(".example.com");
            prop_assert!(!is_allowed || is_ours, "{:?}", host);
        }
    }
}
