//! `/account/login/second-factor/`: the second step of the login to the account pages. The form is in `second_step`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use secrecy::SecretString;

use super::error::AccountError;
use super::page::{OwnForm, scripted};
use super::{LOGIN, LOGIN_AGAIN, place, session};
use crate::app::App;
use crate::factors::account_login;
use crate::factors::answer::AnswerError;
use crate::journal::authentication::Method;
use crate::web::extract::Client;
use crate::web::second_step::{Fields, StepForm, WaitingLogin};

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct Page<'a> {
    site: &'a str,
    step: StepForm,
}

fn waiting(app: &Data<App>, client: &Client, challenge: SecretString, next: &str) -> WaitingLogin {
    let (app, client, next) = (app.clone(), client.clone(), place(next).to_owned());
    WaitingLogin { app, client, challenge, login: LOGIN, next, csrf: None, remember: None }
}

fn show(app: &App, step: Result<StepForm, AnswerError>) -> Result<HttpResponse, AccountError> {
    let step = match step {
        Ok(step) => step,
        // It timed out, or too many codes were wrong.
        Err(AnswerError::NoChallenge) => return Ok(session::redirect(LOGIN_AGAIN)),
        Err(error) => return Err(AccountError::of_answer(error)),
    };
    let page = Page { site: &app.config.mail.site_name, step };
    let mut response = scripted(page.render()?);
    page.step.delay(&mut response);
    Ok(response)
}

/// Asks for the second factor after the correct password.
pub async fn ask(
    app: &Data<App>,
    client: &Client,
    (challenge, methods): (SecretString, Vec<Method>),
    next: &'static str,
) -> Result<HttpResponse, AccountError> {
    show(app, waiting(app, client, challenge, next).ask(methods).await)
}

/// `POST login/second-factor/`
pub async fn answer(
    app: Data<App>,
    client: Client,
    OwnForm(fields): OwnForm<Fields>,
) -> Result<HttpResponse, AccountError> {
    let waiting = waiting(&app, &client, fields.challenge.as_str().into(), &fields.next);
    if let Some(method) = fields.other_method() {
        return show(&app, waiting.change_method(&fields.methods, method).await);
    }
    match account_login::finish(&app, fields.answer(), &client).await {
        Ok(token) => Ok(session::start(&app, &token, place(&fields.next))),
        Err(error) => show(&app, waiting.refuse(fields.methods(), error).await),
    }
}
