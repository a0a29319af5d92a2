//! Access to the panel: a handler takes `Staff` to show a page and `Superuser` to change something. A page can only be
//! rendered with one of them. Both come from the session's row, which is read together with its user.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_session::{Session, SessionExt};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::error::PageError;
use super::session::Visit;
use super::words::Reader;
use crate::db::users::User;
use crate::journal::Actor;

/// A user who may open the panel.
pub struct Staff {
    /// The user.
    pub user: User,
    /// The request.
    pub visit: Rc<Visit>,
    /// Keeps messages until the next page. Error pages have none.
    pub session: Option<Session>,
}

/// A user who may change things in the panel.
pub struct Superuser(pub Staff);

impl Staff {
    /// The user of this request, if they may open the panel.
    pub fn of(visit: &Rc<Visit>, session: Option<Session>) -> Result<Self, PageError> {
        let Some(user) = visit.user() else { return Err(PageError::LoginRequired(visit.address.clone())) };
        if !visit.app.may_open_panel(&user) {
            return Err(PageError::NotStaff);
        }
        Ok(Self { user, visit: Rc::clone(visit), session })
    }

    /// The reader of the page.
    pub fn reader(&self) -> Reader {
        self.visit.reader()
    }

    fn from(request: &HttpRequest) -> Result<Self, PageError> {
        Self::of(&visit(request)?, Some(request.get_session()))
    }
}

impl Superuser {
    /// The user, for the audit log.
    pub fn actor(&self) -> Actor {
        self.0.visit.actor(&self.0.user)
    }

    fn from(request: &HttpRequest) -> Result<Self, PageError> {
        let staff = Staff::from(request)?;
        if staff.user.is_superuser { Ok(Self(staff)) } else { Err(PageError::SuperusersOnly) }
    }
}

/// The request, with its session.
pub fn visit(request: &HttpRequest) -> Result<Rc<Visit>, PageError> {
    request.extensions().get::<Rc<Visit>>().cloned().ok_or(PageError::Other("a page outside of its scope"))
}

impl FromRequest for Staff {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::from(request))
    }
}

impl FromRequest for Superuser {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::from(request))
    }
}
