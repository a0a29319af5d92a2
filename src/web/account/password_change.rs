//! `/account/password/change/`: another password for who knows the present one. Keepers of passwords lead here
//! (`/.well-known/change-password`). Nobody has to be logged in, so the login is asked for with it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use secrecy::SecretString;
use serde::Deserialize;

use super::page::{Form, OwnForm, Said, input, new_password, of_new_password, read_new_password, require, rules};
use super::trouble::Trouble;
use super::{CHANGE, RESET};
use crate::accounts::Actor;
use crate::accounts::change::{self, Keeps};
use crate::accounts::confirm::Confirmed;
use crate::accounts::failed_login::Door;
use crate::accounts::login::{Credentials, LoginError, authenticate};
use crate::accounts::manage::{ManageError, NewPassword};
use crate::app::App;
use crate::db::users::User;
use crate::web::extract::Client;
use crate::web::form::{Errors, Input, login_label};

/// Django's text.
pub const WRONG: &str = "Please enter a correct username and password. Note that both fields may be case-sensitive.";

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
pub async fn ask(app: Data<App>) -> Result<HttpResponse, Trouble> {
    show(&app, "", &Errors::default(), None)
}

fn show(app: &App, username: &str, errors: &Errors, alert: Option<&'static str>) -> Result<HttpResponse, Trouble> {
    let [first, second] = new_password(errors);
    let fields = vec![
        login(app, username, errors),
        input("old_password", "Present password", "current-password", errors),
        first,
        second,
    ];
    let ends = app.config.accounts.end_sessions_on_user_change;
    let lede = if ends { "Every login of the account ends then." } else { "" };
    let form = Form {
        title: "Change your password",
        lede: lede.to_owned(),
        action: CHANGE,
        rules: rules(app),
        button: "Change password",
        ways: vec![(RESET, "Forgotten your password?")],
        alert,
        ..Form::new(&app.config, errors, fields)
    };
    form.show()
}

/// `POST password/change/`
pub async fn set(app: Data<App>, client: Client, OwnForm(typed): OwnForm<Typed>) -> Result<HttpResponse, Trouble> {
    let mut errors = Errors::default();
    require(&mut errors, &[("username", &typed.username), ("old_password", &typed.old_password)]);
    let password = read_new_password(&mut errors, &typed.password1, &typed.password2);
    if !errors.is_empty() {
        return show(&app, &typed.username, &errors, None);
    }
    let Some((user, by)) = log_in(&app, &client, &typed.username, &typed.old_password).await? else {
        return show(&app, &typed.username, &errors, Some(WRONG));
    };
    match change::set_own_password(&app, &by, &user, Keeps::default(), NewPassword::Plain(password)).await {
        Ok(_) => {}
        Err(ManageError::Fields(faults)) => return show(&app, &typed.username, &of_new_password(faults), None),
        // Somebody reset it meanwhile: what was typed is not the password any more.
        Err(ManageError::Stale) => return show(&app, &typed.username, &errors, Some(WRONG)),
        Err(error) => return Err(Trouble::of_change(error)),
    }
    let text = format!("The account {} has a new password.", user.username);
    let said = Said {
        advice: "Log in with the new password. You can close this page.".to_owned(),
        ..Said::new(&app.config, "Your password was changed", text)
    };
    said.show(StatusCode::OK)
}

/// The field for the name that one logs in with.
pub fn login(app: &App, value: &str, errors: &Errors) -> Input {
    let label = login_label(app.config.accounts.username_field);
    Input { value: value.to_owned(), ..input("username", label, "username", errors) }
}

/// Who gives a name and a password; `None` if they are not right. What is typed around a password is no part of it, as in
/// a login over the API.
pub async fn log_in(
    app: &App,
    client: &Client,
    username: &str,
    password: &str,
) -> Result<Option<(User, Confirmed)>, Trouble> {
    let credentials = Credentials { login: username.trim().to_owned(), password: SecretString::from(password.trim()) };
    let user = match authenticate(app, credentials, Door::Account, client).await {
        Ok(user) => user,
        Err(LoginError::NoActiveAccount) => return Ok(None),
        Err(error) => return Err(Trouble::of_login(error)),
    };
    let by = Confirmed::by_credentials(Actor::user(&user, client), &user);
    Ok(Some((user, by)))
}
