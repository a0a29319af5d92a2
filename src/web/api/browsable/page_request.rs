//! A request that is answered with a page. A plain HTML form can neither set a header nor send GET with a token, so the
//! page's form names both in two fields of its own, which no other request can use.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::config::{Config, Jwt};
use crate::web::origin::is_same_origin;

use super::super::View;
use super::super::body::{self, Fields};
use super::frame::Frame;

/// The field with the token that a client would send in a header.
pub const ACCESS_TOKEN: &str = "_access_token";
/// The field with the method that a client would use.
pub const METHOD: &str = "_method";

/// A request that is answered with a page.
pub struct PageRequest {
    /// The frame of the page.
    pub frame: Frame,
    /// The method, or the one that the form names.
    pub method: Method,
    /// The headers, with the token from the form.
    pub headers: HeaderMap,
    /// The fields of the body, if it can be parsed.
    pub fields: Fields,
    /// Whether the address was only opened.
    pub is_visit: bool,
}

impl PageRequest {
    /// Reads a request as its form means it: by GET, OPTIONS, or one of the view's methods.
    pub fn new<V: View>(config: &Config, request: &HttpRequest, fields: Option<&Fields>) -> Self {
        let mut page_request = Self {
            frame: Frame::of::<V>(request.path()),
            method: request.method().clone(),
            headers: request.headers().clone(),
            fields: fields.cloned().unwrap_or_default(),
            is_visit: matches!(*request.method(), Method::GET | Method::HEAD)
                && !request.headers().contains_key(config.jwt.auth_header_name.as_str()),
        };
        let is_form = *request.method() == Method::POST && body::is_form(request.headers());
        if is_form && is_same_origin(request.headers(), &config.server.public_url) {
            page_request.follow_form(&config.jwt, V::METHODS);
        }
        page_request
    }

    /// Takes the method and the token from the fields of the page's form.
    fn follow_form(&mut self, jwt: &Jwt, methods: &[Method]) {
        let mut known = methods.iter().chain(&[Method::GET, Method::OPTIONS]);
        if let Some(method) = known.find(|method| self.fields.text(METHOD) == Some(method.as_str())) {
            self.method = method.clone();
        }
        if let Some((name, value)) = self.token(ACCESS_TOKEN).and_then(|token| authorization(jwt, token)) {
            self.headers.insert(name, value);
        }
    }

    /// A field that holds a token, without the white space around it; `None` if it is empty.
    pub fn token(&self, name: &str) -> Option<&str> {
        self.fields.text(name).map(str::trim).filter(|token| !token.is_empty())
    }
}

/// The header that a client would send. From here on, the token is checked like any other.
fn authorization(jwt: &Jwt, token: &str) -> Option<(HeaderName, HeaderValue)> {
    let scheme = jwt.auth_header_types.first()?;
    // A line break inside a pasted token is a space in a header.
    let words = token.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = HeaderName::try_from(jwt.auth_header_name.as_str()).ok()?;
    Some((name, HeaderValue::from_bytes(format!("{scheme} {words}").as_bytes()).ok()?))
}
