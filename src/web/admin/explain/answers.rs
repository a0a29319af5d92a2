//! What a client gets for a token: the statuses and bodies of the API, made by the API's own error type.

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
    /// Its body; none where it is the endpoint's own.
    pub body: Vec<Line>,
    /// What is to be said of the body.
    pub note: &'static str,
}

/// The answers to what such a token may be used for.
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
                ("POST /api/token/refresh/", json!({"access": "…"}), "A new token stands in the place of the dots.")
            }
            Usage::Refresh => (
                "POST /api/token/refresh/",
                json!({"access": "…", "refresh": "…"}),
                "New tokens stand in the places of the dots.",
            ),
            Usage::SlidingRefresh => (
                "POST /api/token/sliding/refresh/",
                json!({"token": "…"}),
                "A new token stands in the place of the dots.",
            ),
            Usage::Verify => ("POST /api/token/verify/", json!({}), ""),
            Usage::Request => ("GET /api/me/", Value::Null, "The endpoint answers: the caller is known."),
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

/// The error as the view of that use would answer it.
fn refused(usage: Usage, refusal: Refusal) -> ApiError {
    match (usage, refusal) {
        (Usage::Verify, Refusal::Token(error)) => ApiError::from_verify(error),
        (_, Refusal::Auth(error)) => error.into(),
        (_, refusal) => RefreshError::from(refusal).into(),
    }
}
