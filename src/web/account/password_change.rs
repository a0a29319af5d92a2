//! `/account/password/change/`: another password for who knows the present one. Keepers of passwords lead here
//! (`/.well-known/change-password`). Who has no second factor gives their name with it, who has one logs in before.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde::Deserialize;

use super::credentials::{identify, name_field, wrong};
use super::page::{Form, OwnForm, Said, input, new_password, of_new_password, read_new_password, require, rules};
use super::trouble::Trouble;
use super::visit::Visitor;
use super::{CHANGE, FACTORS, LOGIN_TO_CHANGE, RESET};
use crate::accounts::change::OwnPassword;
use crate::accounts::endings::Kept;
use crate::accounts::manage::{ManageError, NewPassword};
use crate::accounts::{change, policy};
use crate::app::App;
use crate::web::extract::Client;
use crate::web::form::Errors;

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    username: String,
    #[serde(default)]
    old_password: String,
    #[serde(default)]
    password1: String,
    #[serde(default)]
    password2: String,
}

/// `GET password/change/`
pub async fn ask(app: Data<App>, visitor: Option<Visitor>) -> Result<HttpResponse, Trouble> {
    show(&app, visitor.as_ref(), "", &Errors::default(), None).await
}

async fn show(
    app: &App,
    visitor: Option<&Visitor>,
    username: &str,
    errors: &Errors,
    alert: Option<&'static str>,
) -> Result<HttpResponse, Trouble> {
    let mut fields: Vec<_> = name_field(app, visitor, username, errors).into_iter().collect();
    fields.push(input("old_password", "Present password", "current-password", errors));
    fields.extend(new_password(errors));
    let user = visitor.map(Visitor::user);
    let whose = user.map(|user| format!("For your account {}. ", user.username)).unwrap_or_default();
    let ends =
        if app.config.accounts.end_sessions_on_user_change { "Every login of the account ends then." } else { "" };
    let form = Form {
        title: "Change your password",
        lede: format!("{whose}{ends}"),
        action: CHANGE,
        username: user.map(|user| user.username.clone()),
        rules: if let Some(user) = user { policy::rules_of(app, user).await? } else { rules(app) },
        button: "Change password",
        ways: vec![if user.is_some() {
            (FACTORS, "Back to your account")
        } else {
            (RESET, "Forgotten your password?")
        }],
        alert,
        ..Form::new(&app.config, errors, fields)
    };
    form.show()
}

/// `POST password/change/`
pub async fn set(
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
    require(&mut errors, &[("old_password", &typed.old_password)]);
    let password = read_new_password(&mut errors, &typed.password1, &typed.password2);
    if !errors.is_empty() {
        return show(&app, visitor, &typed.username, &errors, None).await;
    }
    let given = (typed.username.as_str(), typed.old_password.as_str());
    let Some((user, by)) = identify(&app, &client, visitor, given, LOGIN_TO_CHANGE).await? else {
        return show(&app, visitor, &typed.username, &errors, Some(wrong(visitor))).await;
    };
    let new = OwnPassword { password: NewPassword::Plain(password), kept: Kept::default() };
    match change::set_own_password(&app, &by, &user, new).await {
        Ok(_) => {}
        Err(ManageError::Fields(faults)) => {
            return show(&app, visitor, &typed.username, &of_new_password(faults), None).await;
        }
        // Somebody reset it meanwhile: what was typed is not the password any more.
        Err(ManageError::Stale) => {
            return show(&app, visitor, &typed.username, &errors, Some(wrong(visitor))).await;
        }
        Err(error) => return Err(Trouble::of_change(error)),
    }
    let text = format!("The account {} has a new password.", user.username);
    let said = Said {
        advice: "Log in with the new password. You can close this page.".to_owned(),
        ..Said::new(&app.config, "Your password was changed", text)
    };
    said.show(StatusCode::OK)
}
