//! `/admin/auth/user/ID/reset_link/`: mails a user a link to choose a password. To a user without a password it is an
//! invitation. The superuser does not see the link.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::super::access::Superuser;
use super::super::confirm::{self, OwnPassword};
use super::super::csrf::CsrfForm;
use super::super::error::PageError;
use super::super::form::Errors;
use super::super::layout::{Layout, Place, page, see};
use super::{about, address_of, find, refusal};
use crate::accounts::password_reset;
use crate::app::App;
use crate::db::types::UserId;
use crate::db::users::User;

#[derive(Template)]
#[template(path = "admin/auth/user/reset_link.html")]
struct Question {
    layout: Layout,
    /// Why no link can be sent, if so.
    why_not: Option<&'static str>,
    errors: Vec<(String, &'static str, String)>,
    own_password: OwnPassword,
    user: User,
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(default)]
    own_password: String,
}

/// `GET user/ID/reset_link/`: asks first.
pub async fn ask(superuser: Superuser, path: Path<UserId>, app: Data<App>) -> Result<HttpResponse, PageError> {
    render(&superuser, &app, *path, &Errors::default()).await
}

async fn render(superuser: &Superuser, app: &App, id: UserId, errors: &Errors) -> Result<HttpResponse, PageError> {
    let (user, staff) = (find(app, id).await?, &superuser.0);
    page(&Question {
        layout: staff.layout(Place::Users(false)),
        why_not: password_reset::why_not(&user),
        errors: errors.summary(&[confirm::LABEL, ("email", "Email address")]),
        own_password: staff.own_password(errors.of(confirm::LABEL.0)),
        user,
    })
}

/// `POST user/ID/reset_link/`
pub async fn send(
    superuser: Superuser,
    path: Path<UserId>,
    app: Data<App>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let id = *path;
    let by = match superuser.confirm(fields.own_password).await? {
        Ok(by) => by,
        Err(error) => return render(&superuser, &app, id, &Errors::new(vec![error])).await,
    };
    match password_reset::send(&app, &by, id).await {
        Ok(address) => {
            superuser.0.say(about(format!("A link to choose a password was sent to {address}."), id))?;
            Ok(see(&address_of(id)))
        }
        Err(error) => render(&superuser, &app, id, &refusal(error, id)?).await,
    }
}
