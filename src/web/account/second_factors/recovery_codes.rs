//! `/account/second-factors/recovery-codes/`: ten new ones in place of all earlier ones, and the page that shows them this
//! once. With the first factor the same page comes from `add`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use secrecy::{ExposeSecret, SecretString};

use super::super::RECOVERY_CODES;
use super::super::login::NoFields;
use super::super::page::{OwnForm, Question, html};
use super::super::trouble::Trouble;
use super::super::visit::Visitor;
use crate::app::App;
use crate::db::users::User;
use crate::factors::remove::{self, FactorProof};
use crate::web::extract::Client;

#[derive(Template)]
#[template(path = "account/recovery_codes.html")]
struct Page<'a> {
    site: &'a str,
    username: &'a str,
    codes: Vec<&'a str>,
    /// Whether they came with the first factor.
    is_first: bool,
}

/// Shows codes, which nothing can show again.
pub fn show(app: &App, user: &User, codes: &[SecretString], is_first: bool) -> Result<HttpResponse, Trouble> {
    let codes = codes.iter().map(SecretString::expose_secret).collect();
    let page = Page { site: &app.config.mail.site_name, username: &user.username, codes, is_first };
    Ok(html(StatusCode::OK, page.render()?))
}

/// `GET second-factors/recovery-codes/`
pub async fn ask(app: Data<App>, _: Visitor) -> Result<HttpResponse, Trouble> {
    let question = Question {
        site: &app.config.mail.site_name,
        title: "Make new recovery codes?",
        goes: vec![
            "You get ten new codes, each good once. They are shown this one time.".to_owned(),
            "All earlier codes become worthless.".to_owned(),
        ],
        action: RECOVERY_CODES.to_owned(),
        button: "Make new codes",
    };
    question.show()
}

/// `POST second-factors/recovery-codes/`
pub async fn make(
    app: Data<App>,
    client: Client,
    Visitor(visit): Visitor,
    _: OwnForm<NoFields>,
) -> Result<HttpResponse, Trouble> {
    let codes = remove::replace_recovery_codes(&app, FactorProof::AccountSession(visit.clone()), &client).await;
    show(&app, visit.user(), &codes.map_err(Trouble::of_answer)?, false)
}
