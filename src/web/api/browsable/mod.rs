//! The page that a browser gets: a form for the request, the answer, and every token in either of them, decoded. Status
//! and headers are those of the JSON answer. `dispatch` calls this when a page is requested; the page works without
//! scripts.

use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::Value;

use crate::app::App;
use crate::web::claims::Meaning;
use crate::web::middleware::PAGE_POLICY;

use super::auth::Caller;
use super::error::ApiError;
use super::field::{Control, Field};
use super::render::{self, Line};
use super::{Body, Call, View, body};

mod curl;
pub mod frame;
mod input;
mod page_request;
mod steps;
mod token;

use frame::Frame;
use input::Input;
use page_request::PageRequest;
use steps::NextStep;
use token::DecodedToken;

/// One endpoint, for people.
#[derive(Template)]
#[template(path = "api/browsable.html")]
struct Page {
    frame: Frame,
    name: &'static str,
    description: &'static str,
    /// The methods that the form can be sent by.
    methods: &'static [Method],
    inputs: Vec<Input>,
    curl: String,
    /// Whether the page was only opened, so that the answer is just the error of an empty request.
    is_visit: bool,
    needs_token: bool,
    is_error: bool,
    message: String,
    status: String,
    headers: Vec<(String, String)>,
    lines: Vec<Line>,
    tokens: Vec<DecodedToken>,
    /// Possible next requests with the answer.
    steps: Vec<NextStep>,
}

/// Answers with a page.
pub async fn answer<V: View>(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let read = body::fields(request.headers(), &mut payload).await;
    let page_request = PageRequest::new::<V>(&app.config, &request, read.as_ref().ok());
    let method = page_request.method.clone();
    // Without the cookie: the page shows the answer, so a script could read a token that the cookie would hide from it.
    let call = Call { app: app.clone(), method, request: request.clone(), body: Body::Read(read), jar: None };
    let outcome = super::answer::<V>(call, &page_request.headers).await;

    let mut response = super::head::<V>(&app, &outcome).insert_header((header::VARY, "Accept, Cookie")).finish();
    let page = Page::new::<V>(&app, page_request, outcome, &response).await.render();
    if response.status() == StatusCode::NO_CONTENT {
        // The page itself is content, even if the answer has none. Django REST framework does the same.
        *response.status_mut() = StatusCode::OK;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    match page {
        Ok(page) => response.set_body(BoxBody::new(page)),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            response
        }
    }
}

impl Page {
    async fn new<V: View>(
        app: &App,
        request: PageRequest,
        outcome: Result<Value, ApiError>,
        response: &HttpResponse,
    ) -> Self {
        let is_error = outcome.is_err();
        let is_visit = is_error && request.is_visit;
        let body = outcome.unwrap_or_else(|error| error.body);
        let fields = form_fields::<V>(app);
        let method = if request.is_visit { &V::METHODS[0] } else { &request.method };
        let curl = curl::command(&app.config, method, &request, &fields);
        let mut inputs: Vec<_> = fields.into_iter().map(|field| Input::new(field, &request, &body)).collect();
        let is_refused = response.status() == StatusCode::UNAUTHORIZED && !is_visit;
        if is_refused && let Some(input) = refused_input(&mut inputs, &body) {
            input.errors.extend(error_of_request(&body));
        }
        let tokens = token::all(app, &request, &inputs, &body).await;
        let status = status_line(response.status());
        Self {
            name: V::NAME,
            description: V::DESCRIPTION,
            curl,
            methods: V::METHODS,
            message: if is_visit { String::new() } else { message(&status, is_error, &body, &tokens) },
            headers: shown_headers(response),
            lines: if body.is_null() { Vec::new() } else { render::lines(&body) },
            needs_token: V::Caller::NEEDS_TOKEN && response.status() == StatusCode::UNAUTHORIZED,
            steps: steps::of_answer(&request, &body),
            frame: request.frame,
            inputs,
            is_visit,
            is_error,
            status,
            tokens,
        }
    }
}

/// The fields of the view's form, with the access token if the view needs one.
fn form_fields<V: View>(app: &App) -> Vec<Field> {
    let access = V::Caller::NEEDS_TOKEN.then(input::access_token);
    access.into_iter().chain(V::form(&app.config)).collect()
}

/// The input whose value was refused.
fn refused_input<'a>(inputs: &'a mut [Input], body: &Value) -> Option<&'a mut Input> {
    let is_refused = |input: &Input| match body.get("code").and_then(Value::as_str) {
        Some("challenge_not_valid") => input.field.name == "challenge",
        Some("second_factor_not_valid") => input.field.name == "code",
        // The access token if there is one, else the token that the endpoint is about.
        _ => input.field.control == Control::Token,
    };
    inputs.iter_mut().find(|input| is_refused(input))
}

fn status_line(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

/// The result in one sentence.
fn message(status: &str, is_error: bool, body: &Value, tokens: &[DecodedToken]) -> String {
    let answered: Vec<_> = tokens.iter().filter(|token| !token.is_sent).map(|token| token.name).collect();
    if let Some(error) = error_of_request(body) {
        format!("{status}: {error}")
    } else if is_error {
        format!("{status}: look at the marked fields.")
    } else if answered.is_empty() {
        format!("{status}.")
    } else {
        format!("{status}, with {}.", answered.join(" and "))
    }
}

/// The error of the request as a whole.
fn error_of_request(body: &Value) -> Option<String> {
    let text = body.get("detail").or_else(|| body.get("non_field_errors")?.get(0))?;
    text.as_str().map(str::to_owned)
}

/// The headers of the JSON answer, as Django REST framework shows them.
fn shown_headers(response: &HttpResponse) -> Vec<(String, String)> {
    let value = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut shown: Vec<_> =
        response.headers().iter().map(|(name, line)| (title_case(name.as_str()), value(line))).collect();
    if response.status() != StatusCode::NO_CONTENT {
        shown.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    shown.sort();
    shown
}

/// `www-authenticate` as people write it.
pub fn title_case(name: &str) -> String {
    let word = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) if word != "www" => first.to_uppercase() + rest,
        _ => word.to_uppercase(),
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
