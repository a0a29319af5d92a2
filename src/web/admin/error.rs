//! What can go wrong on a page, and the page that says so. `show_errors` is the outermost middleware of the panel: it
//! reads the request's cookies, turns errors into pages, and sets the headers of every answer.

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
    /// Nobody is logged in; the login leads to this address.
    #[error("a login is required")]
    LoginRequired(String),
    /// The user may not (or no longer) open the panel.
    #[error("not a member of staff")]
    NotStaff,
    /// Only superusers may change things and see secrets.
    #[error("for superusers only")]
    SuperusersOnly,
    /// The page does not exist.
    #[error("no such page")]
    NoSuchPage,
    /// The row does not exist: its type and its number.
    #[error("no {0} {1}")]
    NoSuchRow(&'static str, String),
    /// The session does not exist.
    #[error("no such session")]
    NoSuchSession,
    /// The page does not take this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// The form's token is missing, expired or forged.
    #[error("a form without a valid CSRF token")]
    Csrf,
    /// The form cannot be parsed.
    #[error("an unreadable form")]
    BadForm,
    /// Too many wrong passwords.
    #[error("too many attempts")]
    Throttled(Wait),
    /// Too many passwords are being checked.
    #[error("too many logins at once")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A template failed.
    #[error("a page could not be rendered: {0}")]
    Render(#[from] askama::Error),
    /// A bug in Latchkey.
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

    /// The status and the redirect; `show_errors` adds the page.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        if let Self::LoginRequired(next) = self {
            response.insert_header((header::LOCATION, address::login(next)));
        }
        response.finish()
    }
}

/// Middleware: reads the cookies, shows errors as pages and sets the headers.
pub async fn show_errors(
    app: Data<App>,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    cookies::keep_readable(request.headers_mut());
    let visit = Rc::new(Visit::new(app, &request));
    request.extensions_mut().insert(Rc::clone(&visit));
    let answer = Rc::clone(&visit).scope(next.call(request)).await;
    let mut answer = match (visit.take_failure(), answer) {
        // The session could not be read or written. The request is gone, so the page is returned as an error.
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

/// A page within the panel's frame: something does not exist.
#[derive(Template)]
#[template(path = "admin/404.html")]
struct NotFound {
    layout: Layout,
    title: String,
    text: String,
}

/// A page within the panel's frame: only superusers may do this.
#[derive(Template)]
#[template(path = "admin/403.html")]
struct Forbidden {
    layout: Layout,
}

/// A page without the frame: nobody is logged in, or the database cannot be used.
#[derive(Template)]
#[template(path = "admin/error.html")]
struct Failed {
    solo: Solo,
    title: &'static str,
    text: &'static str,
    advice: String,
    /// The address and the text of the button.
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
                "outstanding token" => ", or it was flushed after it expired, together with its blacklist entry",
                "blacklisted token" => ", or it was flushed together with its token",
                _ => ", or it was deleted",
            };
            let short = if what.ends_with("token") { "token" } else { what };
            (format!("There is no such {short}"), format!("No {what} has the id {id}{more}."))
        }
        PageError::NoSuchSession => (
            "There is no such session".to_owned(),
            "No session has this id. It may have been purged after it ended, or its user was deleted.".to_owned(),
        ),
        _ => ("Page not found".to_owned(), "The address may be mistyped, or belong to an older version.".to_owned()),
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
            "Your account cannot open this panel",
            "You are logged in, but you may not (or no longer) open this panel.",
            "Ask a superuser to change that, or log in with another account.",
            (address::LOGIN, "Log in with another account"),
        ),
        PageError::NoSuchPage | PageError::NoSuchRow(..) | PageError::NoSuchSession => {
            page("Page not found", "The address may be mistyped, or belong to an older version.", "", home)
        }
        PageError::MethodNotAllowed => {
            page("This is not possible here", "This page does not accept that kind of request.", "", home)
        }
        PageError::Csrf => page(
            "The form was not accepted",
            "Nothing was changed. The form is older than your login, or it was not sent from this panel.",
            "Go back, reload the page and send the form again. Your browser must accept cookies from this site.",
            home,
        ),
        PageError::BadForm => page(
            "The form could not be read",
            "Nothing was changed. The form is too long, incomplete, or not UTF-8.",
            "Go back, reload the page and send the form again.",
            home,
        ),
        PageError::Throttled(wait) => page(
            "Too many wrong passwords",
            "There were too many wrong passwords for this account or from your network. This one was not checked.",
            &format!("Try again in {}.", length(wait.seconds())),
            home,
        ),
        PageError::Busy => page(
            "The server is busy",
            "Too many passwords are being checked at the moment. Nothing was changed.",
            "Go back and send the form again in a few seconds.",
            home,
        ),
        PageError::Db(DbError::Unavailable(_)) => page(
            "The database does not answer",
            "Latchkey is running, but its database is locked, full or unreachable. The server’s log says why.",
            "Try again in a few seconds. Latchkey recovers without a restart.",
            home,
        ),
        PageError::Db(_) | PageError::Render(_) | PageError::Other(_) => page(
            "Server error",
            "Something went wrong on our side. The server’s log says what.",
            "If this keeps happening, tell the administrator of this server what you did.",
            home,
        ),
    }
}
