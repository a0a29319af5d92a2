//! The form of a page: what it asks for, what was sent with it, and the two fields that only pages have. A plain HTML
//! form can neither set a header nor send GET with a token, so it names both in fields; no other request can.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::config::{Config, Jwt};
use crate::web::origin::is_same_origin;

use super::super::body::{self, Fields};

/// The field with the token that a client would send in a header.
pub const ACCESS_TOKEN: &str = "_access_token";
/// The field with the method that a client would use.
pub const METHOD: &str = "_method";

/// A request that is answered with a page.
pub struct Sent {
    /// Its method, or the one that its form names.
    pub method: Method,
    /// Its headers, with the token that its form holds.
    pub headers: HeaderMap,
    /// The fields of its body, if that can be read.
    pub fields: Fields,
    /// Whether somebody just opened the address.
    pub is_visit: bool,
}

impl Sent {
    /// Reads a request as its form means it: by GET, OPTIONS, or one of the view's methods.
    pub fn new(config: &Config, request: &HttpRequest, fields: Option<&Fields>, methods: &[Method]) -> Self {
        let mut sent = Self {
            method: request.method().clone(),
            headers: request.headers().clone(),
            fields: fields.cloned().unwrap_or_default(),
            is_visit: matches!(*request.method(), Method::GET | Method::HEAD)
                && !request.headers().contains_key(config.jwt.auth_header_name.as_str()),
        };
        let is_form = sent.method == Method::POST && body::is_form(&sent.headers);
        if is_form && is_same_origin(&sent.headers, &config.server.public_url) {
            let mut known = methods.iter().chain(&[Method::GET, Method::OPTIONS]);
            if let Some(method) = known.find(|method| sent.fields.text(METHOD) == Some(method.as_str())) {
                sent.method = method.clone();
            }
            if let Some((name, value)) = sent.token(ACCESS_TOKEN).and_then(|token| authorization(&config.jwt, token)) {
                sent.headers.insert(name, value);
            }
        }
        sent
    }

    /// A field that holds a token, without the spaces round it; `None` where it is empty.
    pub fn token(&self, name: &str) -> Option<&str> {
        self.fields.text(name).map(str::trim).filter(|token| !token.is_empty())
    }
}

/// The header that a client would send; from there on the token is checked as everybody's.
fn authorization(jwt: &Jwt, token: &str) -> Option<(HeaderName, HeaderValue)> {
    let scheme = jwt.auth_header_types.first()?;
    // A line break inside a pasted token is a space in a header.
    let words = token.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = HeaderName::try_from(jwt.auth_header_name.as_str()).ok()?;
    Some((name, HeaderValue::from_bytes(format!("{scheme} {words}").as_bytes()).ok()?))
}

/// How a field looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    Text,
    /// One line that nobody reads, and that is never shown again.
    Password,
    /// Several lines.
    Token,
    /// A box to tick.
    Switch,
}

/// A field of the form.
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// What has to be known about it.
    pub hint: &'static str,
    /// How it looks.
    pub kind: Kind,
    /// What stands in it.
    pub value: String,
    /// What is wrong with it.
    pub errors: Vec<String>,
}

impl Input {
    /// A field, filled with what the answer offers for the next time, or with what was sent.
    pub fn new(name: &'static str, sent: &Sent, answer: &Value) -> Self {
        let (label, kind, hint) = match name {
            "username" => ("Username", Kind::Text, ""),
            "email" => ("Email address", Kind::Text, ""),
            "password" => ("Password", Kind::Password, ""),
            "old_password" => ("Old password", Kind::Password, ""),
            "new_password" => ("New password", Kind::Password, ""),
            "token" => ("Token", Kind::Token, ""),
            "refresh" | "refresh_token" => ("Refresh token", Kind::Token, ""),
            "all" => {
                ("Log out everywhere", Kind::Switch, "Every session of the user; then the field above may stay empty.")
            }
            "others" => {
                ("Log out elsewhere", Kind::Switch, "Every session of the user but the one of the tokens above.")
            }
            "challenge" => ("Challenge", Kind::Text, "What the login was answered with."),
            "enrolment" => ("Enrolment", Kind::Text, "What the beginning was answered with."),
            "method" => ("Method", Kind::Text, "email, totp, passkey or recovery"),
            "kind" => ("Kind", Kind::Text, "email, totp or passkey"),
            "code" => ("Code", Kind::Text, ""),
            "credential" => ("Credential", Kind::Text, "Of a passkey: what the browser answered, as JSON."),
            "remember" => ("Remember this browser", Kind::Switch, "The answer has a device_token then."),
            "name" => ("Name", Kind::Text, "What you call it."),
            "label" => ("Label", Kind::Text, "What the session is called; for PATCH."),
            ACCESS_TOKEN => ("Access token", Kind::Token, "Clients send it in a header: see the curl command."),
            other => (other, Kind::Text, ""),
        };
        let answered = answer.get(name);
        let errors = match answered {
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let value = match kind {
            Kind::Password => "",
            // It works once; and the `code` of an answer is another thing.
            Kind::Text if name == "code" => "",
            Kind::Token | Kind::Text => {
                answered.and_then(Value::as_str).or_else(|| sent.fields.text(name)).unwrap_or_default()
            }
            Kind::Switch => sent.fields.text(name).unwrap_or_default(),
        };
        Self { name, label, hint, kind, value: value.to_owned(), errors }
    }

    /// What a browser may fill in.
    pub fn autocomplete(&self) -> &'static str {
        match self.name {
            "username" => "username",
            "email" => "email",
            "code" => "one-time-code",
            _ => "off",
        }
    }

    /// The ids of what describes it, for assistive technology.
    pub fn described(&self) -> String {
        let error = (!self.errors.is_empty()).then(|| format!("{}-error", self.name));
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        error.into_iter().chain(hint).collect::<Vec<_>>().join(" ")
    }
}
