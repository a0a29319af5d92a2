//! `/account/password/reset/`: sends a link to users who forgot their password, and `confirm/`, where the link leads.
//! Opening that page does not use the link up: mail scanners follow links.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use secrecy::SecretString;
use serde::Deserialize;

use super::error::AccountError;
use super::page::{Form, LinkToken, Notice, OwnForm, Refusal, input, new_password, of_new_password, read_new_password};
use super::{CHANGE, RESET, RESET_CONFIRM};
use crate::accounts::link::{LinkError, ReceivedAt};
use crate::accounts::user::validate_email;
use crate::accounts::{password_reset, policy};
use crate::app::App;
use crate::db::users::User;
use crate::web::extract::Client;
use crate::web::form::Errors;

/// The field of the first form.
#[derive(Deserialize)]
pub struct Address {
    #[serde(default)]
    email: String,
}

/// `GET password/reset/`
pub async fn ask(app: Data<App>) -> Result<HttpResponse, AccountError> {
    show_question(&app, "", &Refusal::default())
}

fn show_question(app: &App, email: &str, refusal: &Refusal) -> Result<HttpResponse, AccountError> {
    let mut field = input("email", "Email address", "email", &refusal.errors);
    email.clone_into(&mut field.value);
    let form = Form {
        title: "Reset your password",
        lede: "Enter the email address of your account. We’ll send you a link to choose a new password.".to_owned(),
        action: RESET,
        button: "Send link",
        links: vec![(CHANGE, "I know my password and want to change it")],
        ..Form::new(&app.config, refusal, vec![field])
    };
    form.show()
}

/// `POST password/reset/`
pub async fn send(
    app: Data<App>,
    client: Client,
    OwnForm(fields): OwnForm<Address>,
) -> Result<HttpResponse, AccountError> {
    let received = ReceivedAt::now();
    let email = fields.email.trim();
    if let Some(error) = validate_email(email, true) {
        return show_question(&app, email, &Errors::new(vec![error]).into());
    }
    password_reset::request(&app, email, &client, received).await.map_err(AccountError::of_link)?;
    let text =
        format!("If an account uses {email}, we’ve sent a link to it. The link works once and expires after one hour.");
    let advice = "If it doesn’t arrive within a few minutes, check your spam folder, and whether this is the address of \
                  your account.";
    let notice = Notice {
        advice: advice.to_owned(),
        links: vec![(RESET, "Try another address")],
        ..Notice::new(&app.config, "Check your mail", text)
    };
    notice.show(StatusCode::OK)
}

/// `GET password/reset/confirm/?token=…`
pub async fn choose(app: Data<App>, Query(link): Query<LinkToken>) -> Result<HttpResponse, AccountError> {
    let token = SecretString::from(link.token.as_str());
    let user = password_reset::look(&app, &token).await.map_err(AccountError::of_link)?;
    show_choice(&app, &user, link.token, &Refusal::default()).await
}

async fn show_choice(app: &App, user: &User, token: String, refusal: &Refusal) -> Result<HttpResponse, AccountError> {
    let form = Form {
        title: "Choose a new password",
        lede: format!(
            "For your account {} at {}. This logs you out everywhere.",
            user.username, app.config.mail.site_name
        ),
        action: RESET_CONFIRM,
        token,
        username: Some(user.username.clone()),
        rules: policy::rules_of(app, user).await?,
        button: "Set password",
        ..Form::new(&app.config, refusal, new_password(&refusal.errors).into())
    };
    form.show()
}

/// The fields of the second form.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Choice {
    token: String,
    password1: String,
    password2: String,
}

/// `POST password/reset/confirm/`
pub async fn set(
    app: Data<App>,
    client: Client,
    OwnForm(fields): OwnForm<Choice>,
) -> Result<HttpResponse, AccountError> {
    let mut errors = Errors::default();
    let password = read_new_password(&mut errors, &fields.password1, &fields.password2);
    let token = SecretString::from(fields.token.as_str());
    if errors.is_empty() {
        match password_reset::confirm(&app, token.clone(), password, &client).await {
            Ok(user) => return say_done(&app, &user),
            Err(LinkError::Fields(refused)) => errors = of_new_password(refused),
            Err(error) => return Err(AccountError::of_link(error)),
        }
    }
    let user = password_reset::look(&app, &token).await.map_err(AccountError::of_link)?;
    show_choice(&app, &user, fields.token, &errors.into()).await
}

fn say_done(app: &App, user: &User) -> Result<HttpResponse, AccountError> {
    let text = format!("Your account {} has a new password. You have been logged out everywhere.", user.username);
    let notice = Notice {
        advice: "You can close this page and log in with the new password.".to_owned(),
        links: if user.is_staff { vec![("/admin/", "Log in to the panel")] } else { Vec::new() },
        ..Notice::new(&app.config, "Your password was changed", text)
    };
    notice.show(StatusCode::OK)
}
