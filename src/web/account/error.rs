//! What can go wrong on an account page, and the page that says so. `show_errors` is the outermost middleware: it turns
//! errors into pages and sets the headers of every answer, so that the token in an address does not leak.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse, ResponseError};

use super::page::Notice;
use super::{EMAIL, FACTORS, LOGIN, RESET};
use crate::accounts::link::LinkError;
use crate::accounts::login::LoginError;
use crate::accounts::manage::ManageError;
use crate::app::App;
use crate::db::DbError;
use crate::factors::answer::AnswerError;
use crate::guard::throttle::Wait;
use crate::web::middleware::PAGE_POLICY;
use crate::web::words::length;

const BAD_LINK: &str = "This link is invalid or has expired";

/// Why a page is not shown.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The page does not exist.
    #[error("no such page")]
    NoSuchPage,
    /// The page does not take this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// The form was sent from another site.
    #[error("a form from another site")]
    Forged,
    /// The form cannot be parsed.
    #[error("an unreadable form")]
    BadForm,
    /// The link in a mail is invalid, used or expired.
    #[error("a link that is invalid or has expired")]
    BadLink,
    /// The same for a link that confirms an address.
    #[error("a confirmation link that is invalid or has expired")]
    BadEmailLink,
    /// Nobody is logged in; the login leads back to this page.
    #[error("a login is required")]
    LoginRequired(&'static str),
    /// What the form belongs to has expired or was completed already.
    #[error("an expired form")]
    Expired,
    /// The account has a second factor and the form came without a login; the login page.
    #[error("a second factor is required")]
    NeedsFactor(&'static str),
    /// The user has no such factor.
    #[error("no such factor")]
    NoSuchFactor,
    /// Too many attempts.
    #[error("too many attempts")]
    Throttled(Wait),
    /// Too many passwords are being checked.
    #[error("too many passwords at once")]
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

impl AccountError {
    /// A link or a request for one that was refused for a reason that no field shows.
    pub fn of_link(error: LinkError) -> Self {
        match error {
            LinkError::Invalid => Self::BadLink,
            LinkError::Throttled(wait) => Self::Throttled(wait),
            LinkError::Busy => Self::Busy,
            LinkError::Db(error) => error.into(),
            LinkError::Fields(_) => Self::Other("a refusal that the form should have shown"),
        }
    }

    /// The same for a link that confirms an address.
    pub fn of_email_link(error: LinkError) -> Self {
        match Self::of_link(error) {
            Self::BadLink => Self::BadEmailLink,
            other => other,
        }
    }

    /// A change that was refused for a reason that no field shows.
    pub fn of_change(error: ManageError) -> Self {
        Self::of_link(error.into())
    }

    /// A login that was refused for a reason other than the password.
    pub fn of_login(error: LoginError) -> Self {
        match error {
            LoginError::Throttled(wait) => Self::Throttled(wait),
            LoginError::Busy => Self::Busy,
            LoginError::Db(error) => error.into(),
            LoginError::NoActiveAccount => Self::Other("a refusal that the form should have shown"),
        }
    }

    /// An answer to a challenge that was refused for a reason that no field shows.
    pub fn of_answer(error: AnswerError) -> Self {
        match error {
            AnswerError::NoChallenge | AnswerError::Wrong => Self::Expired,
            AnswerError::Throttled(wait) => Self::Throttled(wait),
            AnswerError::Db(error) => error.into(),
        }
    }

    /// Where the browser is sent instead of an error page.
    fn redirect(&self) -> Option<String> {
        match self {
            Self::LoginRequired(FACTORS) => Some(LOGIN.to_owned()),
            Self::LoginRequired(next) => Some(format!("{LOGIN}?next={next}")),
            Self::Expired => Some(FACTORS.to_owned()),
            _ => None,
        }
    }

    fn page(&self, app: &App) -> Notice {
        let failure = |title: &str, text: &str, advice: &str| Notice {
            is_failure: true,
            advice: advice.to_owned(),
            ..Notice::new(&app.config, title, text.to_owned())
        };
        match self {
            Self::NoSuchPage => failure("Page not found", "There is no page at this address.", ""),
            Self::MethodNotAllowed => {
                failure("This is not possible here", "This page does not accept that kind of request.", "")
            }
            Self::Forged => failure(
                "This form came from another site",
                "Your browser reports that the form was not sent from this site. Nothing was changed.",
                "Open the page again and retry.",
            ),
            Self::BadForm => failure(
                "The form could not be read",
                "It is too large or damaged. Nothing was changed.",
                "Open the page again and retry.",
            ),
            Self::BadLink => Notice {
                links: vec![(RESET, "Request a new link")],
                ..failure(
                    BAD_LINK,
                    "A link works once, within one hour, and only the newest one works. It also expires when you log in from the place where you requested it, or when your password changes.",
                    "",
                )
            },
            Self::BadEmailLink => Notice {
                links: vec![(EMAIL, "Request a new link")],
                ..failure(
                    BAD_LINK,
                    "A link works once, within one day, and only the newest one works. It also expires when your password or your address changes.",
                    "",
                )
            },
            Self::NeedsFactor(login) => Notice {
                links: vec![(login, "Log in with your second factor")],
                ..failure(
                    "Your account has a second factor",
                    "Your password alone is not enough to change it. Log in with your second factor first. You’ll then come back to this form.",
                    "",
                )
            },
            Self::NoSuchFactor => Notice {
                links: vec![(FACTORS, "Back to your second factors")],
                ..failure("This second factor is gone", "It has already been removed. Nothing was changed.", "")
            },
            Self::Throttled(wait) => failure(
                "Too many attempts",
                "There were too many attempts for this account or from your network. This one was not checked.",
                &format!("Try again in {}.", length(wait.seconds())),
            ),
            Self::Busy | Self::Db(DbError::Unavailable(_)) => failure(
                "Not possible right now",
                "The server is busy or cannot reach its database. Nothing was changed.",
                "Try again in a moment.",
            ),
            Self::Db(_) | Self::Render(_) | Self::Other(_) | Self::LoginRequired(_) | Self::Expired => failure(
                "Something went wrong",
                "The server could not do this. Nothing was changed.",
                "If this keeps happening, contact the administrator of this site.",
            ),
        }
    }
}

impl ResponseError for AccountError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::LoginRequired(_) | Self::Expired => StatusCode::SEE_OTHER,
            Self::NeedsFactor(_) => StatusCode::FORBIDDEN,
            Self::NoSuchPage | Self::NoSuchFactor => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Forged | Self::BadForm | Self::BadLink | Self::BadEmailLink => StatusCode::BAD_REQUEST,
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
        if let Some(next) = self.redirect() {
            response.insert_header((header::LOCATION, next));
        }
        match self {
            Self::Throttled(wait) => response.insert_header((header::RETRY_AFTER, wait.seconds())),
            _ if self.status_code() == StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((header::RETRY_AFTER, 5))
            }
            _ => &mut response,
        };
        response.finish()
    }
}

/// Middleware: shows errors as pages and sets the headers of every answer.
pub async fn show_errors(
    app: Data<App>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let mut answer = next.call(request).await?;
    let shown = answer.response().error().and_then(|error| {
        let error = error.as_error::<AccountError>()?;
        if error.redirect().is_some() {
            return None;
        }
        if error.status_code().is_server_error() {
            tracing::error!(%error, "an account page failed");
        }
        let mut page = error.page(&app).show(error.status_code()).ok()?;
        if let Some(seconds) = answer.headers().get(header::RETRY_AFTER) {
            page.headers_mut().insert(header::RETRY_AFTER, seconds.clone());
        }
        Some(page)
    });
    if let Some(page) = shown {
        answer = answer.into_response(page);
    }
    let headers = answer.headers_mut();
    // Pages with a script have set their own.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Sends no path and no query. With `no-referrer`, browsers would send `null` as the origin of our own forms (Fetch, 3.2).
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    Ok(answer)
}
