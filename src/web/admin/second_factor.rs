//! `/admin/login/second-factor/`: the second step of a login to the panel. The challenge stands in the form, so nobody is
//! logged in before it is answered. Each page with the question to a passkey makes the question before worthless.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::access;
use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Solo, html, see};
use super::session::Visit;
use super::words::length;
use super::{address, browser, confirm};
use crate::accounts::second_factor::answer::{Answer, AnswerError, Given};
use crate::accounts::second_factor::{Kind, Method, ask, mail, panel};
use crate::accounts::throttle::Wait;

const PASSKEY: Method = Method::Factor(Kind::Passkey);
const EMAIL: Method = Method::Factor(Kind::Email);

/// The methods whose answer is a code, in the order in which they are offered.
const CODES: [Method; 3] = [Method::Factor(Kind::Totp), EMAIL, Method::Recovery];

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
    /// The answer of a passkey, which the script fills in.
    #[serde(default)]
    credential: String,
    /// A box that is ticked.
    #[serde(default)]
    remember: String,
    #[serde(default)]
    next: String,
    /// Pressed where a code is to be mailed.
    #[serde(default)]
    send: String,
}

/// What is said above the form.
enum Said {
    Nothing,
    Sent,
    WrongCode,
    WrongPasskey,
    /// Nothing was looked at, and no mail was sent.
    Throttled(Wait),
}

#[derive(Template)]
#[template(path = "admin/second_factor.html")]
struct Step<'a> {
    solo: Solo,
    challenge: &'a str,
    methods: &'a [Method],
    /// What the browser is asked, as JSON, where there is a passkey that it can be asked for.
    passkey: Option<String>,
    chosen: Option<Method>,
    next: &'a str,
    said: Said,
    /// For how long a browser can be remembered, and whether the box is ticked.
    lives: Option<String>,
    remember: bool,
}

impl<'a> Step<'a> {
    async fn new(visit: &Visit, challenge: &'a str, methods: &'a [Method], next: &'a str) -> Result<Self, PageError> {
        let can_ask = methods.contains(&PASSKEY);
        let asked = if can_ask { ask::passkey(&visit.app, challenge.to_owned().into()).await } else { Err(AnswerError::NoChallenge) };
        let passkey = match asked {
            Ok(options) => Some(options.to_string()),
            Err(AnswerError::Db(error)) => return Err(error.into()),
            // Where there is nothing to ask for, codes are left.
            Err(_) => None,
        };
        let (solo, lives) = (Solo::new(visit), browser::lives(&visit.app.config));
        let chosen = CODES.into_iter().find(|method| methods.contains(method));
        Ok(Self { solo, challenge, methods, passkey, chosen, next, said: Said::Nothing, lives, remember: false })
    }

    fn can_mail(&self) -> bool {
        self.methods.contains(&EMAIL)
    }

    fn names(&self) -> String {
        self.methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(",")
    }

    /// The methods that a form without scripts can take, in words.
    fn codes(&self) -> Vec<(Method, &'static str)> {
        let words = |method| match method {
            Method::Factor(Kind::Totp) => "Code of your authenticator app",
            EMAIL => "Code from a mail",
            _ => "Recovery code",
        };
        let mine = CODES.into_iter().filter(|method| self.methods.contains(method));
        mine.map(|method| (method, words(method))).collect()
    }

    fn is_chosen(&self, method: &Method) -> bool {
        self.chosen == Some(*method)
    }

    /// The one that is left to choose from, if it is one.
    fn only_code(&self) -> Option<(Method, &'static str)> {
        match self.codes()[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Whether every code that can be given is one of digits.
    fn is_digits(&self) -> bool {
        !self.methods.contains(&Method::Recovery)
    }

    /// Whether nothing was given yet.
    fn is_fresh(&self) -> bool {
        matches!(self.said, Said::Nothing | Said::WrongPasskey)
    }

    fn is_sent(&self) -> bool {
        matches!(self.said, Said::Sent)
    }

    fn is_code_wrong(&self) -> bool {
        matches!(self.said, Said::WrongCode)
    }

    /// What is wrong, if something is.
    fn error(&self) -> Option<String> {
        match &self.said {
            Said::Nothing | Said::Sent => None,
            Said::WrongCode => Some("The code is wrong or was used before. Try another one.".to_owned()),
            Said::WrongPasskey => Some("The passkey was not accepted. Try again.".to_owned()),
            Said::Throttled(wait) => {
                Some(format!("Too many tries. This one was not looked at. Try again in {}.", length(wait.seconds())))
            }
        }
    }

    fn answer(self) -> Result<HttpResponse, PageError> {
        let Said::Throttled(wait) = &self.said else { return Ok(html(StatusCode::OK, self.render()?)) };
        let mut answer = html(StatusCode::TOO_MANY_REQUESTS, self.render()?);
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.seconds()));
        Ok(answer)
    }
}

/// Asks for the factor, after the right password.
pub async fn ask(
    visit: &Visit,
    challenge: &SecretString,
    methods: &[Method],
    next: &str,
) -> Result<HttpResponse, PageError> {
    Step::new(visit, challenge.expose_secret(), methods, next).await?.answer()
}

/// `POST login/second-factor/`
pub async fn answer(
    request: HttpRequest,
    session: Session,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let visit = access::visit(&request)?;
    let next = address::local(&fields.next);
    let remember = !fields.remember.is_empty();
    let methods: Vec<_> = fields.methods.split(',').filter_map(Method::of).collect();
    let again = async |chosen: Option<Method>, said| {
        let step = Step::new(&visit, &fields.challenge, &methods, next).await?;
        Step { chosen: chosen.or(step.chosen), said, remember, ..step }.answer()
    };
    let challenge = SecretString::from(fields.challenge.clone());
    let done = if fields.send.is_empty() {
        let answer = given(challenge, &fields);
        let method = answer.method;
        (method, panel::finish(&visit.app, answer, remember, &visit.client).await.map(Some))
    } else {
        (EMAIL, mail::send(&visit.app, challenge, &visit.client).await.map(|()| None))
    };
    match done {
        (_, Ok(None)) => again(Some(EMAIL), Said::Sent).await,
        // Between the password and this the rights may be gone.
        (_, Ok(Some((user, token)))) if access::may_view(&visit.app, &user) => {
            session.clear();
            session.renew();
            confirm::remember(&session, visit.app.now())?;
            visit.log_in(user);
            let mut answer = see(next);
            if let Some(token) = token {
                answer.add_cookie(&browser::cookie(&visit, &token)).map_err(|_| PageError::Other("a cookie"))?;
            }
            Ok(answer)
        }
        (_, Ok(Some(_))) => Err(PageError::NotStaff),
        (PASSKEY, Err(AnswerError::Wrong)) => again(None, Said::WrongPasskey).await,
        (method, Err(AnswerError::Wrong)) => again(Some(method), Said::WrongCode).await,
        // Too old, or dead after too many wrong codes: from the start.
        (_, Err(AnswerError::NoChallenge)) => Ok(see(&address::login(next))),
        (method, Err(AnswerError::Throttled(wait))) => {
            again(Some(method).filter(|method| method.takes_code()), Said::Throttled(wait)).await
        }
        (_, Err(AnswerError::Db(error))) => Err(error.into()),
    }
}

/// The answer in the form: a passkey's where the script filled one in, else the code.
fn given(challenge: SecretString, fields: &Fields) -> Answer {
    if !fields.credential.is_empty() {
        let credential = serde_json::from_str(&fields.credential).unwrap_or_default();
        return Answer { challenge, method: PASSKEY, given: Given::Passkey(credential) };
    }
    let method = Method::of(&fields.method).filter(|method| CODES.contains(method)).unwrap_or(Method::Recovery);
    Answer { challenge, method, given: Given::Code(fields.code.clone().into()) }
}
