//! `/admin/login/second-factor/`: the second step of a login to the panel. The challenge stands in the form, so nobody is
//! logged in before it is answered. The form is in `second_step`.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use secrecy::SecretString;

use super::csrf::{self, CsrfForm};
use super::error::PageError;
use super::layout::{Solo, html, see};
use super::session::Visit;
use super::{access, address, browser, confirm};
use crate::db::users::User;
use crate::factors::answer::AnswerError;
use crate::factors::panel_login;
use crate::factors::panel_login::LoggedIn;
use crate::journal::authentication::{AuthenticatedBy, Method};
use crate::web::second_step::{Fields, RememberBox, StepForm, WaitingLogin};

#[derive(Template)]
#[template(path = "admin/second_factor.html")]
struct Page {
    solo: Solo,
    step: StepForm,
}

fn waiting(visit: &Visit, challenge: SecretString, next: &str, is_ticked: bool) -> WaitingLogin {
    WaitingLogin {
        app: visit.app.clone(),
        client: visit.client.clone(),
        challenge,
        login: address::LOGIN,
        next: next.to_owned(),
        csrf: Some(csrf::token(visit)),
        remember: browser::lives(&visit.app.config).map(|lives| RememberBox { lives, is_ticked }),
    }
}

fn show(visit: &Visit, next: &str, step: Result<StepForm, AnswerError>) -> Result<HttpResponse, PageError> {
    let step = match step {
        Ok(step) => step,
        Err(AnswerError::Db(error)) => return Err(error.into()),
        // It timed out, or too many codes were wrong.
        Err(_) => return Ok(see(&address::login(next))),
    };
    let page = Page { solo: Solo::new(visit), step };
    let mut response = html(StatusCode::OK, page.render()?);
    page.step.delay(&mut response);
    Ok(response)
}

/// Asks for the second factor after the correct password.
pub async fn ask(
    visit: &Visit,
    challenge: SecretString,
    methods: Vec<Method>,
    next: &str,
) -> Result<HttpResponse, PageError> {
    show(visit, next, waiting(visit, challenge, next, false).ask(methods).await)
}

/// `POST login/second-factor/`
pub async fn answer(
    request: HttpRequest,
    session: Session,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let visit = access::visit(&request)?;
    let (next, is_remembered) = (address::local(&fields.next), !fields.remember.is_empty());
    let waiting = waiting(&visit, fields.challenge.as_str().into(), next, is_remembered);
    if let Some(method) = fields.other_method() {
        return show(&visit, next, waiting.change_method(&fields.methods, method).await);
    }
    match panel_login::finish(&visit.app, fields.answer(), is_remembered, &visit.client).await {
        Ok(LoggedIn { user, by, browser }) => {
            log_in(&visit, &session, user, by)?;
            let mut answer = see(next);
            if let Some(token) = browser {
                let added = answer.add_cookie(&browser::cookie(&visit, &token));
                added.map_err(|_| PageError::Other("the cookie is not a valid header"))?;
            }
            Ok(answer)
        }
        Err(error) => show(&visit, next, waiting.refuse(fields.methods(), error).await),
    }
}

fn log_in(visit: &Visit, session: &Session, user: User, opened: AuthenticatedBy) -> Result<(), PageError> {
    // The rights may have been taken away since the password was checked.
    if !visit.app.may_open_panel(&user) {
        return Err(PageError::NotStaff);
    }
    session.clear();
    session.renew();
    confirm::remember(session, visit.app.now())?;
    visit.log_in(user, opened);
    Ok(())
}
