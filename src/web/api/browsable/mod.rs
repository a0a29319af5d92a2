//! The page that a browser gets: what it can send, what was answered, and every token in either of them decoded. Status
//! and headers are those of the JSON answer. `dispatch` comes here when a page is asked for; it works without scripts.

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
use super::render::{self, Line};
use super::{Body, Call, View, body};

mod curl;
mod form;
pub mod frame;
mod steps;
mod token;

use form::{Input, Kind, Sent};
use frame::Frame;
use steps::Step;
use token::Token;

/// One endpoint, for people.
#[derive(Template)]
#[template(path = "api/browsable.html")]
struct Page {
    frame: Frame,
    name: &'static str,
    description: &'static str,
    /// What the form can be sent by.
    methods: &'static [Method],
    inputs: Vec<Input>,
    curl: String,
    /// Whether somebody only opened the page, and the answer is the one that this gets everywhere.
    is_visit: bool,
    needs_token: bool,
    is_error: bool,
    message: String,
    status: String,
    headers: Vec<(String, String)>,
    lines: Vec<Line>,
    tokens: Vec<Token>,
    /// What one would do next with the answer.
    steps: Vec<Step>,
}

/// Answers with a page.
pub async fn answer<V: View>(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let read = body::fields(request.headers(), &mut payload).await;
    let sent = Sent::new(&app.config, &request, read.as_ref().ok(), V::METHODS);
    let method = sent.method.clone();
    // Without the cookie: a page shows what is answered, and a script could ask for one.
    let call = Call { app: app.clone(), method, request: request.clone(), body: Body::Read(read), jar: None };
    let outcome = super::answer::<V>(call, &sent.headers).await;

    let mut response = super::head::<V>(&app, &outcome).insert_header((header::VARY, "Accept, Cookie")).finish();
    let page = Page::new::<V>(&app, request.path(), &sent, outcome, &response).await.render();
    if response.status() == StatusCode::NO_CONTENT {
        // A page is content, also one about nothing; Django REST framework does the same.
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
        path: &str,
        sent: &Sent,
        outcome: Result<Value, ApiError>,
        response: &HttpResponse,
    ) -> Self {
        let is_error = outcome.is_err();
        let is_visit = is_error && sent.is_visit;
        let body = outcome.unwrap_or_else(|error| error.body);
        let mut names = V::form(&app.config);
        if V::Caller::NEEDS_TOKEN {
            names.insert(0, form::ACCESS_TOKEN);
        }
        let mut inputs: Vec<_> = names.iter().map(|name| Input::new(name, sent, &body)).collect();
        let is_refused = response.status() == StatusCode::UNAUTHORIZED && !is_visit;
        let is_at_fault = |input: &Input| match body.get("code").and_then(Value::as_str) {
            Some("challenge_not_valid") => input.name == "challenge",
            Some("second_factor_not_valid") => input.name == "code",
            // The access token where there is one, else the token that the endpoint is about.
            _ => input.kind == Kind::Token,
        };
        if let Some(input) = inputs.iter_mut().find(|input| is_refused && is_at_fault(input)) {
            input.errors.extend(fault(&body));
        }
        let frame = Frame::new(path);
        let tokens = token::all(app, &frame, &inputs, sent, &body).await;
        let status = status_line(response.status());
        let method = if sent.is_visit { &V::METHODS[0] } else { &sent.method };
        Self {
            name: V::NAME,
            description: V::DESCRIPTION,
            curl: curl::command(&app.config, method, path, &names, sent),
            methods: V::METHODS,
            message: if is_visit { String::new() } else { message(&status, is_error, &body, &tokens) },
            headers: shown_headers(response),
            lines: if body.is_null() { Vec::new() } else { render::lines(&body) },
            needs_token: V::Caller::NEEDS_TOKEN && response.status() == StatusCode::UNAUTHORIZED,
            steps: steps::of_answer(&frame, sent, &body),
            frame,
            inputs,
            is_visit,
            is_error,
            status,
            tokens,
        }
    }
}

fn status_line(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

/// What came of it, in one sentence.
fn message(status: &str, is_error: bool, body: &Value, tokens: &[Token]) -> String {
    let answered: Vec<_> = tokens.iter().filter(|token| !token.is_sent).map(|token| token.name).collect();
    if let Some(fault) = fault(body) {
        format!("{status}: {fault}")
    } else if is_error {
        format!("{status}: look at the marked fields.")
    } else if answered.is_empty() {
        format!("{status}.")
    } else {
        format!("{status}, with {}.", answered.join(" and "))
    }
}

/// What is wrong with the whole request.
fn fault(body: &Value) -> Option<String> {
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
