//! `/account/login/` opens a visit to one's own account, `/account/logout/` ends it. Between the two steps of a login the
//! challenge stands in the form, so nobody is logged in before it is answered.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::Deserialize;

use super::credentials::{WRONG, log_in, login};
use super::page::{Form, OwnForm, input, require};
use super::trouble::Trouble;
use super::visit::{Visitor, go_in, go_out, see};
use super::{LOGIN, RESET, place, second_factor};
use crate::accounts::account_session;
use crate::app::App;
use crate::factors::account_login;
use crate::factors::account_login::Step;
use crate::web::extract::Client;
use crate::web::form::Errors;

/// Where the login leads.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
    /// There where one was begun that is over.
    again: Option<String>,
}

const OVER: &str = "That took too long, or there were too many wrong codes. Log in again.";

/// What the first form sends.
#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// `GET login/`: straight on for who is logged in already.
pub async fn form(app: Data<App>, Query(to): Query<Next>, visitor: Option<Visitor>) -> Result<HttpResponse, Trouble> {
    let next = place(&to.next);
    let alert = to.again.map(|_| OVER);
    if visitor.is_some() { Ok(see(next)) } else { show(&app, "", next, &Errors::default(), alert) }
}

/// `GET login/second-factor/`: where a page is opened again that only a form leads to.
pub async fn again() -> HttpResponse {
    see(LOGIN)
}

fn show(
    app: &App,
    username: &str,
    next: &'static str,
    errors: &Errors,
    alert: Option<&'static str>,
) -> Result<HttpResponse, Trouble> {
    let mut fields = vec![login(app, username, errors), input("password", "Password", "current-password", errors)];
    // Nothing else is done here, and who was refused types the password again.
    fields[usize::from(!username.is_empty())].has_focus = true;
    let form = Form {
        title: "Log in to your account",
        lede: "To manage how you log in. This login is for these pages only, and lasts a quarter of an hour."
            .to_owned(),
        action: LOGIN,
        next,
        button: "Log in",
        ways: vec![(RESET, "Forgotten your password?")],
        alert,
        ..Form::new(&app.config, errors, fields)
    };
    form.show()
}

/// `POST login/`
pub async fn password(app: Data<App>, client: Client, OwnForm(typed): OwnForm<Typed>) -> Result<HttpResponse, Trouble> {
    let next = place(&typed.next);
    let mut errors = Errors::default();
    require(&mut errors, &[("username", &typed.username), ("password", &typed.password)]);
    if !errors.is_empty() {
        return show(&app, &typed.username, next, &errors, None);
    }
    let Some((user, _)) = log_in(&app, &client, &typed.username, &typed.password).await? else {
        return show(&app, &typed.username, next, &errors, Some(WRONG));
    };
    match account_login::begin(&app, &user, &client).await? {
        Step::In(token) => Ok(go_in(&app, &token, next)),
        Step::Factor(challenge, methods) => second_factor::ask(app, challenge, methods, next).await,
    }
}

/// Nothing.
#[derive(Deserialize)]
pub struct NoFields {}

/// `POST logout/`
pub async fn log_out(app: Data<App>, visitor: Visitor, _: OwnForm<NoFields>) -> Result<HttpResponse, Trouble> {
    account_session::end(&app, visitor.0).await?;
    Ok(go_out(&app.config, LOGIN))
}
