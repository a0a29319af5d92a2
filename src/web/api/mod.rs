//! The JSON API. A view is a type that says who may call it, by which method, with which fields, and what it answers;
//! `dispatch` does the rest in the order of Django REST framework: `Accept`, caller, method, body.

use actix_web::http::{Method, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, Resource};
use serde_json::Value;
use utoipa::openapi::PathItem;

use crate::app::App;
use crate::config::Config;

pub mod auth;
pub mod body;
pub mod docs;
pub mod error;
pub mod fields;
pub mod logout;
pub mod me;
pub mod media_type;
mod metadata;
mod multipart;
pub mod negotiation;
pub mod openapi;
mod python;
pub mod render;
pub mod schema;
pub mod sliding;
pub mod token;

use auth::Caller;
use body::Fields;
use error::ApiError;
use metadata::Field;
use negotiation::Format;
use openapi::entry::Entry;

/// One endpoint.
pub trait View: 'static {
    /// Who may call it: the proof of that is an argument of `answer`.
    type Caller: Caller;
    /// What OPTIONS calls it.
    const NAME: &'static str;
    /// What OPTIONS says it does.
    const DESCRIPTION: &'static str;
    /// The one method besides OPTIONS (GET brings HEAD).
    const METHOD: Method = Method::POST;

    /// The fields that OPTIONS lists for POST.
    fn fields(_config: &Config) -> Vec<Field> {
        Vec::new()
    }

    /// What the API document says of it beyond the above.
    fn entry(config: &Config) -> Entry;

    /// The work, after everything common to all views.
    fn answer(call: Call, caller: Self::Caller) -> impl Future<Output = Result<Value, ApiError>>;
}

/// A request on its way into a view.
pub struct Call {
    /// Settings, database, keys …
    pub app: Data<App>,
    request: HttpRequest,
    payload: Payload,
}

impl Call {
    /// Reads and parses the body; a view that needs none does not wait for it.
    pub async fn fields(&mut self) -> Result<Fields, ApiError> {
        let bytes = body::read(&mut self.payload).await?;
        body::parse(self.request.headers(), &bytes)
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
    let (format, outcome) = match negotiation::negotiate(request.headers(), request.query_string()) {
        Ok(format) => (format, call::<V>(request, payload, app.clone()).await),
        Err(error) => (Format::default(), Err(error)),
    };
    let allow = if V::METHOD == Method::GET { "GET, HEAD, OPTIONS" } else { "POST, OPTIONS" };
    let mut response = match &outcome {
        Ok(_) => HttpResponse::Ok(),
        Err(error) => error.head(&app.config.jwt.auth_header_types),
    };
    response
        .insert_header((header::ALLOW, allow))
        .insert_header((header::VARY, if format.is_html() { "Accept, Cookie" } else { "Accept" }))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    let body = outcome.unwrap_or_else(|error| error.body);
    render::render(response, format, V::NAME, &body)
}

async fn call<V: View>(request: HttpRequest, payload: Payload, app: Data<App>) -> Result<Value, ApiError> {
    let caller = V::Caller::admit(&app, request.headers()).await?;
    match request.method().clone() {
        Method::HEAD if V::METHOD == Method::GET => V::answer(Call { app, request, payload }, caller).await,
        method if method == V::METHOD => V::answer(Call { app, request, payload }, caller).await,
        Method::OPTIONS => Ok(metadata::describe::<V>(&app.config)),
        method => Err(ApiError::method_not_allowed(&method)),
    }
}
