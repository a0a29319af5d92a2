//! What can go wrong on a page of users, and the page that says so. `door` is the outermost middleware: it turns troubles
//! into pages and puts the headers on every answer, so that the token of an address leaks nowhere.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse, ResponseError};

use super::page::Said;
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
pub enum Trouble {
    /// There is no such page.
    #[error("no such page")]
    NoSuchPage,
    /// The page exists, but nothing can be sent to it in this way.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// The form comes from another site.
    #[error("a form of another site")]
    Forged,
    /// The form cannot be read.
    #[error("an unreadable form")]
    BadForm,
    /// The link is not good (any more).
    #[error("a link that is invalid or has expired")]
    BadLink,
    /// The same of a link to an address.
    #[error("a link to an address that is invalid or has expired")]
    BadEmailLink,
    /// The page is for who has logged in; where they wanted to go.
    #[error("no visit to an account")]
    NoVisit(&'static str),
    /// What the form was for is over, or was done already.
    #[error("nothing waits for this form")]
    Over,
    /// The account has a second factor, which was not shown; where that is done.
    #[error("a second factor was not shown")]
    NeedsFactor(&'static str),
    /// The visitor has no such factor.
    #[error("no such factor")]
    NoSuchFactor,
    /// Too many tries.
    #[error("too many tries")]
    Throttled(Wait),
    /// Too many passwords are being hashed.
    #[error("too many passwords at once")]
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

impl Trouble {
    /// A link, or the wish for one, that is refused for another reason than what was typed.
    pub fn of_link(error: LinkError) -> Self {
        match error {
            LinkError::Invalid => Self::BadLink,
            LinkError::Throttled(wait) => Self::Throttled(wait),
            LinkError::Busy => Self::Busy,
            LinkError::Db(error) => error.into(),
            LinkError::Fields(_) => Self::Other("a refusal that the form did not show"),
        }
    }

    /// The same for a link to an address.
    pub fn of_email_link(error: LinkError) -> Self {
        match Self::of_link(error) {
            Self::BadLink => Self::BadEmailLink,
            other => other,
        }
    }

    /// A change that is refused for another reason than what was typed.
    pub fn of_change(error: ManageError) -> Self {
        Self::of_link(error.into())
    }

    /// A login that is refused for another reason than the password.
    pub fn of_login(error: LoginError) -> Self {
        match error {
            LoginError::Throttled(wait) => Self::Throttled(wait),
            LoginError::Busy => Self::Busy,
            LoginError::Db(error) => error.into(),
            LoginError::NoActiveAccount => Self::Other("a refusal that the form did not show"),
        }
    }

    /// An answer to a second factor that is refused for another reason than what was typed.
    pub fn of_answer(error: AnswerError) -> Self {
        match error {
            AnswerError::NoChallenge | AnswerError::Wrong => Self::Over,
            AnswerError::Throttled(wait) => Self::Throttled(wait),
            AnswerError::Db(error) => error.into(),
        }
    }

    /// Where who meets it goes on, in place of a page.
    fn leads_to(&self) -> Option<String> {
        match self {
            Self::NoVisit(FACTORS) => Some(LOGIN.to_owned()),
            Self::NoVisit(next) => Some(format!("{LOGIN}?next={next}")),
            Self::Over => Some(FACTORS.to_owned()),
            _ => None,
        }
    }

    fn page(&self, app: &App) -> Said {
        let said = |title: &str, text: &str, advice: &str| Said {
            is_bad: true,
            advice: advice.to_owned(),
            ..Said::new(&app.config, title, text.to_owned())
        };
        match self {
            Self::NoSuchPage => said("Page not found", "There is no page at this address.", ""),
            Self::MethodNotAllowed => {
                said("This cannot be done here", "The page exists, but nothing can be sent to it in this way.", "")
            }
            Self::Forged => said(
                "This form came from somewhere else",
                "Your browser says that the form was not on a page of this site. Nothing was changed.",
                "Open the page anew and try again.",
            ),
            Self::BadForm => said(
                "The form could not be read",
                "It is too large or damaged. Nothing was changed.",
                "Open the page anew and try again.",
            ),
            Self::BadLink => Said {
                ways: vec![(RESET, "Ask for a new password")],
                ..said(
                    BAD_LINK,
                    "A link works once and for an hour, and only the newest one works. It also ends when you log in where you asked for it, or when the password changes.",
                    "",
                )
            },
            Self::BadEmailLink => Said {
                ways: vec![(EMAIL, "Ask for another link")],
                ..said(
                    BAD_LINK,
                    "A link works once and for a day, and only the newest one works. It also ends when the password or the address changes.",
                    "",
                )
            },
            Self::NeedsFactor(login) => Said {
                ways: vec![(login, "Log in with it")],
                ..said(
                    "Your account has a second factor",
                    "Your password alone does not change anything here. Log in with your second factor first, then come back to this form.",
                    "",
                )
            },
            Self::NoSuchFactor => Said {
                ways: vec![(FACTORS, "Back to your second factors")],
                ..said("This second factor is gone", "It was removed already. Nothing was changed.", "")
            },
            Self::Throttled(wait) => said(
                "Too many tries",
                "Too much was tried lately, for this account or from your address. This try was not looked at.",
                &format!("Try again in {}.", length(wait.seconds())),
            ),
            Self::Busy | Self::Db(DbError::Unavailable(_)) => said(
                "Not possible right now",
                "Too much is going on, or the database is away. Nothing was changed.",
                "Try again in a moment.",
            ),
            Self::Db(_) | Self::Render(_) | Self::Other(_) | Self::NoVisit(_) | Self::Over => said(
                "Something went wrong",
                "The server could not do this. Nothing was changed.",
                "If it happens again, tell whoever runs this site.",
            ),
        }
    }
}

impl ResponseError for Trouble {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoVisit(_) | Self::Over => StatusCode::SEE_OTHER,
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

    /// The status and where it leads; `door` adds the page.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(next) = self.leads_to() {
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

/// Middleware: troubles become pages, and every answer gets the headers.
pub async fn door(app: Data<App>, request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let mut answer = next.call(request).await?;
    let shown = answer.response().error().and_then(|error| {
        let trouble = error.as_error::<Trouble>()?;
        if trouble.leads_to().is_some() {
            return None;
        }
        if trouble.status_code().is_server_error() {
            tracing::error!(%trouble, "a page of a user failed");
        }
        let mut page = trouble.page(&app).show(trouble.status_code()).ok()?;
        if let Some(seconds) = answer.headers().get(header::RETRY_AFTER) {
            page.headers_mut().insert(header::RETRY_AFTER, seconds.clone());
        }
        Some(page)
    });
    if let Some(page) = shown {
        answer = answer.into_response(page);
    }
    let headers = answer.headers_mut();
    // The pages with a script have said so.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Never a path or a query. With `no-referrer` browsers would call the origin of our own forms null (Fetch, 3.2).
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    Ok(answer)
}
