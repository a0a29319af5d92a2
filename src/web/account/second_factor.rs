//! `/account/login/second-factor/`: the second step of the login. Which way to answer is shown is decided in `second_step`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::page::{OwnForm, scripted};
use super::trouble::Trouble;
use super::visit::{go_in, see};
use super::{LOGIN_AGAIN, place};
use crate::app::App;
use crate::factors::account_login;
use crate::factors::answer::AnswerError;
use crate::factors::{self, mail};
use crate::journal::authentication::Method;
use crate::web::extract::Client;
use crate::web::second_step::{self, EMAIL, PASSKEY, Ways};

/// What the forms send.
#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    challenge: String,
    /// How it can be answered, with commas.
    #[serde(default)]
    methods: String,
    #[serde(default)]
    next: String,
    /// Pressed for another way, or for a code by email.
    #[serde(default)]
    way: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    code: String,
    /// What the browser says of a passkey.
    #[serde(default)]
    credential: String,
}

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct Page<'a> {
    site: &'a str,
    challenge: &'a str,
    ways: Ways,
    next: &'static str,
    /// What the browser is asked for a passkey, as JSON.
    passkey: Option<String>,
    /// Whether a code was mailed just now.
    is_sent: bool,
    error: Option<String>,
}

/// A login that waits for an answer.
struct Waiting {
    app: Data<App>,
    challenge: SecretString,
    next: &'static str,
}

impl Waiting {
    async fn show(&self, ways: Ways, is_sent: bool, error: Option<String>) -> Result<HttpResponse, Trouble> {
        let passkey = if ways.chosen == PASSKEY {
            match factors::ask::passkey(&self.app, self.challenge.clone()).await {
                Ok(options) => Some(options.to_string()),
                Err(error) => return begin_again(error),
            }
        } else {
            None
        };
        let (site, challenge) = (self.app.config.mail.site_name.as_str(), self.challenge.expose_secret());
        let page = Page { site, challenge, ways, next: self.next, passkey, is_sent, error };
        Ok(scripted(page.render()?))
    }

    /// The same page says what is wrong: the challenge goes on.
    async fn refuse(&self, ways: Ways, error: AnswerError) -> Result<HttpResponse, Trouble> {
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
            other => begin_again(other),
        }
    }
}

/// Too old, or dead after too many wrong codes: from the start.
fn begin_again(error: AnswerError) -> Result<HttpResponse, Trouble> {
    match error {
        AnswerError::NoChallenge => Ok(see(LOGIN_AGAIN)),
        other => Err(Trouble::of_answer(other)),
    }
}

/// Asks for the factor, after the right password.
pub async fn ask(
    app: Data<App>,
    challenge: SecretString,
    methods: Vec<Method>,
    next: &'static str,
) -> Result<HttpResponse, Trouble> {
    Waiting { app, challenge, next }.show(Ways::best_of(methods), false, None).await
}

/// `POST login/second-factor/`
pub async fn answer(app: Data<App>, client: Client, OwnForm(typed): OwnForm<Typed>) -> Result<HttpResponse, Trouble> {
    let waiting = Waiting { app, challenge: typed.challenge.into(), next: place(&typed.next) };
    if let Some(way) = Method::of(&typed.way) {
        let ways = Ways::read(&typed.methods, way);
        if way != EMAIL {
            return waiting.show(ways, false, None).await;
        }
        return match mail::send(&waiting.app, waiting.challenge.clone(), &client).await {
            Ok(()) => waiting.show(ways, true, None).await,
            Err(error) => waiting.refuse(ways, error).await,
        };
    }
    let method = Method::of(&typed.method).unwrap_or(Method::Recovery);
    let answer = second_step::answer(waiting.challenge.clone(), method, typed.code, &typed.credential);
    match account_login::finish(&waiting.app, answer, &client).await {
        Ok(token) => Ok(go_in(&waiting.app, &token, waiting.next)),
        Err(error) => waiting.refuse(Ways::read(&typed.methods, method), error).await,
    }
}
