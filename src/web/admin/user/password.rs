//! `/admin/auth/user/ID/password/`: sets or removes the password of another user. Superusers change their own on "My
//! account", which asks for the current one.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use secrecy::SecretString;
use serde::Deserialize;

use super::super::access::Superuser;
use super::super::address::ACCOUNT;
use super::super::confirm::OwnPassword;
use super::super::csrf::CsrfForm;
use super::super::error::PageError;
use super::super::form::{Errors, Input};
use super::super::layout::{Layout, Place, page, see};
use super::profile_form::LABELS;
use super::{about, address_of, find, refusal};
use crate::accounts::change;
use crate::accounts::manage::NewPassword;
use crate::accounts::policy::{self, PasswordRule};
use crate::app::App;
use crate::db::types::UserId;
use crate::db::users::User;

const REQUIRED: &str = "This field is required.";
const MISMATCH: &str = "The two password fields didn’t match.";

/// The fields for a new password, or for none. Names and texts are Django's.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    password1: String,
    password2: String,
    usable_password: Option<String>,
}

impl Typed {
    /// Whether the user gets a password.
    pub fn is_usable(&self) -> bool {
        self.usable_password.as_deref() != Some("false")
    }

    /// Takes the password out of the form. `accounts` checks the password itself.
    pub fn read(&mut self) -> Result<NewPassword, Errors> {
        if self.is_usable() { self.read_required() } else { Ok(NewPassword::Unusable) }
    }

    /// The same where a password is required.
    pub fn read_required(&mut self) -> Result<NewPassword, Errors> {
        let mut errors = Errors::default();
        for (field, text) in [("password1", &self.password1), ("password2", &self.password2)] {
            if text.is_empty() {
                errors.add(field, REQUIRED);
            }
        }
        if errors.is_empty() && self.password1 != self.password2 {
            errors.add("password2", MISMATCH);
        }
        let password = SecretString::from(std::mem::take(&mut self.password1));
        if errors.is_empty() { Ok(NewPassword::Plain(password)) } else { Err(errors) }
    }
}

/// The two fields, always empty.
pub fn inputs(errors: &Errors) -> [Input; 2] {
    let input = |name, label, error| Input {
        name,
        label,
        kind: "password",
        autocomplete: "new-password",
        error,
        ..Input::default()
    };
    [
        input("password1", "Password", errors.of("password1")),
        input("password2", "Password (again)", errors.of("password2")),
    ]
}

#[derive(Template)]
#[template(path = "admin/auth/user/change_password.html")]
struct PasswordForm {
    layout: Layout,
    user: User,
    is_usable: bool,
    passwords: [Input; 2],
    rules: Vec<PasswordRule>,
    errors: Vec<(String, &'static str, String)>,
    own_password: OwnPassword,
    ends_tokens: bool,
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(default)]
    own_password: String,
    #[serde(flatten)]
    typed: Typed,
}

/// `GET user/ID/password/`
pub async fn ask(superuser: Superuser, path: Path<UserId>) -> Result<HttpResponse, PageError> {
    if superuser.0.user.id == *path {
        return Ok(see(ACCOUNT));
    }
    render(&superuser, *path, true, &Errors::default()).await
}

/// `POST user/ID/password/`
pub async fn set(
    superuser: Superuser,
    path: Path<UserId>,
    app: Data<App>,
    CsrfForm(mut fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let id = *path;
    if superuser.0.user.id == id {
        return Ok(see(ACCOUNT));
    }
    let user = find(&app, id).await?;
    let is_usable = fields.typed.is_usable();
    let password = match fields.typed.read() {
        Ok(password) => password,
        Err(errors) => return render(&superuser, id, is_usable, &errors).await,
    };
    let by = match superuser.confirm(fields.own_password).await? {
        Ok(by) => by,
        Err(error) => return render(&superuser, id, is_usable, &Errors::new(vec![error])).await,
    };
    if let Err(error) = change::set_password(&app, &by, id, password).await {
        return render(&superuser, id, is_usable, &refusal(error, id)?).await;
    }
    let what = if is_usable { "has a new password." } else { "no longer has a password." };
    superuser.0.say(about(format!("The user “{}” {what}", user.username), user.id))?;
    Ok(see(&address_of(id)))
}

async fn render(
    superuser: &Superuser,
    id: UserId,
    is_usable: bool,
    errors: &Errors,
) -> Result<HttpResponse, PageError> {
    let (staff, app) = (&superuser.0, &superuser.0.visit.app);
    let user = find(app, id).await?;
    page(&PasswordForm {
        rules: policy::rules_of(app, &user).await?,
        user,
        layout: staff.layout(Place::Users(false)),
        is_usable,
        passwords: inputs(errors),
        errors: errors.summary(&LABELS),
        own_password: staff.own_password(errors.of("own_password")),
        ends_tokens: app.config.accounts.end_sessions_on_user_change,
    })
}
