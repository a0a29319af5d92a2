//! Who may see and who may change: a handler takes `Staff` or `Superuser`, and without one there is no page frame to
//! render. Both come from the session's row, which is read with its user in one statement.

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

/// Somebody who may look at the panel.
pub struct Staff {
    /// Who it is.
    pub user: User,
    /// The request.
    pub visit: Rc<Visit>,
    /// What is remembered until the next page; an error page has nothing to remember.
    pub session: Option<Session>,
}

/// Somebody who may change things in the panel.
pub struct Superuser(pub Staff);

impl Staff {
    /// Who visits, if that is somebody who may.
    pub fn of(visit: &Rc<Visit>, session: Option<Session>) -> Result<Self, PageError> {
        let Some(user) = visit.user() else { return Err(PageError::LoginRequired(visit.address.clone())) };
        if !visit.app.may_open_panel(&user) {
            return Err(PageError::NotStaff);
        }
        Ok(Self { user, visit: Rc::clone(visit), session })
    }

    /// Who reads the page.
    pub fn reader(&self) -> Reader {
        self.visit.reader()
    }

    fn from(request: &HttpRequest) -> Result<Self, PageError> {
        Self::of(&visit(request)?, Some(request.get_session()))
    }
}

impl Superuser {
    /// Who acts, for the audit log.
    pub fn actor(&self) -> Actor {
        self.0.visit.actor(&self.0.user)
    }

    fn from(request: &HttpRequest) -> Result<Self, PageError> {
        let staff = Staff::from(request)?;
        if staff.user.is_superuser { Ok(Self(staff)) } else { Err(PageError::SuperusersOnly) }
    }
}

/// What this request knows of its session.
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
