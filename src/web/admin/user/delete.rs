//! `/admin/auth/user/ID/delete/`: deletes a user, after a question that says what is deleted with them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::super::access::Superuser;
use super::super::address::USERS;
use super::super::confirm::OwnPassword;
use super::super::csrf::CsrfForm;
use super::super::error::PageError;
use super::super::form::Errors;
use super::super::layout::{Layout, Message, Place, Tone, page, see};
use super::super::words::{at_least, commas, length};
use super::profile_form::LABELS;
use super::{find, find_counted, refusal};
use crate::accounts::change;
use crate::accounts::manage::ManageError;
use crate::app::App;
use crate::db::types::UserId;
use crate::db::{DbError, latchkey_session};

/// How many sessions are counted.
const MAX_SESSIONS: i64 = 1000;

#[derive(Template)]
#[template(path = "admin/auth/user/delete_confirmation.html")]
struct Confirmation {
    layout: Layout,
    id: UserId,
    username: String,
    sessions: String,
    live: String,
    all: String,
    ends_tokens: bool,
    access_lifetime: String,
    errors: Vec<(String, &'static str, String)>,
    own_password: OwnPassword,
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(default)]
    own_password: String,
}

/// `GET user/ID/delete/`: asks first.
pub async fn ask(superuser: Superuser, path: Path<UserId>, app: Data<App>) -> Result<HttpResponse, PageError> {
    render(&superuser, &app, *path, &Errors::default()).await
}

/// `POST user/ID/delete/`
pub async fn delete(
    superuser: Superuser,
    path: Path<UserId>,
    app: Data<App>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let id = *path;
    let user = find(&app, id).await?;
    let by = match superuser.confirm(fields.own_password).await? {
        Ok(by) => by,
        Err(error) => return render(&superuser, &app, id, &Errors::new(vec![error])).await,
    };
    match change::delete(&app, &by, id).await {
        Ok(()) => {
            let text = format!("The user “{}” was deleted.", user.username);
            superuser.0.say(Message { tone: Tone::Good, text, link: None })?;
            Ok(see(USERS))
        }
        Err(ManageError::Referenced) => {
            let mut errors = Errors::default();
            errors.add(
                "user",
                "Other tables of this database refer to this user. Delete those rows first, or deactivate the user.",
            );
            render(&superuser, &app, id, &errors).await
        }
        Err(error) => render(&superuser, &app, id, &refusal(error, id)?).await,
    }
}

async fn render(superuser: &Superuser, app: &App, id: UserId, errors: &Errors) -> Result<HttpResponse, PageError> {
    let (user, counts) = find_counted(app, id).await?;
    let (of, now, staff) = (user.id, app.now(), &superuser.0);
    let sessions = app
        .read(move |tx| Ok::<_, DbError>(latchkey_session::list_newest_live_of(tx.conn, of, now, MAX_SESSIONS)?.len()));
    page(&Confirmation {
        sessions: commas(i64::try_from(sessions.await?).unwrap_or(MAX_SESSIONS)),
        layout: staff.layout(Place::Users(false)),
        id,
        username: user.username,
        live: at_least(counts.live, counts.is_cut()),
        all: at_least(counts.all, counts.is_cut()),
        ends_tokens: app.config.accounts.end_sessions_on_user_change,
        access_lifetime: length(app.config.jwt.access_token_lifetime.as_secs()),
        errors: errors.summary(&LABELS),
        own_password: staff.own_password(errors.of("own_password")),
    })
}
