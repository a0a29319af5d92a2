//! The pages of users, for front ends that have none of their own: every page under `/account/`. They need no login, no
//! cookie and no script. What a page is made of is `page`, a form arrives as an `OwnForm`, failures are pages (`trouble`).

mod email;
mod page;
mod password_change;
mod password_reset;
mod trouble;

use actix_web::http::{StatusCode, header};
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig, get, head, post, redirect, resource, scope, to};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder};

use crate::app::App;
use trouble::Trouble;

/// Where a link for a new password is asked for.
pub const RESET: &str = "/account/password/reset/";
const RESET_CONFIRM: &str = "/account/password/reset/confirm/";
const CHANGE: &str = "/account/password/change/";
const EMAIL: &str = "/account/email/change/";
const EMAIL_CONFIRM: &str = "/account/email/confirm/";

/// Where keepers of passwords look for `CHANGE` (W3C, A Well-Known URL for Changing Passwords).
const WELL_KNOWN: &str = "/.well-known/change-password";

/// Every page of users.
pub fn routes(cfg: &mut ServiceConfig, app: &Data<App>) {
    let app = app.clone();
    let pages = scope("/account")
        .service(page("/password/reset/", password_reset::ask).route(post().to(password_reset::send)))
        .service(page("/password/reset/confirm/", password_reset::choose).route(post().to(password_reset::set)))
        .service(page("/password/change/", password_change::ask).route(post().to(password_change::set)))
        .service(page("/email/change/", email::ask).route(post().to(email::send)))
        .service(page("/email/confirm/", email::look).route(post().to(email::confirm)))
        .default_service(to(no_such_page))
        .wrap(from_fn(move |request, next| trouble::door(app.clone(), request, next)));
    cfg.service(pages).service(redirect(WELL_KNOWN, CHANGE).using_status_code(StatusCode::FOUND));
}

/// A page that can be looked at.
fn page<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args> + Copy,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let wrong_method = async || Err::<HttpResponse, _>(Trouble::MethodNotAllowed);
    resource(path).route(get().to(handler)).route(head().to(handler)).default_service(to(wrong_method))
}

/// The same address with a slash at its end may be a page.
async fn no_such_page(request: HttpRequest) -> Result<HttpResponse, Trouble> {
    let path = request.uri().path();
    if path.ends_with('/') || path.contains("//") {
        return Err(Trouble::NoSuchPage);
    }
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(HttpResponse::MovedPermanently().insert_header((header::LOCATION, format!("{path}/{query}"))).finish())
}
