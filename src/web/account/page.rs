//! The parts of the account pages: a form, a notice, a question, and the fields that a form sends. The templates are in
//! `templates/account/`.

use std::pin::Pin;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Payload, Query};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev};
use askama::Template;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::AccountError;
use crate::accounts::policy::{self, PasswordRule};
use crate::accounts::user::FieldError;
use crate::app::App;
use crate::config::Config;
use crate::web::api::body;
use crate::web::form::{Errors, Input};
use crate::web::middleware::PANEL_POLICY;
use crate::web::origin::is_same_origin;

/// An address and the text of its link.
pub type Link = (&'static str, &'static str);

/// A page with a form.
#[derive(Template, Default)]
#[template(path = "account/form.html")]
pub struct Form {
    /// The site's name.
    pub site: String,
    /// The headline.
    pub title: &'static str,
    /// The sentence below the headline.
    pub lede: String,
    /// Where the form is sent.
    pub action: &'static str,
    /// The token of the link in a mail.
    pub token: String,
    /// Where a login leads.
    pub next: &'static str,
    /// The user whose password it is, for password managers.
    pub username: Option<String>,
    /// The fields.
    pub fields: Vec<Input>,
    /// The rules for a new password.
    pub rules: Vec<PasswordRule>,
    /// The text of the button.
    pub button: &'static str,
    /// Links below the form.
    pub links: Vec<Link>,
    /// An error that belongs to no field.
    pub alert: Option<&'static str>,
    /// The errors of the fields: id, label, text.
    pub errors: Vec<(String, &'static str, String)>,
}

/// Why a form is shown again.
#[derive(Default)]
pub struct Refusal {
    /// The errors of its fields.
    pub errors: Errors,
    /// An error that belongs to no field.
    pub alert: Option<&'static str>,
}

impl Refusal {
    /// An error that belongs to no field.
    pub fn alert(text: &'static str) -> Self {
        Self { alert: Some(text), ..Self::default() }
    }
}

impl From<Errors> for Refusal {
    fn from(errors: Errors) -> Self {
        Self { errors, alert: None }
    }
}

/// A page that says what happened.
#[derive(Template, Default)]
#[template(path = "account/notice.html")]
pub struct Notice {
    /// The site's name.
    pub site: String,
    /// Whether something failed.
    pub is_failure: bool,
    /// The headline.
    pub title: String,
    /// What happened.
    pub text: String,
    /// What to do next.
    pub advice: String,
    /// Links below the text.
    pub links: Vec<Link>,
}

impl Form {
    /// A form with these fields and the errors of the last attempt.
    pub fn new(config: &Config, refusal: &Refusal, fields: Vec<Input>) -> Self {
        let labels: Vec<_> = fields.iter().map(|field| (field.name, field.label)).collect();
        let (site, errors) = (config.mail.site_name.clone(), refusal.errors.summary(&labels));
        Self { site, alert: refusal.alert, errors, fields, ..Self::default() }
    }

    /// Renders the page.
    pub fn show(&self) -> Result<HttpResponse, AccountError> {
        Ok(html(StatusCode::OK, self.render()?))
    }
}

impl Notice {
    /// A notice with a headline and a sentence.
    pub fn new(config: &Config, title: &str, text: String) -> Self {
        Self { site: config.mail.site_name.clone(), title: title.to_owned(), text, ..Self::default() }
    }

    /// Renders the page.
    pub fn show(&self, status: StatusCode) -> Result<HttpResponse, AccountError> {
        Ok(html(status, self.render()?))
    }
}

/// A page that asks before something is changed.
#[derive(Template)]
#[template(path = "account/question.html")]
pub struct Question<'a> {
    /// The site's name.
    pub site: &'a str,
    /// The headline.
    pub title: &'static str,
    /// What will happen.
    pub consequences: Vec<String>,
    /// Where the form is sent.
    pub action: String,
    /// The text of the button.
    pub button: &'static str,
}

impl Question<'_> {
    /// Renders the page.
    pub fn show(&self) -> Result<HttpResponse, AccountError> {
        Ok(html(StatusCode::OK, self.render()?))
    }
}

/// A page with the script for passkeys.
pub fn scripted(body: String) -> HttpResponse {
    let mut page = html(StatusCode::OK, body);
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PANEL_POLICY));
    page
}

/// An answer with an HTML page.
pub fn html(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body)
}

/// A required field.
pub fn input(name: &'static str, label: &'static str, autocomplete: &'static str, errors: &Errors) -> Input {
    let kind = match autocomplete {
        "current-password" | "new-password" => "password",
        "email" => "email",
        _ => "text",
    };
    Input { name, label, kind, autocomplete, is_required: true, error: errors.of(name), ..Input::default() }
}

/// The two fields of a new password.
pub fn new_password(errors: &Errors) -> [Input; 2] {
    [
        input("password1", "New password", "new-password", errors),
        input("password2", "New password (again)", "new-password", errors),
    ]
}

/// The rules for a new password of an unknown user.
pub fn rules(app: &App) -> Vec<PasswordRule> {
    policy::rules(&app.config, false)
}

const REQUIRED: &str = "This field is required.";
const MISMATCH: &str = "The two password fields didn’t match.";

/// The new password, typed twice. White space around it is not part of it, as in a login over the API.
pub fn read_new_password(errors: &mut Errors, first: &str, second: &str) -> SecretString {
    require(errors, &[("password1", first), ("password2", second)]);
    if !first.trim().is_empty() && !second.trim().is_empty() && first != second {
        errors.add("password2", MISMATCH);
    }
    SecretString::from(first.trim())
}

/// Adds an error for each of these fields that is empty.
pub fn require(errors: &mut Errors, fields: &[(&'static str, &str)]) {
    for (name, text) in fields {
        if text.trim().is_empty() {
            errors.add(name, REQUIRED);
        }
    }
}

/// Errors of a new password are shown at the first of its two fields.
pub fn of_new_password(errors: Vec<FieldError>) -> Errors {
    Errors::new(errors.into_iter().map(|error| FieldError { field: "password1", ..error }).collect())
}

/// The token of a link in a mail.
#[derive(Deserialize)]
pub struct LinkToken {
    /// As it was sent.
    #[serde(default)]
    pub token: String,
}

/// A form without fields.
#[derive(Deserialize)]
pub struct NoFields {}

/// The fields of a form that was sent from one of our pages, as far as the browser says.
pub struct OwnForm<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for OwnForm<T> {
    type Error = AccountError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AccountError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let payload = Payload::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let app = request.app_data::<Data<App>>().ok_or(AccountError::Forged)?;
            // The cookie's `SameSite` keeps forms of other sites out already; this is a second check.
            if !is_same_origin(request.headers(), &app.config.server.public_url) {
                return Err(AccountError::Forged);
            }
            let mut payload = payload.await.map_err(|_| AccountError::BadForm)?;
            let body = body::read(&mut payload).await.map_err(|_| AccountError::BadForm)?;
            let body = std::str::from_utf8(&body).map_err(|_| AccountError::BadForm)?;
            let form = Query::<T>::from_query(body).map_err(|_| AccountError::BadForm)?;
            Ok(Self(form.into_inner()))
        })
    }
}
