//! Logging in and out of the panel, and choosing its theme. `App::may_open_panel` decides who may log in.

use actix_session::Session;
use actix_web::cookie::time::Duration;
use actix_web::http::{StatusCode, header};
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use secrecy::SecretString;
use serde::Deserialize;

use super::access::{self, Staff};
use super::csrf::{CsrfForm, NoFields};
use super::error::PageError;
use super::layout::{Solo, Theme, html, page, see};
use super::session::Visit;
use super::{address, browser, confirm, second_factor};
use crate::accounts::login::{Credentials, LoginError, authenticate};
use crate::factors::panel_login::{self, Step};
use crate::journal::failed_login;
use crate::web::account;

const REQUIRED: &str = "This field is required.";

/// The page that the login leads to.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "admin/login.html")]
struct LoginForm {
    solo: Solo,
    /// The label of the username field.
    label: &'static str,
    username: String,
    next: String,
    /// The error above the form.
    error: Option<String>,
    username_error: Option<&'static str>,
    password_error: Option<&'static str>,
}

impl LoginForm {
    fn new(visit: &Visit, username: String, next: &str) -> Self {
        Self {
            solo: Solo::new(visit),
            label: label(visit),
            username,
            next: next.to_owned(),
            error: None,
            username_error: None,
            password_error: None,
        }
    }
}

fn label(visit: &Visit) -> &'static str {
    visit.app.config.user_table.found.login_label
}

/// `GET login/`: the form; users who are logged in already are sent on.
pub async fn form(request: HttpRequest) -> Result<HttpResponse, PageError> {
    let visit = access::visit(&request)?;
    let next = Query::<Next>::from_query(request.query_string()).map(|query| query.into_inner().next);
    let next = next.unwrap_or_default();
    if Staff::of(&visit, None).is_ok() {
        return Ok(see(address::local(&next)));
    }
    page(&LoginForm::new(&visit, String::new(), address::local(&next)))
}

/// `POST login/`
pub async fn log_in(
    request: HttpRequest,
    session: Session,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let visit = access::visit(&request)?;
    let next = address::local(&fields.next);
    let username = fields.username.trim();
    let mut form = LoginForm::new(&visit, username.to_owned(), next);
    form.username_error = username.is_empty().then_some(REQUIRED);
    form.password_error = fields.password.is_empty().then_some(REQUIRED);
    if form.username_error.is_some() || form.password_error.is_some() {
        return page(&form);
    }
    let credentials = Credentials { login: username.to_owned(), password: SecretString::from(fields.password) };
    let refused = |mut form: LoginForm| {
        form.error = Some(refusal(&visit));
        Ok(html(StatusCode::OK, form.render()?))
    };
    let user = match authenticate(&visit.app, credentials, &visit.client).await {
        Ok(user) if visit.app.may_open_panel(&user) => user,
        // The same answer as for a wrong password, so that it reveals nothing to users who are not staff.
        Ok(user) => {
            failed_login::note(&visit.app, &visit.client, &user).await?;
            return refused(form);
        }
        Err(LoginError::NoActiveAccount) => return refused(form),
        Err(LoginError::Throttled(wait)) => return Err(PageError::Throttled(wait)),
        Err(LoginError::Busy) => return Err(PageError::Busy),
        Err(LoginError::Db(error)) => return Err(error.into()),
    };
    let opened = match panel_login::begin(&visit.app, &user, browser::token(&request), &visit.client).await? {
        Step::In(opened) => opened,
        Step::Factor(challenge, methods) => return second_factor::ask(&visit, challenge, methods, next).await,
        // The account pages let the user add a second factor first.
        Step::Enrolment => return Ok(account::enter(&visit.app, &user, &visit.client).await?),
    };
    // A new login gets a new key; nothing of an earlier session remains.
    session.clear();
    session.renew();
    confirm::remember(&session, visit.app.now())?;
    visit.log_in(user, opened);
    Ok(see(next))
}

fn refusal(visit: &Visit) -> String {
    format!(
        "Please enter the correct {} and password for a staff account. Note that both fields may be case-sensitive.",
        label(visit).to_lowercase()
    )
}

/// `POST logout/`: also for users who may not open the panel.
pub async fn log_out(session: Session, _: CsrfForm<NoFields>) -> HttpResponse {
    session.purge();
    see(address::LOGIN)
}

/// `GET logout/`: a link must not log users out.
pub async fn stay() -> HttpResponse {
    see(address::HOME)
}

/// The fields of the theme form.
#[derive(Deserialize)]
pub struct Choice {
    #[serde(default)]
    theme: String,
    #[serde(default)]
    next: String,
}

/// `POST theme/`: remembers the theme in this browser for a year.
pub async fn theme(staff: Staff, CsrfForm(choice): CsrfForm<Choice>) -> HttpResponse {
    let theme = Theme::of(&choice.theme);
    let mut cookie = staff.visit.cookie(Theme::COOKIE, theme.name().to_owned());
    cookie.set_max_age(Duration::days(365));
    HttpResponse::SeeOther().insert_header((header::LOCATION, address::local(&choice.next))).cookie(cookie).finish()
}
