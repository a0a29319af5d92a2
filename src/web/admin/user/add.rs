//! `/admin/auth/user/add/`: adds a user, with or without a password.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

use super::super::access::Superuser;
use super::super::address::USERS;
use super::super::confirm::OwnPassword;
use super::super::csrf::CsrfForm;
use super::super::error::PageError;
use super::super::form::{Errors, Input};
use super::super::layout::{Layout, Message, Place, Tone, page, see};
use super::password::{self, Typed};
use super::profile_form::{self, LABELS, ProfileForm};
use super::{about, refusal};
use crate::accounts::manage::{self, NewUser};
use crate::accounts::policy::{self, PasswordRule};
use crate::app::App;
use crate::db::users::profile::Profile;

#[derive(Template)]
#[template(path = "admin/auth/user/add_form.html")]
struct AddForm {
    layout: Layout,
    form: ProfileForm,
    is_usable: bool,
    passwords: [Input; 2],
    rules: Vec<PasswordRule>,
    errors: Vec<(String, &'static str, String)>,
    own_password: OwnPassword,
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(flatten)]
    profile: profile_form::Fields,
    #[serde(flatten)]
    password: Typed,
}

/// `GET user/add/`
pub async fn ask(superuser: Superuser) -> Result<HttpResponse, PageError> {
    if let Some(text) = superuser.0.visit.app.users.creation_obstacle() {
        superuser.0.say(Message { tone: Tone::Bad, text, link: None })?;
        return Ok(see(USERS));
    }
    let values = Profile { is_active: true, ..Profile::default() };
    render(&superuser, &values, true, &Errors::default())
}

/// `POST user/add/`
pub async fn add(
    superuser: Superuser,
    app: Data<App>,
    CsrfForm(mut fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let (values, is_usable) = (fields.profile.profile(), fields.password.is_usable());
    let password = match fields.password.read() {
        Ok(password) => password,
        Err(errors) => return render(&superuser, &values, is_usable, &errors),
    };
    let by = match superuser.confirm(std::mem::take(&mut fields.profile.own_password)).await? {
        Ok(by) => by,
        Err(error) => return render(&superuser, &values, is_usable, &Errors::new(vec![error])),
    };
    let user = NewUser {
        username: values.username.clone(),
        email: values.email.clone(),
        first_name: values.first_name.clone(),
        last_name: values.last_name.clone(),
        is_active: values.is_active,
        is_staff: values.is_staff,
        is_superuser: values.is_superuser,
        password,
        ..NewUser::default()
    };
    match manage::create(&app, &by, user).await {
        Ok(user) => {
            superuser.0.say(about(format!("The user “{}” was added.", user.username), user.id))?;
            Ok(see(&fields.profile.next(user.id)))
        }
        Err(error) => render(&superuser, &values, is_usable, &refusal(error, app.users.no_user())?),
    }
}

fn render(
    superuser: &Superuser,
    values: &Profile,
    is_usable: bool,
    errors: &Errors,
) -> Result<HttpResponse, PageError> {
    let (staff, app) = (&superuser.0, &superuser.0.visit.app);
    page(&AddForm {
        layout: staff.layout(Place::Users(false)),
        form: ProfileForm::new(&app.users, values, errors, None),
        is_usable,
        passwords: password::inputs(errors),
        rules: policy::rules(&app.config, false),
        errors: errors.summary(&LABELS),
        own_password: staff.own_password(errors.of("own_password")),
    })
}
