//! `/account/email/change/`: sets another email address, or confirms the current one; and `/account/email/confirm/`, where
//! the link in the mail leads. Opening that page does not use the link up.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use secrecy::SecretString;
use serde::Deserialize;

use super::credentials::{Sender, optional_username};
use super::error::AccountError;
use super::page::{Form, LinkToken, Notice, OwnForm, Refusal, input, require};
use super::session::CurrentUser;
use super::{EMAIL, EMAIL_CONFIRM, FACTORS, LOGIN_TO_EMAIL};
use crate::accounts::email_change;
use crate::accounts::link::ReceivedAt;
use crate::accounts::user::validate_email;
use crate::app::App;
use crate::web::extract::Client;
use crate::web::form::Errors;

/// The fields of the first form.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Fields {
    username: String,
    password: String,
    email: String,
}

/// `GET email/change/`
pub async fn ask(app: Data<App>, current: Option<CurrentUser>) -> Result<HttpResponse, AccountError> {
    show(&app, current.as_ref(), &Fields::default(), &Refusal::default())
}

fn show(
    app: &App,
    current: Option<&CurrentUser>,
    fields: &Fields,
    refusal: &Refusal,
) -> Result<HttpResponse, AccountError> {
    let errors = &refusal.errors;
    let mut email = input("email", "Email address", "email", errors);
    email.value.clone_from(&fields.email);
    email.hint = "Enter a new address, or your current one to confirm it.";
    let mut inputs: Vec<_> = optional_username(app, current, &fields.username, errors).into_iter().collect();
    inputs.extend([input("password", "Password", "current-password", errors), email]);
    let user = current.map(CurrentUser::user);
    let form = Form {
        title: "Change your email address",
        lede: "We’ll send a link to the address you enter. Your account uses that address once you confirm it."
            .to_owned(),
        action: EMAIL,
        username: user.map(|user| user.username.clone()),
        button: "Send link",
        links: user.map(|_| (FACTORS, "Back to your account")).into_iter().collect(),
        ..Form::new(&app.config, refusal, inputs)
    };
    form.show()
}

/// `POST email/change/`
pub async fn send(
    app: Data<App>,
    client: Client,
    current: Option<CurrentUser>,
    OwnForm(fields): OwnForm<Fields>,
) -> Result<HttpResponse, AccountError> {
    let current = current.as_ref();
    let mut errors = Errors::default();
    if current.is_none() {
        require(&mut errors, &[("username", &fields.username)]);
    }
    require(&mut errors, &[("password", &fields.password)]);
    if let Some(error) = validate_email(fields.email.trim(), true) {
        errors.add(error.field, &error.message);
    }
    if !errors.is_empty() {
        return show(&app, current, &fields, &errors.into());
    }
    let sender = Sender { current, username: &fields.username, password: &fields.password, login: LOGIN_TO_EMAIL };
    let Some((_, by)) = sender.identify(&app, &client).await? else {
        return show(&app, current, &fields, &Refusal::alert(sender.refusal()));
    };
    let received = ReceivedAt::now();
    let sent = email_change::request(&app, &by, &fields.email, (&client, received)).await;
    sent.map_err(AccountError::of_link)?;
    let text = format!(
        "If no other account uses {}, we’ve sent a link to it. The link works once and expires after one day. Nothing \
         changes until you use it.",
        fields.email.trim()
    );
    let advice = "If it doesn’t arrive within a few minutes, check your spam folder.".to_owned();
    Notice { advice, ..Notice::new(&app.config, "Check your mail", text) }.show(StatusCode::OK)
}

/// `GET email/confirm/?token=…`
pub async fn look(app: Data<App>, Query(link): Query<LinkToken>) -> Result<HttpResponse, AccountError> {
    let token = SecretString::from(link.token.as_str());
    let (user, email) = email_change::look(&app, &token).await.map_err(AccountError::of_email_link)?;
    let site = &app.config.mail.site_name;
    let lede = if user.email == email {
        format!("Confirm that {email} is yours. Your account {} at {site} uses this address.", user.username)
    } else {
        format!("{email} will become the address of your account {} at {site}.", user.username)
    };
    let form = Form {
        title: "Confirm your email address",
        lede,
        action: EMAIL_CONFIRM,
        token: link.token,
        button: "Confirm address",
        ..Form::new(&app.config, &Refusal::default(), Vec::new())
    };
    form.show()
}

/// `POST email/confirm/`
pub async fn confirm(
    app: Data<App>,
    client: Client,
    OwnForm(link): OwnForm<LinkToken>,
) -> Result<HttpResponse, AccountError> {
    let confirmed = email_change::confirm(&app, SecretString::from(link.token), &client).await;
    let email = confirmed.map_err(AccountError::of_email_link)?;
    let text = format!("Your account now uses {email}. You can close this page.");
    Notice::new(&app.config, "Your email address is confirmed", text).show(StatusCode::OK)
}
