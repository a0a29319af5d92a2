//! What the pages of users are made of: a form, or a word about what happened; and the form as it comes back. Both
//! templates are in `templates/account/`.

use std::pin::Pin;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Payload, Query};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev};
use askama::Template;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::trouble::Trouble;
use crate::accounts::policy::{self, PasswordRule};
use crate::accounts::user::FieldError;
use crate::app::App;
use crate::config::Config;
use crate::web::api::body;
use crate::web::form::{Errors, Input};
use crate::web::middleware::PANEL_POLICY;
use crate::web::origin::is_same_origin;

/// An address and what it is called.
pub type Way = (&'static str, &'static str);

/// A page with a form.
#[derive(Template, Default)]
#[template(path = "account/form.html")]
pub struct Form {
    /// The site's name.
    pub site: String,
    /// The headline.
    pub title: &'static str,
    /// Below it.
    pub lede: String,
    /// Where the form is sent.
    pub action: &'static str,
    /// The token of a link.
    pub token: String,
    /// Where a login leads.
    pub next: &'static str,
    /// Whose the passwords are, for keepers of passwords.
    pub username: Option<String>,
    /// What is asked for.
    pub fields: Vec<Input>,
    /// What a new password has to be.
    pub rules: Vec<PasswordRule>,
    /// The button.
    pub button: &'static str,
    /// What else could be done.
    pub ways: Vec<Way>,
    /// What is wrong with the whole.
    pub alert: Option<&'static str>,
    /// What is wrong with which field: id, label, text.
    pub errors: Vec<(String, &'static str, String)>,
}

/// A page that says what happened.
#[derive(Template, Default)]
#[template(path = "account/said.html")]
pub struct Said {
    /// The site's name.
    pub site: String,
    /// Whether it is a failure.
    pub is_bad: bool,
    /// The headline.
    pub title: String,
    /// What it means.
    pub text: String,
    /// What to know besides.
    pub advice: String,
    /// What could be done now.
    pub ways: Vec<Way>,
}

impl Form {
    /// The site, and what was wrong with the last try.
    pub fn new(config: &Config, errors: &Errors, fields: Vec<Input>) -> Self {
        let labels: Vec<_> = fields.iter().map(|field| (field.name, field.label)).collect();
        Self { site: config.mail.site_name.clone(), errors: errors.summary(&labels), fields, ..Self::default() }
    }

    /// The page, also when it is shown again.
    pub fn show(&self) -> Result<HttpResponse, Trouble> {
        Ok(html(StatusCode::OK, self.render()?))
    }
}

impl Said {
    /// With a headline and a sentence.
    pub fn new(config: &Config, title: &str, text: String) -> Self {
        Self { site: config.mail.site_name.clone(), title: title.to_owned(), text, ..Self::default() }
    }

    /// The page.
    pub fn show(&self, status: StatusCode) -> Result<HttpResponse, Trouble> {
        Ok(html(status, self.render()?))
    }
}

/// A page that asks before something is done.
#[derive(Template)]
#[template(path = "account/question.html")]
pub struct Question<'a> {
    /// The site's name.
    pub site: &'a str,
    /// The headline.
    pub title: &'static str,
    /// What happens then.
    pub goes: Vec<String>,
    /// Where the form is sent.
    pub action: String,
    /// The button.
    pub button: &'static str,
}

impl Question<'_> {
    /// The page.
    pub fn show(&self) -> Result<HttpResponse, Trouble> {
        Ok(html(StatusCode::OK, self.render()?))
    }
}

/// A page with the script of passkeys.
pub fn scripted(body: String) -> HttpResponse {
    let mut page = html(StatusCode::OK, body);
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PANEL_POLICY));
    page
}

/// An answer with HTML in it.
pub fn html(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body)
}

/// A field that has to be filled in.
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
        input("password2", "New password, again", "new-password", errors),
    ]
}

/// What a new password has to be, where it is not known whose it is.
pub fn rules(app: &App) -> Vec<PasswordRule> {
    policy::rules(&app.config, false)
}

const REQUIRED: &str = "This field is required.";
const MISMATCH: &str = "The two password fields didn’t match.";

/// The new password, typed twice. White space around it is no part of it, as in a login over the API.
pub fn read_new_password(errors: &mut Errors, first: &str, second: &str) -> SecretString {
    require(errors, &[("password1", first), ("password2", second)]);
    if !first.trim().is_empty() && !second.trim().is_empty() && first != second {
        errors.add("password2", MISMATCH);
    }
    SecretString::from(first.trim())
}

/// These may not be empty.
pub fn require(errors: &mut Errors, fields: &[(&'static str, &str)]) {
    for (name, text) in fields {
        if text.trim().is_empty() {
            errors.add(name, REQUIRED);
        }
    }
}

/// What `accounts` says of a new password stands at the first of its two fields.
pub fn of_new_password(faults: Vec<FieldError>) -> Errors {
    Errors::new(faults.into_iter().map(|fault| FieldError { field: "password1", ..fault }).collect())
}

/// The token that a link brings.
#[derive(Deserialize)]
pub struct Link {
    /// As it stands in the address.
    #[serde(default)]
    pub token: String,
}

/// The fields of a form that was on one of our pages, as far as the browser says.
pub struct OwnForm<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for OwnForm<T> {
    type Error = Trouble;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Trouble>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let payload = Payload::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let app = request.app_data::<Data<App>>().ok_or(Trouble::Forged)?;
            // The cookie of a visit comes from no other site either (`SameSite`): this is the second lock.
            if !is_same_origin(request.headers(), &app.config.server.public_url) {
                return Err(Trouble::Forged);
            }
            let mut payload = payload.await.map_err(|_| Trouble::BadForm)?;
            let body = body::read(&mut payload).await.map_err(|_| Trouble::BadForm)?;
            let body = std::str::from_utf8(&body).map_err(|_| Trouble::BadForm)?;
            let form = Query::<T>::from_query(body).map_err(|_| Trouble::BadForm)?;
            Ok(Self(form.into_inner()))
        })
    }
}
