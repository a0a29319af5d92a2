//! `/admin/login/second-factor/`: the second step of a login to the panel. The challenge stands in the form, so nobody is
//! logged in before it is answered.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::access;
use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Solo, html, see};
use super::session::Visit;
use super::{address, confirm};
use crate::accounts::second_factor::answer::{Answer, AnswerError, Given};
use crate::accounts::second_factor::{Kind, Method, mail, panel};

/// The methods whose answer is a code, in the order in which they are offered.
const CODES: [Method; 3] = [Method::Factor(Kind::Totp), Method::Factor(Kind::Email), Method::Recovery];

/// What the form sends.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(default)]
    challenge: String,
    /// How it can be answered, with commas.
    #[serde(default)]
    methods: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
    /// Pressed where a code is to be mailed.
    #[serde(default)]
    send: String,
}

#[derive(Template)]
#[template(path = "admin/second_factor.html")]
struct Step {
    solo: Solo,
    challenge: String,
    methods: Vec<Method>,
    chosen: Method,
    next: String,
    sent: bool,
    error: Option<&'static str>,
}

impl Step {
    fn can_mail(&self) -> bool {
        self.methods.contains(&Method::Factor(Kind::Email))
    }

    fn names(&self) -> String {
        self.methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(",")
    }

    /// Those that a form without scripts can take.
    fn codes(&self) -> impl Iterator<Item = (Method, &'static str)> {
        let words = |method| match method {
            Method::Factor(Kind::Totp) => "Code of your authenticator app",
            Method::Factor(Kind::Email) => "Code from a mail",
            _ => "Recovery code",
        };
        CODES.into_iter().filter(|method| self.methods.contains(method)).map(move |method| (method, words(method)))
    }
}

/// Asks for the factor, after the right password.
pub fn ask(
    visit: &Visit,
    challenge: &SecretString,
    methods: Vec<Method>,
    next: &str,
) -> Result<HttpResponse, PageError> {
    let chosen = CODES.into_iter().find(|method| methods.contains(method)).unwrap_or(Method::Recovery);
    let challenge = challenge.expose_secret().to_owned();
    let step =
        Step { solo: Solo::new(visit), challenge, methods, chosen, next: next.to_owned(), sent: false, error: None };
    Ok(html(StatusCode::OK, step.render()?))
}

/// `POST login/second-factor/`
pub async fn answer(
    request: HttpRequest,
    session: Session,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let visit = access::visit(&request)?;
    let next = address::local(&fields.next);
    let challenge = SecretString::from(fields.challenge.clone());
    let method = Method::of(&fields.method).filter(|method| CODES.contains(method)).unwrap_or(Method::Recovery);
    let methods: Vec<_> = fields.methods.split(',').filter_map(Method::of).collect();
    let again = |chosen, sent, error| {
        let (solo, challenge, methods) = (Solo::new(&visit), fields.challenge.clone(), methods.clone());
        let step = Step { solo, challenge, methods, chosen, next: next.to_owned(), sent, error };
        Ok(html(StatusCode::OK, step.render()?))
    };
    if !fields.send.is_empty() {
        return match mail::send(&visit.app, challenge, &visit.client).await {
            Ok(()) => again(Method::Factor(Kind::Email), true, None),
            Err(AnswerError::Throttled(wait)) => Err(PageError::Throttled(wait)),
            Err(AnswerError::Db(error)) => Err(error.into()),
            Err(AnswerError::NoChallenge | AnswerError::Wrong) => Ok(see(&address::login(next))),
        };
    }
    let given = Given::Code(SecretString::from(fields.code.clone()));
    match panel::finish(&visit.app, Answer { challenge, method, given }, &visit.client).await {
        // Between the password and this the rights may be gone.
        Ok(user) if access::may_view(&visit.app, &user) => {
            session.clear();
            session.renew();
            confirm::remember(&session, visit.app.now())?;
            visit.log_in(user);
            Ok(see(next))
        }
        Ok(_) => Err(PageError::NotStaff),
        Err(AnswerError::Wrong) => again(method, false, Some("The code is wrong or was used before. Try another one.")),
        // Too old, or dead after too many wrong codes: from the start.
        Err(AnswerError::NoChallenge) => Ok(see(&address::login(next))),
        Err(AnswerError::Throttled(wait)) => Err(PageError::Throttled(wait)),
        Err(AnswerError::Db(error)) => Err(error.into()),
    }
}
