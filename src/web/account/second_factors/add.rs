//! `/account/second-factors/add/{kind}/`: what the kind needs is shown, and its answer sent here. A wrong answer shows the
//! same page again; after the first factor come recovery codes.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::super::page::{OwnForm, Said, scripted};
use super::super::trouble::Trouble;
use super::super::visit::{Visitor, see};
use super::super::{FACTOR_ADDED, FACTORS, RECOVERY_CODES};
use super::recovery_codes;
use crate::accounts::account_session::AccountSession;
use crate::app::App;
use crate::factors::answer::{AnswerError, FactorResponse};
use crate::factors::enrol::{self, EnrolError, EnrolmentAuthority, Show, Started};
use crate::factors::enrolment::{self, EnrolmentAnswer};
use crate::factors::mail;
use crate::journal::authentication::FactorKind;
use crate::web::extract::Client;

const OVER: &str = "That took too long, or there were too many wrong codes. Begin again.";
const WRONG_PASSKEY: &str = "The passkey could not be added. Try it again.";

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    enrolment: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    code: String,
    /// What the browser says of a passkey.
    #[serde(default)]
    credential: String,
    /// Pressed where a code is to be mailed.
    #[serde(default)]
    send: String,
}

impl Typed {
    /// What the factor is called; its kind, where that is nothing.
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
    /// Whether a mailed code can be typed.
    was_sent: bool,
    /// What is wrong with the code.
    error: Option<String>,
    /// What is wrong with the whole.
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

    fn has_trouble(&self) -> bool {
        self.error.is_some() || self.alert.is_some()
    }

    /// The secret for people to type: groups of four.
    fn in_groups(&self) -> String {
        let Show::Totp { secret, .. } = &self.show else { return String::new() };
        let letters: Vec<char> = secret.expose_secret().chars().collect();
        letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }
}

/// `GET second-factors/add/{kind}/`
pub async fn ask(
    app: Data<App>,
    client: Client,
    Visitor(visit): Visitor,
    kind: Path<String>,
) -> Result<HttpResponse, Trouble> {
    let kind = FactorKind::of(&kind).ok_or(Trouble::NoSuchPage)?;
    begin(&app, &client, visit, kind, "", None).await
}

async fn begin(
    app: &Data<App>,
    client: &Client,
    visit: AccountSession,
    kind: FactorKind,
    name: &str,
    alert: Option<&'static str>,
) -> Result<HttpResponse, Trouble> {
    let Started { token, show } = match enrol::start(app, EnrolmentAuthority::AccountSession(visit), kind, client).await
    {
        Ok(started) => started,
        Err(EnrolError::Answer(error)) => return Err(Trouble::of_answer(error)),
        Err(error) => return refuse(app, &error),
    };
    let (site, enrolment) = (app.config.mail.site_name.as_str(), token.expose_secret());
    let page = Page { site, kind, enrolment, show, name, was_sent: false, error: None, alert };
    Ok(scripted(page.render()?))
}

/// There is one already, or the kind is not possible here.
fn refuse(app: &App, error: &EnrolError) -> Result<HttpResponse, Trouble> {
    // Whoever loads the page with the recovery codes again lands here.
    let is_there = matches!(error, EnrolError::Exists);
    let advice = if is_there {
        "If you added it just now, it is there. Recovery codes are shown once: make new ones if you did not keep them."
    } else {
        ""
    };
    let mut ways = vec![(FACTORS, "Back to your second factors")];
    if is_there {
        ways.push((RECOVERY_CODES, "Make new recovery codes"));
    }
    let said = Said {
        is_bad: true,
        advice: advice.to_owned(),
        ways,
        ..Said::new(&app.config, "This cannot be added", error.to_string())
    };
    said.show(actix_web::http::StatusCode::BAD_REQUEST)
}

/// `POST second-factors/add/{kind}/`
pub async fn answer(
    app: Data<App>,
    client: Client,
    Visitor(visit): Visitor,
    kind: Path<String>,
    OwnForm(typed): OwnForm<Typed>,
) -> Result<HttpResponse, Trouble> {
    let kind = FactorKind::of(&kind).ok_or(Trouble::NoSuchPage)?;
    let token = SecretString::from(typed.enrolment.as_str());
    if !typed.send.is_empty() {
        return match mail::send(&app, token, &client).await {
            Ok(()) => again(&app, &client, visit, kind, &typed, None).await,
            Err(AnswerError::NoChallenge) => begin(&app, &client, visit, kind, &typed.name, Some(OVER)).await,
            Err(error) => Err(Trouble::of_answer(error)),
        };
    }
    let response = match kind {
        // What is no JSON is no passkey either.
        FactorKind::Passkey => FactorResponse::Passkey(serde_json::from_str(&typed.credential).unwrap_or_default()),
        FactorKind::Totp | FactorKind::Email => FactorResponse::Code(SecretString::from(typed.code.as_str())),
    };
    let answer = EnrolmentAnswer { token, response, name: typed.name() };
    match enrolment::finish_in_session(&app, &visit, answer, &client).await {
        Ok(done) => match done.recovery_codes {
            Some(codes) => recovery_codes::show(&app, visit.user(), &codes, true),
            None => Ok(see(FACTOR_ADDED)),
        },
        Err(EnrolError::Answer(AnswerError::Wrong)) => {
            again(&app, &client, visit, kind, &typed, Some(AnswerError::Wrong.to_string())).await
        }
        Err(EnrolError::Answer(AnswerError::NoChallenge)) => {
            begin(&app, &client, visit, kind, &typed.name, Some(OVER)).await
        }
        Err(EnrolError::Answer(error)) => Err(Trouble::of_answer(error)),
        Err(error) => refuse(&app, &error),
    }
}

/// The same page again, with the same secret: an app may have it already.
async fn again(
    app: &Data<App>,
    client: &Client,
    visit: AccountSession,
    kind: FactorKind,
    typed: &Typed,
    error: Option<String>,
) -> Result<HttpResponse, Trouble> {
    let token = SecretString::from(typed.enrolment.as_str());
    let Some(show) = enrol::show_again(app, &visit, token).await? else {
        let alert = if kind == FactorKind::Passkey { WRONG_PASSKEY } else { OVER };
        return begin(app, client, visit, kind, &typed.name, Some(alert)).await;
    };
    let (site, enrolment, name) = (app.config.mail.site_name.as_str(), typed.enrolment.as_str(), typed.name.as_str());
    let page = Page { site, kind, enrolment, show, name, was_sent: kind == FactorKind::Email, error, alert: None };
    Ok(scripted(page.render()?))
}
