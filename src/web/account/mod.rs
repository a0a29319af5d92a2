//! The account pages: every page under `/account/`, for front ends that have none of their own. Passwords and addresses can
//! be changed without a login; second factors need an account session, which is short (`session`). The parts of a page are
//! in `page`, a form arrives as an `OwnForm`, errors are shown as pages (`error`).

mod credentials;
mod email;
mod error;
mod login;
mod page;
mod password_change;
mod password_reset;
mod second_factor;
mod second_factors;
mod session;

use actix_web::http::{StatusCode, header};
use actix_web::middleware::from_fn;
use actix_web::web::{Data, QueryConfig, ServiceConfig, get, head, post, redirect, resource, scope, to};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder};

use crate::app::App;
use error::AccountError;
use second_factors::{add, recovery_codes, remove};
pub use session::enter;

/// Where users request a link to choose a new password.
pub const RESET: &str = "/account/password/reset/";
const RESET_CONFIRM: &str = "/account/password/reset/confirm/";
const CHANGE: &str = "/account/password/change/";
const EMAIL: &str = "/account/email/change/";
const EMAIL_CONFIRM: &str = "/account/email/confirm/";
/// Where users see their second factors.
pub const FACTORS: &str = "/account/second-factors/";
const FACTOR_ADDED: &str = "/account/second-factors/?done=added";
const FACTOR_REMOVED: &str = "/account/second-factors/?done=removed";
const SESSION_ENDED: &str = "/account/second-factors/?done=ended";
const FORGOTTEN: &str = "/account/second-factors/?done=forgotten";
const RECOVERY_CODES: &str = "/account/second-factors/recovery-codes/";
const LOGIN: &str = "/account/login/";
const LOGIN_AGAIN: &str = "/account/login/?again=1";
const LOGIN_TO_CHANGE: &str = "/account/login/?next=/account/password/change/";
const LOGIN_TO_EMAIL: &str = "/account/login/?next=/account/email/change/";

/// Where a login may lead.
const PLACES: [&str; 7] = [
    FACTORS,
    RECOVERY_CODES,
    "/account/second-factors/add/passkey/",
    "/account/second-factors/add/totp/",
    "/account/second-factors/add/email/",
    CHANGE,
    EMAIL,
];

/// The page of this path if a login may lead there, else the overview.
fn place(path: &str) -> &'static str {
    PLACES.into_iter().find(|place| *place == path).unwrap_or(FACTORS)
}

/// Where password managers look for `CHANGE` (W3C, A Well-Known URL for Changing Passwords).
const WELL_KNOWN: &str = "/.well-known/change-password";

/// Every account page.
pub fn routes(cfg: &mut ServiceConfig, app: &Data<App>) {
    let app = app.clone();
    let pages = scope("/account")
        .service(page("/password/reset/", password_reset::ask).route(post().to(password_reset::send)))
        .service(page("/password/reset/confirm/", password_reset::choose).route(post().to(password_reset::set)))
        .service(page("/password/change/", password_change::ask).route(post().to(password_change::set)))
        .service(page("/email/change/", email::ask).route(post().to(email::send)))
        .service(page("/email/confirm/", email::look).route(post().to(email::confirm)))
        .service(page("/login/", login::form).route(post().to(login::password)))
        .service(page("/login/second-factor/", login::again).route(post().to(second_factor::answer)))
        .service(form("/logout/", login::log_out))
        .service(page("/", second_factors_first))
        .service(page("/second-factors/", second_factors::list))
        .service(page("/second-factors/add/{kind}/", add::ask).route(post().to(add::answer)))
        .service(page("/second-factors/recovery-codes/", recovery_codes::ask).route(post().to(recovery_codes::create)))
        .service(page("/second-factors/{id}/remove/", remove::ask).route(post().to(remove::remove)))
        .service(form("/second-factors/browsers/{id}/forget/", second_factors::forget))
        .service(form("/sessions/{id}/end/", second_factors::end_session))
        .default_service(to(no_such_page))
        .app_data(QueryConfig::default().error_handler(|_, _| AccountError::BadForm.into()))
        .wrap(from_fn(move |request, next| error::show_errors(app.clone(), request, next)));
    cfg.service(pages).service(redirect(WELL_KNOWN, CHANGE).using_status_code(StatusCode::FOUND));
}

/// A page that can be opened.
fn page<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args> + Copy,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let wrong_method = async || Err::<HttpResponse, _>(AccountError::MethodNotAllowed);
    resource(path).route(get().to(handler)).route(head().to(handler)).default_service(to(wrong_method))
}

/// An address that takes forms only.
fn form<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let wrong_method = async || Err::<HttpResponse, _>(AccountError::MethodNotAllowed);
    resource(path).route(post().to(handler)).default_service(to(wrong_method))
}

/// `GET /account/`
async fn second_factors_first() -> HttpResponse {
    session::redirect(FACTORS)
}

/// Adds a missing slash at the end of an address, as Django does.
async fn no_such_page(request: HttpRequest) -> Result<HttpResponse, AccountError> {
    let path = request.uri().path();
    if path.ends_with('/') || path.contains("//") {
        return Err(AccountError::NoSuchPage);
    }
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(HttpResponse::MovedPermanently().insert_header((header::LOCATION, format!("{path}/{query}"))).finish())
}
