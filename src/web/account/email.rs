//! `/account/email/change/`: another address, or the present one confirmed; and `/account/email/confirm/`, where the link
//! in the mail leads. To look at that page burns nothing.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use secrecy::SecretString;
use serde::Deserialize;

use super::credentials::{identify, name_field, wrong};
use super::page::{Form, Link, OwnForm, Said, input, require};
use super::trouble::Trouble;
use super::visit::Visitor;
use super::{EMAIL, EMAIL_CONFIRM, FACTORS, LOGIN_TO_EMAIL};
use crate::accounts::email_change;
use crate::accounts::link::ReceivedAt;
use crate::accounts::user::validate_email;
use crate::app::App;
use crate::web::extract::Client;
use crate::web::form::Errors;

/// What the first form sends.
#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    email: String,
}

/// `GET email/change/`
pub async fn ask(app: Data<App>, visitor: Option<Visitor>) -> Result<HttpResponse, Trouble> {
    show(
        &app,
        visitor.as_ref(),
        &Typed { username: String::new(), password: String::new(), email: String::new() },
        &Errors::default(),
        None,
    )
}

fn show(
    app: &App,
    visitor: Option<&Visitor>,
    typed: &Typed,
    errors: &Errors,
    alert: Option<&'static str>,
) -> Result<HttpResponse, Trouble> {
    let mut email = input("email", "Email address", "email", errors);
    email.value.clone_from(&typed.email);
    email.hint = "The new one, or the present one to confirm it.";
    let mut fields: Vec<_> = name_field(app, visitor, &typed.username, errors).into_iter().collect();
    fields.extend([input("password", "Password", "current-password", errors), email]);
    let user = visitor.map(Visitor::user);
    let form = Form {
        title: "Change your email address",
        lede: "A link is sent to the address. When you use it, the address is that of your account.".to_owned(),
        action: EMAIL,
        username: user.map(|user| user.username.clone()),
        button: "Send link",
        ways: user.map(|_| (FACTORS, "Back to your account")).into_iter().collect(),
        alert,
        ..Form::new(&app.config, errors, fields)
    };
    form.show()
}

/// `POST email/change/`
pub async fn send(
    app: Data<App>,
    client: Client,
    visitor: Option<Visitor>,
    OwnForm(typed): OwnForm<Typed>,
) -> Result<HttpResponse, Trouble> {
    let visitor = visitor.as_ref();
    let mut errors = Errors::default();
    if visitor.is_none() {
        require(&mut errors, &[("username", &typed.username)]);
    }
    require(&mut errors, &[("password", &typed.password)]);
    if let Some(fault) = validate_email(typed.email.trim(), true) {
        errors.add(fault.field, &fault.message);
    }
    if !errors.is_empty() {
        return show(&app, visitor, &typed, &errors, None);
    }
    let given = (typed.username.as_str(), typed.password.as_str());
    let Some((_, by)) = identify(&app, &client, visitor, given, LOGIN_TO_EMAIL).await? else {
        return show(&app, visitor, &typed, &errors, Some(wrong(visitor)));
    };
    let received = ReceivedAt::now();
    email_change::request(&app, &by, &typed.email, (&client, received)).await.map_err(Trouble::of_link)?;
    let text = format!(
        "If nobody else uses {}, a mail with a link is on its way to it. The link works once, for a day. Until then nothing changes.",
        typed.email.trim()
    );
    let advice = "Nothing there after a few minutes? Look among the unwanted mail.".to_owned();
    Said { advice, ..Said::new(&app.config, "Check your mail", text) }.show(StatusCode::OK)
}

/// `GET email/confirm/?token=…`
pub async fn look(app: Data<App>, Query(link): Query<Link>) -> Result<HttpResponse, Trouble> {
    let token = SecretString::from(link.token.as_str());
    let (user, email) = email_change::look(&app, &token).await.map_err(Trouble::of_email_link)?;
    let site = &app.config.mail.site_name;
    let lede = if user.email == email {
        format!("{email} is the address of the account {} at {site}. Confirm that it is yours.", user.username)
    } else {
        format!("{email} becomes the address of the account {} at {site}.", user.username)
    };
    let form = Form {
        title: "Confirm your email address",
        lede,
        action: EMAIL_CONFIRM,
        token: link.token,
        button: "Confirm address",
        ..Form::new(&app.config, &Errors::default(), Vec::new())
    };
    form.show()
}

/// `POST email/confirm/`
pub async fn confirm(app: Data<App>, client: Client, OwnForm(link): OwnForm<Link>) -> Result<HttpResponse, Trouble> {
    let confirmed = email_change::confirm(&app, SecretString::from(link.token), &client).await;
    let email = confirmed.map_err(Trouble::of_email_link)?;
    let text = format!("{email} is the address of your account. You can close this page.");
    Said::new(&app.config, "Your email address is confirmed", text).show(StatusCode::OK)
}
