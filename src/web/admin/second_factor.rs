//! `/admin/login/second-factor/`: the second step of a login to the panel. The challenge stands in the form, so nobody is
//! logged in before it is answered. Which way is shown is decided in `second_step`.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Solo, html, see};
use super::session::Visit;
use super::{access, address, browser, confirm};
use crate::db::users::User;
use crate::factors::answer::AnswerError;
use crate::factors::panel_login::LoggedIn;
use crate::factors::{ask, mail, panel_login};
use crate::journal::authentication::{AuthenticatedBy, Method};
use crate::web::second_step::{self, EMAIL, PASSKEY, Ways};

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
    /// What the browser says of a passkey.
    #[serde(default)]
    credential: String,
    /// Pressed for another way, or for a code by email.
    #[serde(default)]
    way: String,
    #[serde(default)]
    remember: String,
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "admin/second_factor.html")]
struct Page<'a> {
    solo: Solo,
    challenge: &'a str,
    ways: Ways,
    /// What the browser is asked for a passkey, as JSON.
    passkey: Option<String>,
    next: &'a str,
    /// Whether a code was mailed just now.
    is_sent: bool,
    error: Option<String>,
    /// For how long a browser can be remembered, and whether the box is ticked.
    lives: Option<String>,
    remember: bool,
}

/// A login that waits for an answer.
struct Waiting<'a> {
    visit: &'a Visit,
    challenge: SecretString,
    next: &'a str,
    remember: bool,
}

impl Waiting<'_> {
    async fn show(&self, ways: Ways, is_sent: bool, error: Option<String>) -> Result<HttpResponse, PageError> {
        let app = &self.visit.app;
        let passkey = if ways.chosen == PASSKEY {
            match ask::passkey(app, self.challenge.clone()).await {
                Ok(options) => Some(options.to_string()),
                Err(error) => return self.begin_again(error),
            }
        } else {
            None
        };
        let page = Page {
            solo: Solo::new(self.visit),
            challenge: self.challenge.expose_secret(),
            ways,
            passkey,
            next: self.next,
            is_sent,
            error,
            lives: browser::lives(&app.config),
            remember: self.remember,
        };
        Ok(html(StatusCode::OK, page.render()?))
    }

    /// Another way to answer; a code by email is sent.
    async fn another_way(&self, names: &str, way: Method) -> Result<HttpResponse, PageError> {
        let sent = if way == EMAIL {
            mail::send(&self.visit.app, self.challenge.clone(), &self.visit.client).await
        } else {
            return self.show(Ways::read(names, way), false, None).await;
        };
        match sent {
            Ok(()) => self.show(Ways::read(names, way), true, None).await,
            Err(error) => self.refuse(Ways::read(names, way), error).await,
        }
    }

    async fn refuse(&self, ways: Ways, error: AnswerError) -> Result<HttpResponse, PageError> {
        match error {
            AnswerError::Wrong => {
                let error = ways.wrong().to_owned();
                self.show(ways, false, Some(error)).await
            }
            AnswerError::Throttled(wait) => {
                let mut page = self.show(ways, false, Some(second_step::too_many(wait))).await?;
                second_step::delay(&mut page, wait);
                Ok(page)
            }
            other => self.begin_again(other),
        }
    }

    /// What is too old, or dead after too many wrong codes, begins at the start.
    fn begin_again(&self, error: AnswerError) -> Result<HttpResponse, PageError> {
        match error {
            AnswerError::Db(error) => Err(error.into()),
            _ => Ok(see(&address::login(self.next))),
        }
    }
}

/// Asks for the factor, after the right password.
pub async fn ask(
    visit: &Visit,
    challenge: SecretString,
    methods: Vec<Method>,
    next: &str,
) -> Result<HttpResponse, PageError> {
    Waiting { visit, challenge, next, remember: false }.show(Ways::best_of(methods), false, None).await
}

/// `POST login/second-factor/`
pub async fn answer(
    request: HttpRequest,
    session: Session,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let visit = access::visit(&request)?;
    let waiting = Waiting {
        visit: &visit,
        challenge: SecretString::from(fields.challenge),
        next: address::local(&fields.next),
        remember: !fields.remember.is_empty(),
    };
    if let Some(way) = Method::of(&fields.way) {
        return waiting.another_way(&fields.methods, way).await;
    }
    let method = Method::of(&fields.method).unwrap_or(Method::Recovery);
    let answer = second_step::answer(waiting.challenge.clone(), method, fields.code, &fields.credential);
    match panel_login::finish(&visit.app, answer, waiting.remember, &visit.client).await {
        Ok(LoggedIn { user, by, browser }) => log_in(&visit, &session, (user, by), browser.as_ref(), waiting.next),
        Err(error) => waiting.refuse(Ways::read(&fields.methods, method), error).await,
    }
}

fn log_in(
    visit: &Visit,
    session: &Session,
    (user, opened): (User, AuthenticatedBy),
    browser: Option<&SecretString>,
    next: &str,
) -> Result<HttpResponse, PageError> {
    // Between the password and this the rights may be gone.
    if !visit.app.may_open_panel(&user) {
        return Err(PageError::NotStaff);
    }
    session.clear();
    session.renew();
    confirm::remember(session, visit.app.now())?;
    visit.log_in(user, opened);
    let mut answer = see(next);
    if let Some(token) = browser {
        let added = answer.add_cookie(&browser::cookie(visit, token));
        added.map_err(|_| PageError::Other("a cookie that is no header"))?;
    }
    Ok(answer)
}
