//! What can go wrong on a page, and the page that says so. `door` is the outermost middleware of the panel: it opens the
//! visit, turns errors into pages, and puts the panel's headers on every answer.

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::cookie::Cookie;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError};
use askama::Template;

use super::access::Staff;
use super::layout::{Layout, Place, Solo, html};
use super::session::Visit;
use super::words::length;
use super::{address, cookies};
use crate::app::App;
use crate::db::DbError;
use crate::guard::throttle::Wait;
use crate::web::middleware::PANEL_POLICY;

/// Why a page is not shown.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Nobody is logged in; then it goes on at this address.
    #[error("a login is required")]
    LoginRequired(String),
    /// Logged in, but not (any more) somebody who may look at the panel.
    #[error("not a member of staff")]
    NotStaff,
    /// Only superusers change things and see secrets.
    #[error("for superusers only")]
    SuperusersOnly,
    /// There is no such page.
    #[error("no such page")]
    NoSuchPage,
    /// There is no such thing: what it is called, and its number.
    #[error("no {0} {1}")]
    NoSuchRow(&'static str, i64),
    /// There is no session of that id.
    #[error("no such session")]
    NoSuchSession,
    /// The page exists, but nothing can be sent to it in this way.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// The form's token is missing, old or forged.
    #[error("a form without a valid CSRF token")]
    Csrf,
    /// The form cannot be read.
    #[error("an unreadable form")]
    BadForm,
    /// Too many wrong passwords: the next try has to wait.
    #[error("too many tries")]
    Throttled(Wait),
    /// Too many passwords are being checked.
    #[error("too many logins at once")]
    Busy,
    /// The database did not answer, or not as it should.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A template failed.
    #[error("a page could not be rendered: {0}")]
    Render(#[from] askama::Error),
    /// A mistake of ours.
    #[error("{0}")]
    Other(&'static str),
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::LoginRequired(_) => StatusCode::FOUND,
            Self::NotStaff | Self::SuperusersOnly => StatusCode::FORBIDDEN,
            Self::NoSuchPage | Self::NoSuchRow(..) | Self::NoSuchSession => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Csrf | Self::BadForm => StatusCode::BAD_REQUEST,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Db(DbError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Db(DbError::NotFound | DbError::Unique(_) | DbError::Referenced(_) | DbError::Other(_))
            | Self::Render(_)
            | Self::Other(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Status and `Location` only; `door` knows the visitor and adds the page.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        if let Self::LoginRequired(next) = self {
            response.insert_header((header::LOCATION, address::login(next)));
        }
        response.finish()
    }
}

/// Middleware: one visit, from its cookies to the headers of its answer.
pub async fn door(app: Data<App>, mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    cookies::keep_readable(request.headers_mut());
    let visit = Rc::new(Visit::new(app, &request));
    request.extensions_mut().insert(Rc::clone(&visit));
    let answer = Rc::clone(&visit).scope(next.call(request)).await;
    let mut answer = match (visit.take_failure(), answer) {
        // The session could not be read or written: there is no request left to answer, so the page is the error.
        (Some(error), _) => {
            let mut page = error_page(&visit, &error.into());
            finish(&visit, &mut page);
            return Err(InternalError::from_response("the session's row", page).into());
        }
        (None, answer) => answer?,
    };
    let page = answer.response().error().and_then(|error| {
        let error = error.as_error::<PageError>()?;
        (!matches!(error, PageError::LoginRequired(_))).then(|| error_page(&visit, error))
    });
    if let Some(page) = page {
        answer = answer.into_response(page);
    }
    finish(&visit, answer.response_mut());
    Ok(answer)
}

fn finish(visit: &Visit, response: &mut HttpResponse) {
    if let Some(cookie) = visit.new_nonce_cookie() {
        add_cookie(response, &cookie);
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PANEL_POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie"));
}

fn add_cookie(response: &mut HttpResponse, cookie: &Cookie<'_>) {
    if let Err(error) = response.add_cookie(cookie) {
        tracing::error!(%error, "a cookie could not be set");
    }
}

/// A page inside the panel's frame that says what is missing.
#[derive(Template)]
#[template(path = "admin/404.html")]
struct NotFound {
    layout: Layout,
    title: String,
    text: String,
}

/// A page inside the panel's frame that says who may.
#[derive(Template)]
#[template(path = "admin/403.html")]
struct Forbidden {
    layout: Layout,
}

/// A page without the frame: nobody is known to be logged in, or nothing may be asked of the database.
#[derive(Template)]
#[template(path = "admin/error.html")]
struct Failed {
    solo: Solo,
    title: &'static str,
    text: &'static str,
    advice: String,
    /// Where the button leads, and its words.
    way_out: (&'static str, &'static str),
    /// Whether there is a session to end.
    can_log_out: bool,
}

fn error_page(visit: &Rc<Visit>, error: &PageError) -> HttpResponse {
    let status = error.status_code();
    if status.is_server_error() {
        tracing::error!(%error, "a page could not be shown");
    }
    let body = match (error, Staff::of(visit, None)) {
        (PageError::NoSuchPage | PageError::NoSuchRow(..) | PageError::NoSuchSession, Ok(staff)) => {
            not_found(&staff, error).render()
        }
        (PageError::SuperusersOnly, Ok(staff)) => Forbidden { layout: staff.layout(Place::None) }.render(),
        _ => failed(visit, error).render(),
    };
    let mut response = match body {
        Ok(body) => html(status, body),
        Err(error) => {
            tracing::error!(%error, "not even the error page could be rendered");
            HttpResponse::build(status).body("Server Error")
        }
    };
    let retry_after = match error {
        PageError::Throttled(wait) => Some(wait.seconds()),
        _ if status == StatusCode::SERVICE_UNAVAILABLE => Some(5),
        _ => None,
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn not_found(staff: &Staff, error: &PageError) -> NotFound {
    let (title, text) = match error {
        PageError::NoSuchRow(what, id) => {
            let more = match *what {
                "second factor" => ", or it was removed",
                "outstanding token" => ", or it was flushed after it expired. Its blacklist entry went with it",
                "blacklisted token" => ", or it was flushed together with its token",
                _ => ", or was deleted",
            };
            let short = if what.ends_with("token") { "token" } else { what };
            (format!("There is no such {short}"), format!("No {what} has the id {id}{more}."))
        }
        PageError::NoSuchSession => (
            "There is no such session".to_owned(),
            "No session has that id, or it was over for so long that it was purged. Its user may be deleted."
                .to_owned(),
        ),
        _ => ("There is no such page".to_owned(), "The address may be mistyped, or of an older version.".to_owned()),
    };
    NotFound { layout: staff.layout(Place::None), title, text }
}

fn failed(visit: &Visit, error: &PageError) -> Failed {
    let page = |title, text, advice: &str, way_out| Failed {
        solo: Solo::new(visit),
        title,
        text,
        advice: advice.to_owned(),
        way_out,
        can_log_out: matches!(error, PageError::NotStaff) && visit.user().is_some(),
    };
    let home = (address::HOME, "Open the panel");
    match error {
        PageError::NotStaff | PageError::SuperusersOnly | PageError::LoginRequired(_) => page(
            "Your account may not open this panel",
            "You are logged in, but the panel is not (or no longer) open to you.",
            "Somebody who is a superuser can change that. You can also log in with another account.",
            (address::LOGIN, "Log in with another account"),
        ),
        PageError::NoSuchPage | PageError::NoSuchRow(..) | PageError::NoSuchSession => {
            page("There is no such page", "The address may be mistyped, or of an older version.", "", home)
        }
        PageError::MethodNotAllowed => {
            page("That is not possible here", "Nothing can be sent to this address.", "", home)
        }
        PageError::Csrf => page(
            "The form was not accepted",
            "Nothing was changed. The form is older than your login, or it was not sent by this panel.",
            "Go back, load the page again, and send the form once more. Cookies must be allowed for this address.",
            home,
        ),
        PageError::BadForm => page(
            "The form could not be read",
            "Nothing was changed. The form is too long, incomplete, or not UTF-8.",
            "Go back, load the page again, and send the form once more.",
            home,
        ),
        PageError::Throttled(wait) => page(
            "Too many wrong passwords",
            "Too many were tried lately, for this account or from your address. This one was not looked at.",
            &format!("Try again in {}.", length(wait.seconds())),
            home,
        ),
        PageError::Busy => page(
            "Too many passwords are being checked",
            "Every check takes a moment of computing, and too many are waiting already. Nothing was changed.",
            "Go back and send the form once more in a few seconds.",
            home,
        ),
        PageError::Db(DbError::Unavailable(_)) => page(
            "The database does not answer",
            "Latchkey is running, but its database is locked, full, or away. The server’s log says why.",
            "Try again in a few seconds. Nothing needs a restart once the database is back.",
            home,
        ),
        PageError::Db(_) | PageError::Render(_) | PageError::Other(_) => page(
            "Server error",
            "Something went wrong on our side. The server’s log says what.",
            "If it happens again, tell whoever runs this server what you did.",
            home,
        ),
    }
}
