//! The second step of a login in a browser. The best method is shown, the others are one button away. The panel and the
//! account pages share it: the form, its fields, and the template `admin/includes/second_step.html`.

mod methods;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::app::App;
use crate::factors::answer::{Answer, AnswerError, FactorResponse};
use crate::factors::{ask, mail};
use crate::guard::throttle::Wait;
use crate::journal::authentication::Method;
use crate::web::extract::Client;
use crate::web::words::length;
use methods::{EMAIL, Methods, PASSKEY};

/// The fields of the form.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Fields {
    /// Identifies the login that waits.
    pub challenge: String,
    /// Every method that the user has, separated by commas.
    pub methods: String,
    /// The method of the answer.
    pub method: String,
    /// The code.
    pub code: String,
    /// The browser's response for a passkey, as JSON.
    pub credential: String,
    /// Set by the buttons that choose another method or send a code.
    pub way: String,
    /// Set if the browser is to be remembered.
    pub remember: String,
    /// Where the login leads.
    pub next: String,
}

impl Fields {
    /// The method that a button asks for.
    pub fn other_method(&self) -> Option<Method> {
        Method::of(&self.way)
    }

    /// The methods of the form, with the one that was answered.
    pub fn methods(&self) -> Methods {
        Methods::read(&self.methods, Method::of(&self.method).unwrap_or(Method::Recovery))
    }

    /// The answer.
    pub fn answer(&self) -> Answer {
        let method = Method::of(&self.method).unwrap_or(Method::Recovery);
        let response = match method {
            // Anything that is not JSON is not a passkey either.
            PASSKEY => FactorResponse::Passkey(serde_json::from_str(&self.credential).unwrap_or_default()),
            _ => FactorResponse::Code(self.code.as_str().into()),
        };
        Answer { challenge: self.challenge.as_str().into(), method, response }
    }
}

/// A login that waits for its second factor.
pub struct WaitingLogin {
    /// The shared parts of the server.
    pub app: Data<App>,
    /// The client that sent the request.
    pub client: Client,
    /// The challenge that the answer is for.
    pub challenge: SecretString,
    /// The login page; the form is sent to `second-factor/` below it.
    pub login: &'static str,
    /// Where the login leads.
    pub next: String,
    /// The token against forged forms, in the panel.
    pub csrf: Option<String>,
    /// The offer to remember this browser, in the panel.
    pub remember: Option<RememberBox>,
}

/// The box "Remember this browser".
#[derive(Clone)]
pub struct RememberBox {
    /// For how long.
    pub lives: String,
    /// Whether it is ticked.
    pub is_ticked: bool,
}

/// The form, ready to be shown.
pub struct StepForm {
    /// The login that waits.
    pub login: WaitingLogin,
    /// The methods, and the one that is shown.
    pub methods: Methods,
    /// The options that the browser is given for a passkey, as JSON.
    pub passkey: Option<String>,
    /// Whether a code was just mailed.
    pub is_sent: bool,
    /// Why the last answer was refused.
    pub error: Option<String>,
    wait: Option<Wait>,
}

impl WaitingLogin {
    /// The form for a first answer.
    /// The form for the first answer.
    /// # Errors
    /// `NoChallenge` if the login has to start over.
    pub async fn ask(self, methods: Vec<Method>) -> Result<StepForm, AnswerError> {
        self.form(Methods::best_of(methods)).await
    }

    /// The form for another method; if it is email, the code is sent.
    pub async fn change_method(self, methods: &str, method: Method) -> Result<StepForm, AnswerError> {
        let methods = Methods::read(methods, method);
        if method != EMAIL {
            return self.form(methods).await;
        }
        match mail::send(&self.app, self.challenge.clone(), &self.client).await {
            Ok(()) => Ok(StepForm { is_sent: true, ..self.form(methods).await? }),
            Err(error) => self.refuse(methods, error).await,
        }
    }

    /// The form again after a refused answer.
    pub async fn refuse(self, methods: Methods, error: AnswerError) -> Result<StepForm, AnswerError> {
        let (error, wait) = match error {
            AnswerError::Wrong => (methods.wrong().to_owned(), None),
            AnswerError::Throttled(wait) => {
                let text =
                    format!("Too many attempts. This one was not checked. Try again in {}.", length(wait.seconds()));
                (text, Some(wait))
            }
            other => return Err(other),
        };
        Ok(StepForm { error: Some(error), wait, ..self.form(methods).await? })
    }

    /// Each form for a passkey gets new options, which invalidate earlier ones.
    async fn form(self, methods: Methods) -> Result<StepForm, AnswerError> {
        let passkey = if methods.chosen == PASSKEY {
            Some(ask::passkey(&self.app, self.challenge.clone()).await?.to_string())
        } else {
            None
        };
        Ok(StepForm { login: self, methods, passkey, is_sent: false, error: None, wait: None })
    }
}

impl StepForm {
    /// Whether the page needs the script for passkeys.
    pub fn has_passkey(&self) -> bool {
        self.passkey.is_some()
    }

    /// Whether an answer was refused.
    pub fn has_error(&self) -> bool {
        self.error.is_some()
    }

    /// The title of the page.
    pub fn title(&self) -> &'static str {
        self.methods.title()
    }

    /// The token of the challenge, for the hidden field.
    pub fn challenge(&self) -> &str {
        self.login.challenge.expose_secret()
    }

    /// Answers a throttled attempt with 429.
    pub fn delay(&self, page: &mut HttpResponse) {
        if let Some(wait) = self.wait {
            *page.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.seconds()));
        }
    }
}
