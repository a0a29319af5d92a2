//! `/account/password/reset/`: a link for who has forgotten the password, and `confirm/`, where it leads. To look at that
//! page burns nothing: programs that look at mail follow links.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use secrecy::SecretString;
use serde::Deserialize;

use super::page::{Form, Link, OwnForm, Said, input, new_password, of_new_password, read_new_password};
use super::trouble::Trouble;
use super::{CHANGE, RESET, RESET_CONFIRM};
use crate::accounts::link::{LinkError, ReceivedAt};
use crate::accounts::user::validate_email;
use crate::accounts::{password_reset, policy};
use crate::app::App;
use crate::db::users::User;
use crate::web::extract::Client;
use crate::web::form::Errors;

/// What the first form sends.
#[derive(Deserialize)]
pub struct Address {
    #[serde(default)]
    email: String,
}

/// `GET password/reset/`
pub async fn ask(app: Data<App>) -> Result<HttpResponse, Trouble> {
    show_question(&app, "", &Errors::default())
}

fn show_question(app: &App, email: &str, errors: &Errors) -> Result<HttpResponse, Trouble> {
    let mut field = input("email", "Email address", "email", errors);
    email.clone_into(&mut field.value);
    let form = Form {
        title: "Reset your password",
        lede: "Give the email address of your account. A link to choose a new password is sent to it.".to_owned(),
        action: RESET,
        button: "Send link",
        ways: vec![(CHANGE, "I know my password and want another one")],
        ..Form::new(&app.config, errors, vec![field])
    };
    form.show()
}

/// `POST password/reset/`
pub async fn send(app: Data<App>, client: Client, OwnForm(typed): OwnForm<Address>) -> Result<HttpResponse, Trouble> {
    let received = ReceivedAt::now();
    let email = typed.email.trim();
    if let Some(fault) = validate_email(email, true) {
        return show_question(&app, email, &Errors::new(vec![fault]));
    }
    password_reset::request(&app, email, &client, received).await.map_err(Trouble::of_link)?;
    let text = format!(
        "If an account uses {email}, a mail with a link is on its way to it. The link works once, for an hour."
    );
    let said = Said {
        advice: "Nothing there after a few minutes? Look among the unwanted mail, or see whether the address is the one of your account.".to_owned(),
        ways: vec![(RESET, "Use another address")],
        ..Said::new(&app.config, "Check your mail", text)
    };
    said.show(StatusCode::OK)
}

/// `GET password/reset/confirm/?token=…`
pub async fn choose(app: Data<App>, Query(link): Query<Link>) -> Result<HttpResponse, Trouble> {
    let token = SecretString::from(link.token.as_str());
    let user = password_reset::look(&app, &token).await.map_err(Trouble::of_link)?;
    show_choice(&app, &user, link.token, &Errors::default()).await
}

async fn show_choice(app: &App, user: &User, token: String, errors: &Errors) -> Result<HttpResponse, Trouble> {
    let form = Form {
        title: "Choose a new password",
        lede: format!(
            "For your account {} at {}. Every login of it ends then.",
            user.username, app.config.mail.site_name
        ),
        action: RESET_CONFIRM,
        token,
        username: Some(user.username.clone()),
        rules: policy::rules_of(app, user).await?,
        button: "Set password",
        ..Form::new(&app.config, errors, new_password(errors).into())
    };
    form.show()
}

/// What the second form sends.
#[derive(Deserialize)]
pub struct Choice {
    #[serde(default)]
    token: String,
    #[serde(default)]
    password1: String,
    #[serde(default)]
    password2: String,
}

/// `POST password/reset/confirm/`
pub async fn set(app: Data<App>, client: Client, OwnForm(typed): OwnForm<Choice>) -> Result<HttpResponse, Trouble> {
    let mut errors = Errors::default();
    let password = read_new_password(&mut errors, &typed.password1, &typed.password2);
    let token = SecretString::from(typed.token.as_str());
    if errors.is_empty() {
        match password_reset::confirm(&app, token.clone(), password, &client).await {
            Ok(user) => return say_done(&app, &user),
            Err(LinkError::Fields(faults)) => errors = of_new_password(faults),
            Err(error) => return Err(Trouble::of_link(error)),
        }
    }
    let user = password_reset::look(&app, &token).await.map_err(Trouble::of_link)?;
    show_choice(&app, &user, typed.token, &errors).await
}

fn say_done(app: &App, user: &User) -> Result<HttpResponse, Trouble> {
    let text = format!("The account {} has a new password, and every login of it has ended.", user.username);
    let said = Said {
        advice: "Log in with the new password. You can close this page.".to_owned(),
        ways: if user.is_staff { vec![("/admin/", "Log in to the panel")] } else { Vec::new() },
        ..Said::new(&app.config, "Your password was changed", text)
    };
    said.show(StatusCode::OK)
}
