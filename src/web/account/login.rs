//! `/account/login/` logs users in to the account pages, `/account/logout/` logs them out. Between the two steps of a login
//! the challenge stands in the form, so nobody is logged in before it is answered.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::Deserialize;

use super::credentials::{WRONG, log_in, username_field};
use super::error::AccountError;
use super::page::{Form, NoFields, OwnForm, Refusal, input, require};
use super::session::{self, CurrentUser, redirect};
use super::{LOGIN, RESET, place, second_factor};
use crate::accounts::account_session;
use crate::app::App;
use crate::factors::account_login;
use crate::factors::account_login::Step;
use crate::web::extract::Client;
use crate::web::form::Errors;

/// The query of the login page.
#[derive(Deserialize)]
pub struct LoginQuery {
    /// Where the login leads.
    #[serde(default)]
    next: String,
    /// Set where an earlier login timed out.
    again: Option<String>,
}

const TIMED_OUT: &str = "That took too long, or too many codes were wrong. Log in again.";

/// The fields of the first form.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Fields {
    username: String,
    password: String,
    next: String,
}

/// `GET login/`: users who are logged in already are sent on.
pub async fn form(
    app: Data<App>,
    Query(query): Query<LoginQuery>,
    current: Option<CurrentUser>,
) -> Result<HttpResponse, AccountError> {
    let next = place(&query.next);
    let refusal = query.again.map(|_| Refusal::alert(TIMED_OUT)).unwrap_or_default();
    if current.is_some() { Ok(redirect(next)) } else { show(&app, "", next, &refusal) }
}

/// `GET login/second-factor/`: a reload of a page that only a form leads to.
pub async fn again() -> HttpResponse {
    redirect(LOGIN)
}

fn show(app: &App, username: &str, next: &'static str, refusal: &Refusal) -> Result<HttpResponse, AccountError> {
    let errors = &refusal.errors;
    let mut inputs =
        vec![username_field(app, username, errors), input("password", "Password", "current-password", errors)];
    // After a refusal the password has to be typed again.
    inputs[usize::from(!username.is_empty())].has_focus = true;
    let form = Form {
        title: "Log in to your account",
        lede: "Manage your password and devices. You’ll be logged out here after 15 minutes.".to_owned(),
        action: LOGIN,
        next,
        button: "Log in",
        links: vec![(RESET, "Forgotten your password?")],
        ..Form::new(&app.config, refusal, inputs)
    };
    form.show()
}

/// `POST login/`
pub async fn password(
    app: Data<App>,
    client: Client,
    OwnForm(fields): OwnForm<Fields>,
) -> Result<HttpResponse, AccountError> {
    let next = place(&fields.next);
    let mut errors = Errors::default();
    require(&mut errors, &[("username", &fields.username), ("password", &fields.password)]);
    if !errors.is_empty() {
        return show(&app, &fields.username, next, &errors.into());
    }
    let Some((user, _)) = log_in(&app, &client, &fields.username, &fields.password).await? else {
        return show(&app, &fields.username, next, &Refusal::alert(WRONG));
    };
    match account_login::begin(&app, &user, &client).await? {
        Step::In(token) => Ok(session::start(&app, &token, next)),
        Step::Factor(challenge, methods) => second_factor::ask(&app, &client, (challenge, methods), next).await,
    }
}

/// `POST logout/`
pub async fn log_out(current: CurrentUser, _: OwnForm<NoFields>) -> Result<HttpResponse, AccountError> {
    account_session::end(&current.app, current.session).await?;
    Ok(session::end(&current.app.config, LOGIN))
}
