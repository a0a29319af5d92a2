//! Asks before a change to one user: says what will happen, and asks for the superuser's password if the login is old.

use actix_web::HttpResponse;
use askama::Template;

use super::super::access::Superuser;
use super::super::confirm::{self, OwnPassword};
use super::super::error::PageError;
use super::super::form::Errors;
use super::super::layout::{Layout, Place, page};
use crate::accounts::user::FieldError;
use crate::db::users::User;

/// The question.
pub struct Question {
    /// The end of the address that the form is sent to.
    pub action: String,
    /// The name in the breadcrumbs.
    pub name: &'static str,
    /// The question.
    pub heading: String,
    /// What to know before the answer.
    pub warning: String,
    /// What will happen.
    pub rows: Vec<Row>,
    /// The texts of the two buttons: do it, or leave.
    pub buttons: [&'static str; 2],
    /// Whether it removes something.
    pub is_dangerous: bool,
}

/// A consequence: of what, how many there are, and what happens to them.
pub struct Row(pub String, pub Option<usize>, pub String);

impl Row {
    /// Makes a row.
    pub fn new(what: impl Into<String>, count: impl Into<Option<usize>>, happens: impl Into<String>) -> Self {
        Self(what.into(), count.into(), happens.into())
    }
}

#[derive(Template)]
#[template(path = "admin/auth/user/question.html")]
struct Page {
    layout: Layout,
    user: User,
    ask: Question,
    errors: Vec<(String, &'static str, String)>,
    own_password: OwnPassword,
}

impl Question {
    /// Renders the page; `error` is the refusal of `confirm`.
    pub fn show(self, superuser: &Superuser, user: User, error: Option<FieldError>) -> Result<HttpResponse, PageError> {
        let staff = &superuser.0;
        let errors = Errors::new(error.into_iter().collect());
        page(&Page {
            layout: staff.layout(Place::Users(false)),
            user,
            ask: self,
            errors: errors.summary(&[confirm::LABEL]),
            own_password: staff.own_password(errors.of(confirm::LABEL.0)),
        })
    }
}

/// The fields of the form.
#[derive(serde::Deserialize)]
pub struct Fields {
    /// The superuser's own password, where it was asked for.
    #[serde(default)]
    pub own_password: String,
}
