//! The JSON API. A view is a type that says who may call it, by which method, with which fields, and what it answers;
//! `dispatch` does the rest in the order of Django REST framework: `Accept`, caller, method, body.

use actix_web::http::{Method, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, Resource};
use serde_json::Value;

use crate::app::App;
use crate::config::Config;

pub mod auth;
pub mod body;
pub mod error;
pub mod fields;
pub mod logout;
pub mod me;
pub mod media_type;
mod metadata;
mod multipart;
pub mod negotiation;
#[cfg(test)]
mod properties;
mod python;
pub mod render;
pub mod sliding;
pub mod token;

use auth::Caller;
use body::Fields;
use error::ApiError;
use metadata::Field;
use negotiation::Format;

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

/// The route of a view, with and without the last slash.
pub fn view<V: View>(path: &str) -> Resource {
    actix_web::web::resource(vec![path.to_owned(), format!("{path}/")]).to(dispatch::<V>)
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
