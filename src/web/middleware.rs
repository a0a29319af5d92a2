//! What every request passes: a request id, one line in the access log, the security headers, the check of `Host`.
//! A panic in a handler ends here, as a 500 without details.

use std::fmt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Once;
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::Authority;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::FutureExt;
use tracing::Instrument;

use crate::app::App;
use crate::crypto::random;
use crate::journal::Door;

use super::extract::{Client, RequestId};
use super::health;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// On every answer, whoever made it.
const SECURITY: [(HeaderName, HeaderValue); 4] = [
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin")),
];

/// `Content-Security-Policy` of the API's pages: only our own style sheet and images; forms to us only; no script at all.
pub const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                              frame-ancestors 'none'; base-uri 'none'";

/// The same for the panel, which has one script of its own.
pub const PANEL_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                               form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Middleware: names the request, times it, logs it, and sees to it that nothing leaves without the security headers.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = random::hex(&random::bytes::<8>());
    warn_of_proxy(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let line = Line::new(&request);
    let span = tracing::info_span!("request", id = %id);

    let answer = AssertUnwindSafe(next.call(request)).catch_unwind().instrument(span.clone()).await;
    let _entered = span.enter();
    match answer {
        Ok(Ok(mut response)) => {
            finish(response.headers_mut(), &id);
            line.log(response.status(), response.response().body().size());
            Ok(response)
        }
        Ok(Err(error)) => {
            line.log(error.as_response_error().status_code(), BodySize::None);
            Err(Failure { error, id }.into())
        }
        Err(_panic) => {
            tracing::error!(path = %line.path, "a handler panicked");
            line.log(StatusCode::INTERNAL_SERVER_ERROR, BodySize::None);
            Err(Failure { error: Panicked.into(), id }.into())
        }
    }
}

/// Behind a proxy that is not trusted all users have its address, and whoever guesses makes everybody wait: said once.
fn warn_of_proxy(request: &ServiceRequest) {
    static SAID: Once = Once::new();
    let Some(app) = request.app_data::<Data<App>>().filter(|_| request.headers().contains_key("x-forwarded-for"))
    else {
        return;
    };
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical()).filter(is_own_network);
    if let Some(peer) = peer.filter(|_| app.config.server.trusted_proxies.is_empty()) {
        SAID.call_once(|| {
            tracing::warn!(
                %peer,
                "a request has X-Forwarded-For, but TRUSTED_PROXIES is not set: all users count as one address, which \
                 slows their logins down together. If that is your proxy, name it in TRUSTED_PROXIES"
            );
        });
    }
}

/// Anybody can send the header; a proxy of ours stands in a network of ours (RFC 1918, RFC 4193).
fn is_own_network(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

fn finish(headers: &mut HeaderMap, id: &str) {
    for (name, value) in SECURITY {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// What the access log says of a request. The query string is left out: it may hold a search, or a token pasted by mistake.
struct Line {
    started: Instant,
    method: Method,
    path: String,
    client: Client,
}

impl Line {
    fn new(request: &ServiceRequest) -> Self {
        let trusted = request.app_data::<Data<App>>().map_or(&[][..], |app| &app.config.server.trusted_proxies);
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            // The address as it was sent: percent-encoded, so without line breaks or other control characters.
            path: request.uri().path().to_owned(),
            client: Client::of(Door::Api, request.peer_addr().map(|peer| peer.ip()), request.headers(), trusted),
        }
    }

    fn log(&self, status: StatusCode, size: BodySize) {
        let ms = self.started.elapsed().as_millis();
        let bytes = if let BodySize::Sized(bytes) = size { bytes } else { 0 };
        let ip = self.client.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let (method, path, status) = (&self.method, &self.path, status.as_u16());
        if is_health(path) {
            tracing::debug!(%method, %path, status, ms, bytes, %ip, "answered");
        } else {
            tracing::info!(%method, %path, status, ms, bytes, %ip, "answered");
        }
    }
}

/// An error that no handler turned into an answer, with the headers that it would leave without.
#[derive(Debug)]
struct Failure {
    error: Error,
    id: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = self.error.error_response();
        finish(response.headers_mut(), &self.id);
        response
    }
}

#[derive(Debug)]
struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a handler panicked")
    }
}

impl ResponseError for Panicked {
    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::InternalServerError().json(serde_json::json!({"detail": "A server error occurred."}))
    }
}

/// Middleware: refuses a `Host` that is not in `ALLOWED_HOSTS`.
pub async fn check_host(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_allowed = is_health(request.path())
        || request.app_data::<Data<App>>().is_some_and(|app| {
            // An address may name a host besides the header (RFC 9112, 3.2.2): then both must be ours.
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

/// For the log: what a proxy or a client sent as `Host`, short and without control characters.
fn named_host(request: &ServiceRequest) -> String {
    const MAX_LENGTH: usize = 100;
    let host = match request.uri().authority() {
        Some(authority) => authority.as_str().as_bytes(),
        None => request.headers().get(header::HOST).map_or(&b""[..], HeaderValue::as_bytes),
    };
    host.iter().take(MAX_LENGTH).copied().flat_map(std::ascii::escape_default).map(char::from).collect()
}

fn is_health(path: &str) -> bool {
    path == health::ALIVE || path == health::READY
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

/// `example.com` of `example.com.:8000`; `None` if it is no host at all.
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

/// What no other line of the route table answers: JSON under `/api/`, else a small page.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    if request.path().starts_with("/api/") {
        return HttpResponse::NotFound().json(serde_json::json!({"detail": "Not found."}));
    }
    page(StatusCode::NOT_FOUND, "Not Found", "The requested resource was not found on this server.")
}

fn page(status: StatusCode, title: &str, text: &str) -> HttpResponse {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body><h1>{title}</h1><p>{text}</p></body>\n</html>\n"
    );
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"));
    response.insert_header((header::CACHE_CONTROL, "no-store")).content_type("text/html; charset=utf-8").body(page)
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
