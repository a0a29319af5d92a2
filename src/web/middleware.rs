//! The middleware of every request: a request id, one line in the access log, and the security headers. A panic in a
//! handler becomes a 500 without details. `Host` is checked in `host`.

mod host;

use std::fmt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Once;
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
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
pub use host::check_host;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The headers of every answer.
const SECURITY: [(HeaderName, HeaderValue); 4] = [
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin")),
];

/// `Content-Security-Policy` of pages without a script: only our own style sheet, images and forms.
pub const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                              frame-ancestors 'none'; base-uri 'none'";

/// The same for pages with our own script.
pub const PANEL_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                               form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Middleware: gives the request an id, times and logs it, and adds the security headers to every answer.
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

/// Warns once if a proxy is not trusted: all users then share its address, so one attacker slows down all logins.
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

/// Anyone can send the header, but our own proxy is in a private network (RFC 1918, RFC 4193).
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

/// A line of the access log. It has no query string, which may contain a search or a token pasted by mistake.
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
            // As sent: percent-encoded, so without line breaks or other control characters.
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

/// An error that no handler turned into an answer, with the request's id for its headers.
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

fn is_health(path: &str) -> bool {
    path == health::ALIVE || path == health::READY
}

/// Answers requests that no route matches: JSON under `/api/`, else a small page.
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
