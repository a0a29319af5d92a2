//! `/account/second-factors/add/{kind}/`: adds a second factor. After a wrong answer the page is shown again; after the first
//! factor the recovery codes are shown.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::super::error::AccountError;
use super::super::page::{Notice, OwnForm, scripted};
use super::super::session::{CurrentUser, redirect};
use super::super::{FACTOR_ADDED, FACTORS, RECOVERY_CODES};
use super::recovery_codes;
use crate::app::App;
use crate::factors::answer::{AnswerError, FactorResponse};
use crate::factors::enrol::{self, EnrolError, EnrolmentAuthority, Show, Started};
use crate::factors::enrolment::{self, EnrolmentAnswer};
use crate::factors::mail;
use crate::journal::authentication::FactorKind;

const TIMED_OUT: &str = "That took too long, or too many codes were wrong. Start again.";
const WRONG_PASSKEY: &str = "The passkey could not be added. Try again.";

/// The fields of the form.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Fields {
    enrolment: String,
    name: String,
    code: String,
    /// The browser's response for a passkey, as JSON.
    credential: String,
    /// Set by the button that sends a code.
    send: String,
}

impl Fields {
    /// The name of the factor, if its user chose one.
    fn name(&self) -> Option<String> {
        let name = self.name.trim().chars().filter(|c| !c.is_control()).take(enrolment::MAX_NAME).collect::<String>();
        (!name.is_empty()).then_some(name)
    }
}

#[derive(Template)]
#[template(path = "account/add.html")]
struct Page<'a> {
    site: &'a str,
    kind: FactorKind,
    enrolment: &'a str,
    show: Show,
    name: &'a str,
    /// Whether a code was mailed, so that it can be entered.
    was_sent: bool,
    /// The error of the code.
    error: Option<String>,
    /// An error that belongs to no field.
    alert: Option<&'static str>,
}

impl Page<'_> {
    fn title(&self) -> &'static str {
        match self.kind {
            FactorKind::Passkey => "Add a passkey",
            FactorKind::Totp => "Add an authenticator app",
            FactorKind::Email => "Get codes by email",
        }
    }

    fn has_error(&self) -> bool {
        self.error.is_some() || self.alert.is_some()
    }

    /// The secret in groups of four, for typing.
    fn in_groups(&self) -> String {
        let Show::Totp { secret, .. } = &self.show else { return String::new() };
        let letters: Vec<char> = secret.expose_secret().chars().collect();
        letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }
}

/// `GET second-factors/add/{kind}/`
pub async fn ask(current: CurrentUser, kind: Path<String>) -> Result<HttpResponse, AccountError> {
    Enrolment::new(current, &kind)?.start("", None).await
}

/// `POST second-factors/add/{kind}/`
pub async fn answer(
    current: CurrentUser,
    kind: Path<String>,
    OwnForm(fields): OwnForm<Fields>,
) -> Result<HttpResponse, AccountError> {
    let enrolment = Enrolment::new(current, &kind)?;
    if fields.send.is_empty() { enrolment.finish(&fields).await } else { enrolment.send_code(&fields).await }
}

/// A user who adds a second factor of this kind.
struct Enrolment {
    current: CurrentUser,
    kind: FactorKind,
}

impl Enrolment {
    fn new(current: CurrentUser, kind: &str) -> Result<Self, AccountError> {
        Ok(Self { current, kind: FactorKind::of(kind).ok_or(AccountError::NoSuchPage)? })
    }

    /// Starts anew: with another secret, or another question for the passkey.
    async fn start(&self, name: &str, alert: Option<&'static str>) -> Result<HttpResponse, AccountError> {
        let (app, by) = (&self.current.app, EnrolmentAuthority::AccountSession(self.current.session.clone()));
        let Started { token, show } = match enrol::start(app, by, self.kind, &self.current.client).await {
            Ok(started) => started,
            Err(EnrolError::Answer(error)) => return Err(AccountError::of_answer(error)),
            Err(error) => return refuse(app, &error),
        };
        let (site, enrolment) = (app.config.mail.site_name.as_str(), token.expose_secret());
        let page = Page { site, kind: self.kind, enrolment, show, name, was_sent: false, error: None, alert };
        Ok(scripted(page.render()?))
    }

    /// Mails a code that confirms the address.
    async fn send_code(&self, fields: &Fields) -> Result<HttpResponse, AccountError> {
        let token = SecretString::from(fields.enrolment.as_str());
        match mail::send(&self.current.app, token, &self.current.client).await {
            Ok(()) => self.show_again(fields, None).await,
            Err(AnswerError::NoChallenge) => self.start(&fields.name, Some(TIMED_OUT)).await,
            Err(error) => Err(AccountError::of_answer(error)),
        }
    }

    async fn finish(&self, fields: &Fields) -> Result<HttpResponse, AccountError> {
        let CurrentUser { app, client, session } = &self.current;
        let token = SecretString::from(fields.enrolment.as_str());
        let response = match self.kind {
            // What is not JSON is not a passkey either.
            FactorKind::Passkey => {
                FactorResponse::Passkey(serde_json::from_str(&fields.credential).unwrap_or_default())
            }
            FactorKind::Totp | FactorKind::Email => FactorResponse::Code(SecretString::from(fields.code.as_str())),
        };
        let answer = EnrolmentAnswer { token, response, name: fields.name() };
        match enrolment::finish_in_session(app, session, answer, client).await {
            Ok(done) => match done.recovery_codes {
                Some(codes) => recovery_codes::show(app, session.user(), &codes, true),
                None => Ok(redirect(FACTOR_ADDED)),
            },
            Err(EnrolError::Answer(AnswerError::Wrong)) => {
                self.show_again(fields, Some(AnswerError::Wrong.to_string())).await
            }
            Err(EnrolError::Answer(AnswerError::NoChallenge)) => self.start(&fields.name, Some(TIMED_OUT)).await,
            Err(EnrolError::Answer(error)) => Err(AccountError::of_answer(error)),
            Err(error) => refuse(app, &error),
        }
    }

    /// The same page with the same secret, which the app may have stored already.
    async fn show_again(&self, fields: &Fields, error: Option<String>) -> Result<HttpResponse, AccountError> {
        let (app, kind) = (&self.current.app, self.kind);
        let token = SecretString::from(fields.enrolment.as_str());
        let Some(show) = enrol::show_again(app, &self.current.session, token).await? else {
            let alert = if kind == FactorKind::Passkey { WRONG_PASSKEY } else { TIMED_OUT };
            return self.start(&fields.name, Some(alert)).await;
        };
        let (site, name) = (app.config.mail.site_name.as_str(), fields.name.as_str());
        let (enrolment, was_sent) = (fields.enrolment.as_str(), kind == FactorKind::Email);
        let page = Page { site, kind, enrolment, show, name, was_sent, error, alert: None };
        Ok(scripted(page.render()?))
    }
}

/// The factor exists already, or this kind cannot be added.
fn refuse(app: &App, error: &EnrolError) -> Result<HttpResponse, AccountError> {
    // A reload of the page with the recovery codes leads here too.
    let exists = matches!(error, EnrolError::Exists);
    let advice = if exists {
        "If you just added it, it has been saved. Recovery codes are shown only once. Create new ones if you did not save \
         them."
    } else {
        ""
    };
    let mut links = vec![(FACTORS, "Back to your second factors")];
    if exists {
        links.push((RECOVERY_CODES, "Create new recovery codes"));
    }
    let notice = Notice {
        is_failure: true,
        advice: advice.to_owned(),
        links,
        ..Notice::new(&app.config, "This cannot be added", error.to_string())
    };
    notice.show(actix_web::http::StatusCode::BAD_REQUEST)
}
