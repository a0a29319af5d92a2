//! `/account/password/change/`: a new password for users who know the current one. Password managers lead here
//! (`/.well-known/change-password`). Users with a second factor log in first; all others give their username in the form.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde::Deserialize;

use super::credentials::{Sender, optional_username};
use super::error::AccountError;
use super::page::{
    Form, Notice, OwnForm, Refusal, input, new_password, of_new_password, read_new_password, require, rules,
};
use super::session::CurrentUser;
use super::{CHANGE, FACTORS, LOGIN_TO_CHANGE, RESET};
use crate::accounts::change::OwnPassword;
use crate::accounts::endings::Kept;
use crate::accounts::manage::{ManageError, NewPassword};
use crate::accounts::{change, policy};
use crate::app::App;
use crate::web::extract::Client;
use crate::web::form::Errors;

/// The fields of the form.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Fields {
    username: String,
    old_password: String,
    password1: String,
    password2: String,
}

/// `GET password/change/`
pub async fn ask(app: Data<App>, current: Option<CurrentUser>) -> Result<HttpResponse, AccountError> {
    show(&app, current.as_ref(), "", &Refusal::default()).await
}

async fn show(
    app: &App,
    current: Option<&CurrentUser>,
    username: &str,
    refusal: &Refusal,
) -> Result<HttpResponse, AccountError> {
    let errors = &refusal.errors;
    let mut inputs: Vec<_> = optional_username(app, current, username, errors).into_iter().collect();
    inputs.push(input("old_password", "Current password", "current-password", errors));
    inputs.extend(new_password(errors));
    let user = current.map(CurrentUser::user);
    let whose = user.map(|user| format!("For your account {}. ", user.username)).unwrap_or_default();
    let ends = if app.config.accounts.end_sessions_on_user_change { "This logs you out everywhere." } else { "" };
    let form = Form {
        title: "Change your password",
        lede: format!("{whose}{ends}"),
        action: CHANGE,
        username: user.map(|user| user.username.clone()),
        rules: if let Some(user) = user { policy::rules_of(app, user).await? } else { rules(app) },
        button: "Change password",
        links: vec![if user.is_some() {
            (FACTORS, "Back to your account")
        } else {
            (RESET, "Forgotten your password?")
        }],
        ..Form::new(&app.config, refusal, inputs)
    };
    form.show()
}

/// `POST password/change/`
pub async fn set(
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
    require(&mut errors, &[("old_password", &fields.old_password)]);
    let password = read_new_password(&mut errors, &fields.password1, &fields.password2);
    if !errors.is_empty() {
        return show(&app, current, &fields.username, &errors.into()).await;
    }
    let sender = Sender { current, username: &fields.username, password: &fields.old_password, login: LOGIN_TO_CHANGE };
    let wrong = Refusal::alert(sender.refusal());
    let Some((user, by)) = sender.identify(&app, &client).await? else {
        return show(&app, current, &fields.username, &wrong).await;
    };
    let new = OwnPassword { password: NewPassword::Plain(password), kept: Kept::default() };
    match change::set_own_password(&app, &by, &user, new).await {
        Ok(_) => {}
        Err(ManageError::Fields(errors)) => {
            return show(&app, current, &fields.username, &of_new_password(errors).into()).await;
        }
        // It was reset meanwhile: what was typed is no longer the password.
        Err(ManageError::Stale) => return show(&app, current, &fields.username, &wrong).await,
        Err(error) => return Err(AccountError::of_change(error)),
    }
    let text = format!("Your account {} has a new password.", user.username);
    let notice = Notice {
        advice: "You can close this page and log in with the new password.".to_owned(),
        ..Notice::new(&app.config, "Your password was changed", text)
    };
    notice.show(StatusCode::OK)
}
