//! `/admin/auth/user/ID/blacklist/`: logs a user out everywhere, after a question.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::super::access::Superuser;
use super::super::address::BLACKLISTED;
use super::super::confirm::{self, OwnPassword};
use super::super::csrf::CsrfForm;
use super::super::error::PageError;
use super::super::form::Errors;
use super::super::layout::{Layout, Message, Place, Tone, page, see};
use super::super::words::{amount, at_least, length};
use super::{address_of, factors, find, find_counted, tokens_of};
use crate::app::App;
use crate::db::types::UserId;
use crate::tokens::revoke;

#[derive(Template)]
#[template(path = "admin/auth/user/log_out_confirmation.html")]
struct Confirmation {
    layout: Layout,
    id: UserId,
    username: String,
    live: String,
    has_live: bool,
    other: String,
    access_lifetime: String,
    /// How many remembered browsers will be forgotten.
    browsers: usize,
    errors: Vec<(String, &'static str, String)>,
    own_password: OwnPassword,
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(default)]
    own_password: String,
}

/// `GET user/ID/blacklist/`: asks first.
pub async fn ask(superuser: Superuser, path: Path<UserId>, app: Data<App>) -> Result<HttpResponse, PageError> {
    render(&superuser, &app, *path, &Errors::default()).await
}

async fn render(superuser: &Superuser, app: &App, id: UserId, errors: &Errors) -> Result<HttpResponse, PageError> {
    let ((user, counts), staff) = (find_counted(app, id).await?, &superuser.0);
    let browsers = factors::overview(staff, &user).await?.browsers.len();
    page(&Confirmation {
        layout: staff.layout(Place::Users(false)),
        id: user.id,
        username: user.username,
        live: at_least(counts.live, counts.is_cut()),
        has_live: counts.live > 0,
        other: at_least(counts.all - counts.live, counts.is_cut()),
        access_lifetime: length(app.config.jwt.access_token_lifetime.as_secs()),
        errors: errors.summary(&[confirm::LABEL]),
        browsers,
        own_password: staff.own_password(errors.of(confirm::LABEL.0)),
    })
}

/// `POST user/ID/blacklist/`
pub async fn blacklist(
    superuser: Superuser,
    path: Path<UserId>,
    app: Data<App>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let (id, user) = (*path, find(&app, *path).await?);
    let by = match superuser.confirm(fields.own_password).await? {
        Ok(by) => by,
        Err(error) => return render(&superuser, &app, id, &Errors::new(vec![error])).await,
    };
    let (count, browsers) = revoke::blacklist_all_of(&app, by.actor(), id).await?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let text = match count {
        0 if browsers > 0 => format!("{} had no live tokens. Remembered browsers were forgotten.", user.username),
        0 => format!("{} had no live tokens. Nothing was changed.", user.username),
        1 => format!("1 token of {} was blacklisted.", user.username),
        _ => format!("{} of {} were blacklisted.", amount(count, "token"), user.username),
    };
    let link = (count > 0).then(|| (tokens_of(BLACKLISTED, id), "Show them".to_owned()));
    superuser.0.say(Message { tone: Tone::Good, text, link })?;
    Ok(see(&address_of(id)))
}
