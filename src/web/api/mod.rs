//! The JSON API. A view is a type that says who may call it, by which method, with which fields, and what it answers;
//! `dispatch` does the rest in the order of Django REST framework: `Accept`, caller, method, body. Browsers get their
//! answer in a page (`browsable`).

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Resource};
use serde_json::Value;

use crate::app::App;
use crate::config::Config;
use crate::web::extract::Client;

pub mod auth;
pub mod body;
mod browsable;
pub mod error;
pub mod fields;
pub mod logout;
pub mod me;
pub mod media_type;
mod metadata;
mod multipart;
pub mod negotiation;
mod python;
pub mod render;
pub mod sliding;
pub mod token;

use auth::Caller;
use body::Fields;
use error::ApiError;
use metadata::Field;
use negotiation::{Format, negotiate};

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

    /// The names of the fields that its page asks for: those of OPTIONS, where there are any.
    fn form(config: &Config) -> Vec<&'static str> {
        Self::fields(config).iter().filter(|field| !field.is_read_only).map(|field| field.name).collect()
    }

    /// The work, after everything common to all views.
    fn answer(call: Call, caller: Self::Caller) -> impl Future<Output = Result<Value, ApiError>>;
}

/// A request on its way into a view.
pub struct Call {
    /// Settings, database, keys …
    pub app: Data<App>,
    request: HttpRequest,
    body: Body,
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
            Body::Waiting(payload) => body::fields(self.request.headers(), payload).await,
            Body::Read(read) => std::mem::replace(read, Ok(Fields::default())),
        }
    }

    /// Who sent it.
    pub fn client(&self) -> Client {
        let peer = self.request.peer_addr().map(|peer| peer.ip());
        Client::of(peer, self.request.headers(), &self.app.config.server.trusted_proxies)
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

/// The route of a view, with and without the last slash.
pub fn view<V: View>(path: &str) -> Resource {
    actix_web::web::resource(vec![path.to_owned(), format!("{path}/")]).to(dispatch::<V>)
}

async fn dispatch<V: View>(request: HttpRequest, payload: Payload, app: Data<App>) -> HttpResponse {
    let browsable = app.config.jwt.browsable_api;
    let (indent, outcome) = match negotiate(request.headers(), request.query_string(), browsable) {
        Ok(Format::Html) => return browsable::answer::<V>(request, payload, app).await,
        Ok(Format::Json { indent }) => {
            let call = Call { app: app.clone(), request: request.clone(), body: Body::Waiting(payload) };
            (indent, answer::<V>(call, request.method(), request.headers()).await)
        }
        Err(error) => (0, Err(error)),
    };
    let mut response = head::<V>(&app, &outcome);
    // With JSON alone there is nothing to choose from.
    if browsable {
        response.insert_header((header::VARY, "Accept"));
    }
    let body = outcome.unwrap_or_else(|error| error.body);
    response.content_type("application/json").body(render::json(&body, indent))
}

async fn answer<V: View>(call: Call, method: &Method, headers: &HeaderMap) -> Result<Value, ApiError> {
    let caller = V::Caller::admit(&call.app, headers).await?;
    match *method {
        Method::HEAD if V::METHOD == Method::GET => V::answer(call, caller).await,
        _ if *method == V::METHOD => V::answer(call, caller).await,
        Method::OPTIONS => Ok(metadata::describe::<V>(&call.app.config)),
        _ => Err(ApiError::method_not_allowed(method)),
    }
}

/// Status and headers of an answer.
fn head<V: View>(app: &App, outcome: &Result<Value, ApiError>) -> HttpResponseBuilder {
    let allow = if V::METHOD == Method::GET { "GET, HEAD, OPTIONS" } else { "POST, OPTIONS" };
    let mut response = match outcome {
        Ok(_) => HttpResponse::Ok(),
        Err(error) => error.head(&app.config.jwt.auth_header_types),
    };
    response.insert_header((header::ALLOW, allow)).insert_header((header::CACHE_CONTROL, "no-store"));
    response
}
