//! What the API answers to a client with this token. The API's own error type makes the statuses and bodies.

use serde_json::{Value, json};

use crate::app::App;
use crate::tokens::RefreshError;
use crate::tokens::claims::Kind;
use crate::tokens::explain::Explanation;
use crate::tokens::explain::trial::Trial;
use crate::tokens::explain::usage::{Refusal, Usage};
use crate::web::api::error::ApiError;
use crate::web::api::render::{self, Line};

/// An answer of the API.
pub struct ClientAnswer {
    /// `POST /api/token/refresh/`
    pub request: &'static str,
    /// `401`
    pub status: u16,
    /// The body; empty where each endpoint has its own.
    pub body: Vec<Line>,
    /// A remark on the body.
    pub note: &'static str,
}

/// The answers for each use of such a token.
pub fn of(app: &App, token: Explanation) -> Vec<ClientAnswer> {
    let is_other = matches!(token.kind, Some(Kind::Access | Kind::Refresh));
    let is_word = token.is_word;
    token
        .trials
        .into_iter()
        .filter(|trial| !(is_other && trial.usage == Usage::SlidingRefresh))
        .filter(|trial| is_word || trial.usage != Usage::Request)
        .map(|trial| ClientAnswer::new(app, trial))
        .collect()
}

impl ClientAnswer {
    fn new(app: &App, trial: Trial) -> Self {
        let (request, good, note) = match trial.usage {
            Usage::Refresh if !app.config.jwt.rotate_refresh_tokens => {
                ("POST /api/token/refresh/", json!({"access": "…"}), "The dots stand for a new token.")
            }
            Usage::Refresh => {
                ("POST /api/token/refresh/", json!({"access": "…", "refresh": "…"}), "The dots stand for new tokens.")
            }
            Usage::SlidingRefresh => {
                ("POST /api/token/sliding/refresh/", json!({"token": "…"}), "The dots stand for a new token.")
            }
            Usage::Verify => ("POST /api/token/verify/", json!({}), ""),
            Usage::Request => ("GET /api/me/", Value::Null, "The endpoint answers, because it knows the caller."),
        };
        match trial.refusal {
            None => {
                let body = if good.is_null() { Vec::new() } else { render::lines(&good) };
                Self { request, status: 200, body, note }
            }
            Some(refusal) => {
                let error = refused(trial.usage, refusal);
                let (status, body) = (error.status.as_u16(), render::lines(&error.body));
                Self { request, status, body, note: "" }
            }
        }
    }
}

/// The error that the endpoint for this use answers.
fn refused(usage: Usage, refusal: Refusal) -> ApiError {
    match (usage, refusal) {
        (Usage::Verify, Refusal::Token(error)) => ApiError::from_verify(error),
        (_, Refusal::Auth(error)) => error.into(),
        (_, refusal) => RefreshError::from(refusal).into(),
    }
}
