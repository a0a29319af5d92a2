//! The JSON API. A view is a type that says who may call it, by which methods, with which fields, and what it answers;
//! `dispatch` does the rest in the order of Django REST framework: `Accept`, caller, method, body. Browsers get their
//! answer in a page (`browsable`).

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Resource};
use serde_json::Value;
use utoipa::openapi::PathItem;

use crate::app::App;
use crate::config::Config;
use crate::journal::Door;
use crate::web::cors;
use crate::web::extract::Client;

pub mod auth;
pub mod body;
mod browsable;
pub mod client;
pub mod cookie;
pub mod docs;
pub mod email;
pub mod error;
pub mod fields;
pub mod introspect;
pub mod logout;
pub mod me;
pub mod media_type;
mod metadata;
mod multipart;
pub mod negotiation;
pub mod openapi;
pub mod password;
#[cfg(test)]
mod properties;
mod python;
pub mod render;
pub mod revoke;
pub mod schema;
pub mod second_factor;
pub mod sessions;
pub mod sliding;
pub mod token;

use auth::Caller;
use body::Fields;
use cookie::Jar;
use error::ApiError;
use metadata::Field;
use negotiation::{Format, negotiate};
use openapi::entry::Entry;

/// One endpoint.
pub trait View: 'static {
    /// Who may call it: the proof of that is an argument of `answer`.
    type Caller: Caller;
    /// What OPTIONS calls it.
    const NAME: &'static str;
    /// What OPTIONS says it does.
    const DESCRIPTION: &'static str;
    /// Its methods besides OPTIONS (GET brings HEAD), in Django REST framework's order. The first is the page's own.
    const METHODS: &'static [Method] = &[Method::POST];

    /// The fields that OPTIONS lists for POST.
    fn fields(_config: &Config) -> Vec<Field> {
        Vec::new()
    }

    /// What the API document says of one of its methods beyond the above.
    fn entry(config: &Config, method: &Method) -> Entry;

    /// The names of the fields that its page asks for: those of OPTIONS, where there are any.
    fn form(config: &Config) -> Vec<&'static str> {
        Self::fields(config).iter().filter(|field| !field.is_read_only).map(|field| field.name).collect()
    }

    /// The work, after everything common to all views. `null` is 204, without a body.
    fn answer(call: Call, caller: Self::Caller) -> impl Future<Output = Result<Value, ApiError>>;
}

/// A request on its way into a view.
pub struct Call {
    /// Settings, database, keys …
    pub app: Data<App>,
    /// One of the view's methods; for HEAD it is GET.
    pub method: Method,
    request: HttpRequest,
    body: Body,
    jar: Option<Jar>,
}

/// What a request brings.
enum Body {
    /// Still on its way: a view that needs no body does not wait for it.
    Waiting(Payload),
    /// Read already, by a page that will show it again.
    Read(Result<Fields, ApiError>),
}

impl Call {
    /// Reads and parses the body.
    pub async fn fields(&mut self) -> Result<Fields, ApiError> {
        match &mut self.body {
            Body::Waiting(_) if cors::is_foreign(&self.app.config.cors, self.request.headers()) => {
                Err(ApiError::foreign())
            }
            Body::Waiting(payload) => body::fields(self.request.headers(), payload).await,
            Body::Read(read) => std::mem::replace(read, Ok(Fields::default())),
        }
    }

    /// A part of the path, as the route names it.
    pub fn segment(&self, name: &str) -> &str {
        self.request.match_info().get(name).unwrap_or_default()
    }

    /// Who sent it.
    pub fn client(&self) -> Client {
        let peer = self.request.peer_addr().map(|peer| peer.ip());
        Client::of(Door::Api, peer, self.request.headers(), &self.app.config.server.trusted_proxies)
    }

    /// The name under which the client may ask for the same once more.
    pub fn idempotency_key(&self) -> Result<Option<String>, ApiError> {
        let Some(value) = self.request.headers().get("idempotency-key") else { return Ok(None) };
        match value.to_str() {
            Ok(key)
                if (1..=255).contains(&key.len())
                    && key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') =>
            {
                Ok(Some(key.to_owned()))
            }
            _ => Err(ApiError::bad_idempotency_key()),
        }
    }
}

/// A view at its path. The route table and the API document are made of the same ones.
pub struct Endpoint {
    path: &'static str,
    resource: fn(Vec<String>) -> Resource,
    describe: fn(&str, &Config) -> PathItem,
}

impl Endpoint {
    /// A view at a path, which stands here without its last slash.
    pub const fn of<V: View>(path: &'static str) -> Self {
        Self {
            path,
            resource: |paths| actix_web::web::resource(paths).to(dispatch::<V>),
            describe: openapi::describe::<V>,
        }
    }

    /// Its route.
    pub fn resource(&self) -> Resource {
        (self.resource)(spellings(self.path))
    }

    /// Its path, and what the API document says of it.
    pub fn describe(&self, config: &Config) -> (String, PathItem) {
        (format!("{}/", self.path), (self.describe)(self.path, config))
    }
}

/// A path with and without its last slash, and what is under `/api/` under `/api/v1/` too.
pub fn spellings(path: &str) -> Vec<String> {
    let versioned = path.strip_prefix("/api/").map(|rest| format!("/api/v1/{rest}"));
    [Some(path.to_owned()), versioned].into_iter().flatten().flat_map(|path| [format!("{path}/"), path]).collect()
}

async fn dispatch<V: View>(request: HttpRequest, payload: Payload, app: Data<App>) -> HttpResponse {
    let browsable = app.config.jwt.browsable_api;
    let (indent, outcome) = match negotiate(request.headers(), request.query_string(), browsable) {
        Ok(Format::Html) => return browsable::answer::<V>(request, payload, app).await,
        Ok(Format::Json { indent }) => (indent, json::<V>(&request, payload, &app).await),
        Err(error) => (0, Err(error)),
    };
    let mut response = head::<V>(&app, &outcome);
    // With JSON alone there is nothing to choose from.
    if browsable {
        response.insert_header((header::VARY, "Accept"));
    }
    for cookie in cookie::of_answer(&request) {
        response.cookie(cookie);
    }
    match outcome.unwrap_or_else(|error| error.body) {
        Value::Null => response.finish(),
        body => response.content_type("application/json").body(render::json(&body, indent)),
    }
}

async fn json<V: View>(request: &HttpRequest, payload: Payload, app: &Data<App>) -> Result<Value, ApiError> {
    let jar = Jar::of(&app.config, request.headers())?;
    let (method, body) = (request.method().clone(), Body::Waiting(payload));
    let call = Call { app: app.clone(), method, request: request.clone(), body, jar };
    answer::<V>(call, request.headers()).await
}

async fn answer<V: View>(mut call: Call, headers: &HeaderMap) -> Result<Value, ApiError> {
    let caller = V::Caller::admit(&call.app, headers).await?;
    if call.method == Method::OPTIONS {
        return Ok(metadata::describe::<V>(&call.app.config));
    }
    if call.method == Method::HEAD && V::METHODS.contains(&Method::GET) {
        call.method = Method::GET;
    }
    if V::METHODS.contains(&call.method) {
        V::answer(call, caller).await
    } else {
        Err(ApiError::method_not_allowed(&call.method))
    }
}

/// Status and headers of an answer.
fn head<V: View>(app: &App, outcome: &Result<Value, ApiError>) -> HttpResponseBuilder {
    let mut response = match outcome {
        Ok(Value::Null) => HttpResponse::NoContent(),
        Ok(_) => HttpResponse::Ok(),
        Err(error) => error.head(&app.config.jwt.auth_header_types),
    };
    response.insert_header((header::ALLOW, allow(V::METHODS))).insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// `GET, PATCH, HEAD, OPTIONS`: in the order in which Django REST framework asks a view for its methods.
fn allow(methods: &[Method]) -> String {
    let head = methods.contains(&Method::GET).then_some(Method::HEAD);
    let all = methods.iter().chain(&head).chain(&[Method::OPTIONS]).map(Method::as_str).collect::<Vec<_>>();
    all.join(", ")
}
