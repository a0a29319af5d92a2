//! `/account/login/second-factor/`: the second step of the login. One way to answer is shown, the best that there is; the
//! others are a button away.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::page::{OwnForm, read_credential, scripted};
use super::trouble::Trouble;
use super::visit::{go_in, see};
use super::{LOGIN_AGAIN, place};
use crate::accounts::second_factor::answer::{Answer, AnswerError, Given};
use crate::accounts::second_factor::{self, Kind, Method, mail, visit};
use crate::app::App;
use crate::web::extract::Client;

const PASSKEY: Method = Method::Factor(Kind::Passkey);
const APP: Method = Method::Factor(Kind::Totp);
const EMAIL: Method = Method::Factor(Kind::Email);

/// The best one first.
const ORDER: [Method; 4] = [PASSKEY, APP, EMAIL, Method::Recovery];

const SENT: &str =
    "A code is on its way to you. It is good for ten minutes, and an earlier one does not work any more.";
const WRONG_PASSKEY: &str = "This passkey was not accepted. Try it again, or use another way.";

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
    /// Pressed for another way, or for another code.
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
    methods: &'a [Method],
    chosen: Method,
    next: &'static str,
    /// What a browser is asked for a passkey, as JSON.
    options: Option<String>,
    /// Whether a mailed code can be typed.
    was_sent: bool,
    sent: Option<&'static str>,
    error: Option<String>,
}

impl Page<'_> {
    fn names(&self) -> String {
        self.methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(",")
    }

    fn title(&self) -> &'static str {
        match self.chosen {
            PASSKEY => "Use your passkey",
            APP => "Enter the code from your app",
            EMAIL if self.was_sent => "Enter the code from the mail",
            EMAIL => "Get a code by email",
            _ => "Enter a recovery code",
        }
    }

    fn lede(&self) -> &'static str {
        match self.chosen {
            PASSKEY => "Your password is right. Now show that it is you, with your phone, computer or security key.",
            APP => "Your password is right. Now type the six digits that your authenticator app shows.",
            EMAIL if self.was_sent => "Six digits. Nothing there after a few minutes? Look among the unwanted mail.",
            EMAIL => "Your password is right. A code is sent to the address that you chose for it.",
            _ => "One of the ten that you kept. Each is good once.",
        }
    }

    fn others(&self) -> Vec<(&'static str, &'static str)> {
        let words = |method| match method {
            PASSKEY => "Use a passkey",
            APP => "Use a code from your app",
            EMAIL if self.chosen == EMAIL => "Send another code",
            EMAIL => "Get a code by email",
            _ => "Use a recovery code",
        };
        let is_other = |method: &Method| *method != self.chosen || (*method == EMAIL && self.was_sent);
        let others = ORDER.into_iter().filter(|method| self.methods.contains(method)).filter(is_other);
        others.map(|method| (method.name(), words(method))).collect()
    }
}

/// A login that waits for an answer.
struct Asked {
    challenge: SecretString,
    methods: Vec<Method>,
    next: &'static str,
}

impl Asked {
    async fn show(
        &self,
        app: &Data<App>,
        chosen: Method,
        sent: Option<&'static str>,
        error: Option<String>,
    ) -> Result<HttpResponse, Trouble> {
        let options = match chosen {
            PASSKEY => Some(second_factor::ask::passkey(app, self.challenge.clone()).await),
            _ => None,
        };
        let page = Page {
            site: &app.config.mail.site_name,
            challenge: self.challenge.expose_secret(),
            methods: &self.methods,
            chosen,
            next: self.next,
            options: match options {
                Some(Err(AnswerError::NoChallenge)) => return Ok(see(LOGIN_AGAIN)),
                other => other.transpose().map_err(Trouble::of_answer)?.map(|options| options.to_string()),
            },
            was_sent: chosen == EMAIL && (sent.is_some() || error.is_some()),
            sent,
            error,
        };
        Ok(scripted(page.render()?))
    }
}

/// Asks for the factor, after the right password.
pub async fn ask(
    app: &Data<App>,
    challenge: SecretString,
    methods: Vec<Method>,
    next: &'static str,
) -> Result<HttpResponse, Trouble> {
    let chosen = ORDER.into_iter().find(|method| methods.contains(method)).unwrap_or(Method::Recovery);
    Asked { challenge, methods, next }.show(app, chosen, None, None).await
}

/// `POST login/second-factor/`
pub async fn answer(app: Data<App>, client: Client, OwnForm(typed): OwnForm<Typed>) -> Result<HttpResponse, Trouble> {
    let asked = Asked {
        challenge: SecretString::from(typed.challenge),
        methods: typed.methods.split(',').filter_map(Method::of).collect(),
        next: place(&typed.next),
    };
    if let Some(way) = Method::of(&typed.way) {
        return another_way(&app, &client, &asked, way).await;
    }
    let method = Method::of(&typed.method).unwrap_or(Method::Recovery);
    let given = match method {
        PASSKEY => Given::Passkey(read_credential(&typed.credential)),
        _ => Given::Code(SecretString::from(typed.code)),
    };
    let answer = Answer { challenge: asked.challenge.clone(), method, given };
    match visit::finish(&app, answer, &client).await {
        Ok(token) => Ok(go_in(&app.config, &token, asked.next)),
        Err(AnswerError::Wrong) => {
            let error = if method == PASSKEY { WRONG_PASSKEY.to_owned() } else { AnswerError::Wrong.to_string() };
            asked.show(&app, method, None, Some(error)).await
        }
        // Too old, or dead after too many wrong codes: from the start.
        Err(AnswerError::NoChallenge) => Ok(see(LOGIN_AGAIN)),
        Err(error) => Err(Trouble::of_answer(error)),
    }
}

async fn another_way(app: &Data<App>, client: &Client, asked: &Asked, way: Method) -> Result<HttpResponse, Trouble> {
    if way != EMAIL {
        return asked.show(app, way, None, None).await;
    }
    match mail::send(app, asked.challenge.clone(), client).await {
        Ok(()) => asked.show(app, way, Some(SENT), None).await,
        Err(AnswerError::NoChallenge | AnswerError::Wrong) => Ok(see(LOGIN_AGAIN)),
        Err(error) => Err(Trouble::of_answer(error)),
    }
}
