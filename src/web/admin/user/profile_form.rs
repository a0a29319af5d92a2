//! The common fields of the forms to add and to change a user: name, address and rights, with Django's names and texts.

use serde::Deserialize;

use super::super::address::USERS;
use super::super::confirm;
use super::super::form::{Errors, Input, Tick};
use super::address_of;
use crate::accounts::user::{EMAIL_MAX, NAME_MAX};
use crate::config::UserField;
use crate::db::types::UserId;
use crate::db::user_table::UserTable;
use crate::db::users::profile::Profile;

/// The labels for the summary of errors.
pub const LABELS: [(&str, &str); 12] = [
    ("username", "Username"),
    ("email", "Email address"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("is_active", "Active"),
    ("is_staff", "Staff"),
    ("is_superuser", "Superuser"),
    ("user", "User"),
    ("password", "Password"),
    ("password1", "Password"),
    ("password2", "Password (again)"),
    confirm::LABEL,
];

/// The fields of both forms. An unticked box sends nothing.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Fields {
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    is_active: Option<String>,
    is_staff: Option<String>,
    is_superuser: Option<String>,
    /// The superuser's own password.
    pub own_password: String,
    #[serde(rename = "_continue")]
    stay: Option<String>,
    #[serde(rename = "_addanother")]
    add_another: Option<String>,
}

impl Fields {
    /// The values, without surrounding spaces.
    pub fn profile(&self) -> Profile {
        let text = |field: &str| field.trim().to_owned();
        Profile {
            username: text(&self.username),
            email: text(&self.email),
            first_name: text(&self.first_name),
            last_name: text(&self.last_name),
            is_active: self.is_active.is_some(),
            is_staff: self.is_staff.is_some(),
            is_superuser: self.is_superuser.is_some(),
        }
    }

    /// The page that the pressed button leads to.
    pub fn next(&self, id: UserId) -> String {
        match (&self.stay, &self.add_another) {
            (Some(_), _) => address_of(id),
            (None, Some(_)) => format!("{USERS}add/"),
            (None, None) => USERS.to_owned(),
        }
    }
}

/// The fields, ready to be shown.
pub struct ProfileForm {
    /// Name and address.
    pub inputs: Vec<Input>,
    /// Rights.
    pub ticks: Vec<Tick>,
}

impl ProfileForm {
    /// The fields with these values. `saved` are the current ones, if the user has changed since the form was made.
    pub fn new(users: &UserTable, values: &Profile, errors: &Errors, saved: Option<&Profile>) -> Self {
        let input = |name, label, of: fn(&Profile) -> &String| Input {
            name,
            label,
            kind: "text",
            value: of(values).clone(),
            max_length: NAME_MAX,
            autocomplete: "off",
            error: errors.of(name),
            meanwhile: saved.map(of).filter(|saved| *saved != of(values)).cloned(),
            ..Input::default()
        };
        let tick = |name, label, hint, of: fn(&Profile) -> bool| Tick {
            name,
            label,
            hint,
            is_on: of(values),
            error: errors.of(name),
            meanwhile: saved.map(of).filter(|saved| *saved != of(values)),
        };
        let username = Input {
            hint: "Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
            is_required: true,
            ..input("username", "Username", |user| &user.username)
        };
        let email = Input {
            kind: "email",
            max_length: EMAIL_MAX,
            is_required: users.is_login_by_email(),
            ..input("email", "Email address", |user| &user.email)
        };
        let active = "May log in. Turn this off instead of deleting the user; it ends all sessions.";
        let inputs = [
            (users.has_names(), username),
            (users.has(UserField::Email), email),
            (users.has(UserField::FirstName), input("first_name", "First name", |user| &user.first_name)),
            (users.has(UserField::LastName), input("last_name", "Last name", |user| &user.last_name)),
        ];
        let superuser = "May make changes in this panel and see whole tokens.";
        let ticks = [
            (users.has(UserField::IsActive), tick("is_active", "Active", active, |user| user.is_active)),
            (users.has(UserField::IsStaff), tick("is_staff", "Staff", "May view this panel.", |user| user.is_staff)),
            (true, tick("is_superuser", "Superuser", superuser, |user| user.is_superuser)),
        ];
        // What the user table does not have cannot be changed.
        Self {
            inputs: inputs.into_iter().filter_map(|(is_there, input)| is_there.then_some(input)).collect(),
            ticks: ticks.into_iter().filter_map(|(is_there, tick)| is_there.then_some(tick)).collect(),
        }
    }
}
