//! A question about one user before something is done: what it does to what, one's own password where the login is old.

use actix_web::HttpResponse;
use askama::Template;

use super::super::access::Superuser;
use super::super::confirm::{self, OwnPassword};
use super::super::error::PageError;
use super::super::form::Errors;
use super::super::layout::{Layout, Place, page};
use crate::accounts::user::FieldError;
use crate::db::users::User;

/// What is asked.
pub struct Question {
    /// The end of the address that the answer goes to.
    pub action: String,
    /// Its name among the breadcrumbs.
    pub name: &'static str,
    /// The question itself.
    pub heading: String,
    /// What has to be known first.
    pub warning: String,
    /// What happens to what.
    pub rows: Vec<Row>,
    /// The button, and the way out.
    pub buttons: [&'static str; 2],
    /// Whether something is taken away.
    pub is_dangerous: bool,
}

/// What happens to what: its name, how many there are, what becomes of them.
pub struct Row(pub String, pub Option<usize>, pub String);

impl Row {
    /// Of these words.
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
    /// The page; `error` is what `confirm` refused with.
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

/// What the form sends.
#[derive(serde::Deserialize)]
pub struct Fields {
    /// One's own password, where it was asked for.
    #[serde(default)]
    pub own_password: String,
}
