//! The errors of the API, each with its status. The rooms below report errors without a status; each `From` is an
//! exhaustive match, so a new variant does not compile before its answer is decided. The errors of one endpoint are
//! converted beside their view, with the functions here.

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::{Map, Value, json};

use crate::accounts::link::LinkError;
use crate::accounts::login::LoginError;
use crate::accounts::user::FieldError;
use crate::db::DbError;
use crate::factors::answer::AnswerError;
use crate::guard::throttle::Wait;
use crate::tokens::RefreshError;
use crate::tokens::TokenError;

/// Seconds after which a client may try again when the server is overloaded or its database is unreachable.
const RETRY_AFTER: u64 = 1;

/// An error answer.
#[derive(Debug)]
pub struct ApiError {
    /// The status.
    pub status: StatusCode,
    /// The scheme that a 401 asks for, if it is not the one of `JWT_AUTH_HEADER_TYPES`.
    scheme: Option<&'static str>,
    /// Seconds after which to try again.
    retry_after: Option<u64>,
    /// The JSON body.
    pub body: Value,
}

impl ApiError {
    /// An error with any body, for protocols that prescribe one.
    pub fn new(status: StatusCode, body: Value) -> Self {
        Self { status, scheme: None, retry_after: None, body }
    }

    /// A `detail` for people.
    pub fn detail(status: StatusCode, detail: &str) -> Self {
        Self::new(status, json!({"detail": detail}))
    }

    /// 401, with a `detail` for people and a `code` for programs.
    pub fn coded(detail: &str, code: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, json!({"detail": detail, "code": code}))
    }

    /// Status line and headers of the answer; `schemes` are the words of `JWT_AUTH_HEADER_TYPES`.
    pub fn head(&self, schemes: &[String]) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(self.status);
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = self.scheme.unwrap_or_else(|| schemes.first().map_or("Bearer", String::as_str));
            response.insert_header((header::WWW_AUTHENTICATE, format!("{scheme} realm=\"api\"")));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        response
    }

    /// `Accept` names no format that we support.
    pub fn not_acceptable() -> Self {
        Self::detail(StatusCode::NOT_ACCEPTABLE, "Could not satisfy the request Accept header.")
    }

    /// `?format=` names no format that we support.
    pub fn unknown_format() -> Self {
        Self::detail(StatusCode::NOT_FOUND, "Not found.")
    }

    /// A token is needed, and none was sent.
    pub fn not_authenticated() -> Self {
        Self::detail(StatusCode::UNAUTHORIZED, "Authentication credentials were not provided.")
    }

    /// A known scheme that is not followed by exactly one word.
    pub fn bad_authorization_header() -> Self {
        Self::coded("Authorization header must contain two space-delimited values", "bad_authorization_header")
    }

    /// The caller is known, but not allowed to do this.
    pub fn permission_denied() -> Self {
        Self::detail(StatusCode::FORBIDDEN, "You do not have permission to perform this action.")
    }

    /// There is no such row, or it is not the caller's.
    pub fn no_match(model: &str) -> Self {
        Self::detail(StatusCode::NOT_FOUND, &format!("No {model} matches the given query."))
    }

    /// RFC 6749 5.2: the credentials of a client are wrong.
    pub fn invalid_client() -> Self {
        Self { scheme: Some("Basic"), ..Self::new(StatusCode::UNAUTHORIZED, json!({"error": "invalid_client"})) }
    }

    /// RFC 6749 5.2: there is no `token`, or it is empty.
    pub fn no_token() -> Self {
        let body = json!({"error": "invalid_request", "error_description": "The parameter token is missing."});
        Self::new(StatusCode::BAD_REQUEST, body)
    }

    /// The refresh cookie may not be used in this way (see `web/api/cookie.rs`).
    pub fn cookie_refused(detail: &str) -> Self {
        Self::detail(StatusCode::FORBIDDEN, detail)
    }

    /// The client asks to use the refresh cookie but sent none: the user is not logged in.
    pub fn no_cookie() -> Self {
        Self::detail(StatusCode::UNAUTHORIZED, "The request has no refresh cookie.")
    }

    /// A browser submitted a form from another site (see `web/cors.rs`).
    pub fn foreign() -> Self {
        let detail = "This page may not send that. CORS_ALLOWED_ORIGINS lists the origins that may.";
        Self::detail(StatusCode::FORBIDDEN, detail)
    }

    /// The view does not support the method.
    pub fn method_not_allowed(method: &Method) -> Self {
        Self::detail(StatusCode::METHOD_NOT_ALLOWED, &format!("Method \"{method}\" not allowed."))
    }

    /// We do not read bodies of this type.
    pub fn unsupported_media_type(media_type: &str) -> Self {
        let detail = format!("Unsupported media type \"{media_type}\" in request.");
        Self::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, &detail)
    }

    /// The body is not what its type says.
    pub fn parse(detail: &str) -> Self {
        Self::detail(StatusCode::BAD_REQUEST, detail)
    }

    /// The body has more bytes than `limit`.
    pub fn too_large(limit: usize) -> Self {
        Self::detail(StatusCode::PAYLOAD_TOO_LARGE, &format!("Request body exceeds {limit} bytes."))
    }

    /// The body did not arrive completely in time.
    pub fn too_slow() -> Self {
        Self::detail(StatusCode::REQUEST_TIMEOUT, "Request body was not received in time.")
    }

    /// The `Idempotency-Key` is malformed.
    pub fn bad_idempotency_key() -> Self {
        Self::detail(StatusCode::BAD_REQUEST, "Idempotency-Key must have 1 to 255 printable ASCII characters.")
    }

    /// The JSON is not an object, so the error belongs to no field.
    pub fn non_field(message: &str) -> Self {
        Self::fields([("non_field_errors", vec![message.to_owned()])])
    }

    /// Errors by field.
    pub fn fields<'a>(problems: impl IntoIterator<Item = (&'a str, Vec<String>)>) -> Self {
        let body = problems.into_iter().map(|(name, texts)| (name.to_owned(), json!(texts))).collect::<Map<_, _>>();
        Self::new(StatusCode::BAD_REQUEST, Value::Object(body))
    }

    /// The same for errors from the rooms below.
    pub fn field_errors(problems: Vec<FieldError>) -> Self {
        let mut fields: Vec<(&str, Vec<String>)> = Vec::new();
        for FieldError { field, message } in problems {
            match fields.iter_mut().find(|(name, _)| *name == field) {
                Some((_, messages)) => messages.push(message),
                None => fields.push((field, vec![message])),
            }
        }
        Self::fields(fields)
    }

    /// `verify/` is the only endpoint that answers 400 for a blacklisted token: there, it is a validation error.
    pub fn from_verify(error: TokenError) -> Self {
        match error {
            TokenError::Blacklisted | TokenError::Rotated => Self::non_field(&error.to_string()),
            other => other.into(),
        }
    }

    /// The server is overloaded, or its database is unreachable.
    pub fn unavailable() -> Self {
        let error = Self::detail(StatusCode::SERVICE_UNAVAILABLE, "Service temporarily unavailable, try again later.");
        Self { retry_after: Some(RETRY_AFTER), ..error }
    }

    fn internal() -> Self {
        Self::detail(StatusCode::INTERNAL_SERVER_ERROR, "A server error occurred.")
    }

    /// Too many attempts. The text is Django REST framework's.
    pub fn throttled(wait: Wait) -> Self {
        let seconds = wait.seconds();
        let plural = if seconds == 1 { "" } else { "s" };
        let detail = format!("Request was throttled. Expected available in {seconds} second{plural}.");
        Self { retry_after: Some(seconds), ..Self::detail(StatusCode::TOO_MANY_REQUESTS, &detail) }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(cause) => {
                tracing::error!(cause, "the database is unavailable");
                Self::unavailable()
            }
            DbError::NotFound | DbError::Unique(_) | DbError::Referenced(_) | DbError::Other(_) => {
                tracing::error!(%error, "a database call failed");
                Self::internal()
            }
        }
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        tracing::error!(%error, "an answer could not be written as JSON");
        Self::internal()
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid
            | TokenError::Expired
            | TokenError::ClaimExpired(_)
            | TokenError::NoClaim(_)
            | TokenError::NoId
            | TokenError::NoType
            | TokenError::WrongType
            | TokenError::SessionEnded
            | TokenError::Blacklisted
            | TokenError::Rotated => Self::coded(&error.to_string(), "token_not_valid"),
            TokenError::Db(error) => error.into(),
        }
    }
}

impl From<RefreshError> for ApiError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Token(error) => error.into(),
            RefreshError::NoActiveAccount | RefreshError::PasswordChanged => {
                Self::detail(StatusCode::UNAUTHORIZED, &error.to_string())
            }
        }
    }
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::NoActiveAccount => Self::detail(StatusCode::UNAUTHORIZED, &error.to_string()),
            LoginError::Throttled(wait) => Self::throttled(wait),
            // The access log already has a line for it; a flood of logins must not cause a flood of log lines.
            LoginError::Busy => Self::unavailable(),
            LoginError::Db(error) => error.into(),
        }
    }
}

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Invalid => Self::fields([("token", vec![error.to_string()])]),
            LinkError::Fields(problems) => Self::field_errors(problems),
            LinkError::Throttled(wait) => Self::throttled(wait),
            LinkError::Busy => Self::unavailable(),
            LinkError::Db(error) => error.into(),
        }
    }
}

impl From<AnswerError> for ApiError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::NoChallenge => Self::coded(&error.to_string(), "challenge_not_valid"),
            AnswerError::Wrong => Self::coded(&error.to_string(), "second_factor_not_valid"),
            AnswerError::Throttled(wait) => Self::throttled(wait),
            AnswerError::Db(error) => error.into(),
        }
    }
}
