//! `/account/second-factors/recovery-codes/`: replaces all recovery codes with ten new ones. The page with the codes is shown
//! once; `add` shows it too, after the first factor.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use secrecy::{ExposeSecret, SecretString};

use super::super::RECOVERY_CODES;
use super::super::error::AccountError;
use super::super::page::{NoFields, OwnForm, Question, html};
use super::super::session::CurrentUser;
use crate::app::App;
use crate::db::users::User;
use crate::factors::remove::{self, FactorProof};

#[derive(Template)]
#[template(path = "account/recovery_codes.html")]
struct Page<'a> {
    site: &'a str,
    username: &'a str,
    codes: Vec<&'a str>,
    /// Whether the first factor was just added.
    is_first: bool,
}

/// Shows new codes. They cannot be shown again.
pub fn show(app: &App, user: &User, codes: &[SecretString], is_first: bool) -> Result<HttpResponse, AccountError> {
    let codes = codes.iter().map(SecretString::expose_secret).collect();
    let page = Page { site: &app.config.mail.site_name, username: &user.username, codes, is_first };
    Ok(html(StatusCode::OK, page.render()?))
}

/// `GET second-factors/recovery-codes/`
pub async fn ask(app: Data<App>, _: CurrentUser) -> Result<HttpResponse, AccountError> {
    let question = Question {
        site: &app.config.mail.site_name,
        title: "Create new recovery codes?",
        consequences: vec![
            "You get ten new codes. Each works once, and they are shown only once.".to_owned(),
            "Your current codes stop working.".to_owned(),
        ],
        action: RECOVERY_CODES.to_owned(),
        button: "Create new codes",
    };
    question.show()
}

/// `POST second-factors/recovery-codes/`
pub async fn create(current: CurrentUser, _: OwnForm<NoFields>) -> Result<HttpResponse, AccountError> {
    let (app, shown) = (&current.app, FactorProof::AccountSession(current.session.clone()));
    let codes = remove::replace_recovery_codes(app, shown, &current.client).await;
    show(app, current.user(), &codes.map_err(AccountError::of_answer)?, false)
}
