//! The JSON API. A view is a type that declares its caller, methods, fields and answer; `dispatch` does the rest in the
//! order of Django REST framework: `Accept`, caller, method, body. Browsers get the answer in a page (`browsable`).

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::config::Config;
use crate::journal::Door;
use crate::web::cors;
use crate::web::extract::Client;

pub mod answer;
pub mod auth;
pub mod body;
mod browsable;
pub mod client;
pub mod cookie;
pub mod docs;
pub mod email;
mod endpoint;
pub mod error;
pub mod field;
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
pub use endpoint::{Endpoint, NavigationLink, Subject, spellings};
use error::ApiError;
use field::Field;
use negotiation::{Format, negotiate};
use openapi::operation_doc::OperationDoc;

/// One endpoint.
pub trait View: 'static {
    /// The caller that it accepts; the proof is an argument of `answer`.
    type Caller: Caller;
    /// The type of its answer. A view with several methods has an enum or an `Option`; `null` is sent as 204, without a
    /// body.
    type Answer: Serialize;
    /// Its name in OPTIONS.
    const NAME: &'static str;
    /// Its description in OPTIONS.
    const DESCRIPTION: &'static str;
    /// Its subject.
    const SUBJECT: Subject;
    /// Its link in the navigation of the pages; a view of one row has none.
    const LINK: Option<NavigationLink> = None;
    /// Its methods besides OPTIONS (GET includes HEAD), in Django REST framework's order. The page uses the first one.
    const METHODS: &'static [Method] = &[Method::POST];

    /// The fields of its body. OPTIONS lists them if it takes POST.
    fn fields(_config: &Config) -> Vec<Field> {
        Vec::new()
    }

    /// The entry of one of its methods in the API document, in addition to the above.
    fn doc(config: &Config, method: &Method) -> OperationDoc;

    /// The fields of the form on its page.
    fn form(config: &Config) -> Vec<Field> {
        Self::fields(config).into_iter().filter(|field| !field.is_read_only).collect()
    }

    /// Does the work, after everything that all views share.
    fn answer(call: Call, caller: Self::Caller) -> impl Future<Output = Result<Self::Answer, ApiError>>;
}

/// A request to a view.
pub struct Call {
    /// Settings, database, keys …
    pub app: Data<App>,
    /// One of the view's methods; for HEAD it is GET.
    pub method: Method,
    request: HttpRequest,
    body: Body,
    jar: Option<Jar>,
}

/// The body of a request.
enum Body {
    /// Not read yet: a view that needs no body does not wait for it.
    Waiting(Payload),
    /// Already read, by a page that shows it again.
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

    /// The client that sent the request.
    pub fn client(&self) -> Client {
        let peer = self.request.peer_addr().map(|peer| peer.ip());
        Client::of(Door::Api, peer, self.request.headers(), &self.app.config.server.trusted_proxies)
    }

    /// The key with which the client may repeat the request.
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

async fn dispatch<V: View>(request: HttpRequest, payload: Payload, app: Data<App>) -> HttpResponse {
    let browsable = app.config.jwt.browsable_api;
    let (indent, outcome) = match negotiate(request.headers(), request.query_string(), browsable) {
        Ok(Format::Html) => return browsable::answer::<V>(request, payload, app).await,
        Ok(Format::Json { indent }) => (indent, json::<V>(&request, payload, &app).await),
        Err(error) => (0, Err(error)),
    };
    let mut response = head::<V>(&app, &outcome);
    // With JSON only, there is nothing to negotiate.
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
        Ok(serde_json::to_value(V::answer(call, caller).await?)?)
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

/// `GET, PATCH, HEAD, OPTIONS`: the order in which Django REST framework looks for a view's methods.
fn allow(methods: &[Method]) -> String {
    let head = methods.contains(&Method::GET).then_some(Method::HEAD);
    let all = methods.iter().chain(&head).chain(&[Method::OPTIONS]).map(Method::as_str).collect::<Vec<_>>();
    all.join(", ")
}
