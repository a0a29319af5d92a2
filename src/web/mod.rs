//! The HTTP server. `routes` has every URL, on one screen. The file that a URL leads to answers its requests; what all
//! requests share is in `middleware`.

use actix_web::dev::Handler;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, ServiceConfig, get, head, redirect, resource, to};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Resource, Responder};

mod account;
pub mod admin;
pub mod api;
pub mod assets;
mod claims;
mod cors;
pub mod extract;
mod form;
pub mod health;
pub mod middleware;
mod origin;
mod second_step;
pub mod server;
mod words;

use crate::app::App;

use api::error::ApiError;
use api::{
    Endpoint, docs, email, introspect, logout, me, password, revoke, schema, second_factor, sessions, sliding,
    spellings, token,
};

/// The endpoints of the API. The API document and the navigation of the pages are made from this list, in its order;
/// `spellings` are the paths that lead to each.
pub static VIEWS: &[Endpoint] = &[
    Endpoint::of::<token::Obtain>("/api/token"),
    Endpoint::of::<token::Refresh>("/api/token/refresh"),
    Endpoint::of::<token::Verify>("/api/token/verify"),
    Endpoint::of::<token::Blacklist>("/api/token/blacklist"),
    Endpoint::of::<introspect::Introspect>("/api/token/introspect"),
    Endpoint::of::<revoke::Revoke>("/api/token/revoke"),
    Endpoint::of::<sliding::Obtain>("/api/token/sliding"),
    Endpoint::of::<sliding::Refresh>("/api/token/sliding/refresh"),
    Endpoint::of::<second_factor::login::Finish>("/api/token/second-factor"),
    Endpoint::of::<second_factor::login::Email>("/api/token/second-factor/email"),
    Endpoint::of::<second_factor::login::Passkey>("/api/token/second-factor/passkey"),
    Endpoint::of::<me::Me>("/api/me"),
    Endpoint::of::<sessions::List>("/api/sessions"),
    Endpoint::of::<sessions::One>("/api/sessions/{id}"),
    Endpoint::of::<logout::Logout>("/api/logout"),
    Endpoint::of::<logout::Logout>("/logout_token"),
    Endpoint::of::<password::Change>("/api/password/change"),
    Endpoint::of::<password::Reset>("/api/password/reset"),
    Endpoint::of::<password::ResetConfirm>("/api/password/reset/confirm"),
    Endpoint::of::<email::Change>("/api/email/change"),
    Endpoint::of::<email::Confirm>("/api/email/confirm"),
    Endpoint::of::<second_factor::enrol::Factors>("/api/second-factors"),
    Endpoint::of::<second_factor::enrol::Confirm>("/api/second-factors/confirm"),
    Endpoint::of::<second_factor::own::Challenge>("/api/second-factors/challenge"),
    Endpoint::of::<second_factor::own::RecoveryCodes>("/api/second-factors/recovery-codes"),
    Endpoint::of::<second_factor::own::One>("/api/second-factors/{id}"),
    Endpoint::of::<second_factor::own::Browser>("/api/second-factors/browsers/{id}"),
];

/// Every URL of the server.
pub fn routes(cfg: &mut ServiceConfig, app: &Data<App>) {
    for view in VIEWS {
        cfg.service(view.resource(&app.config.server.path_aliases));
    }
    cfg.service(read_only(spellings(schema::PATH), schema::serve))
        .service(read_only(spellings(docs::PATH), docs::page))
        .service(read_only(vec![health::ALIVE.to_owned()], health::alive))
        .service(read_only(vec![health::READY.to_owned()], health::ready))
        .service(resource("/static/{path:.*}").route(get().to(assets::serve)))
        .service(redirect("/", "/admin/").using_status_code(StatusCode::FOUND))
        .service(resource("/admin").to(admin_without_slash))
        .configure(|cfg| account::routes(cfg, app))
        .configure(|cfg| admin::routes(cfg, app))
        .default_service(to(middleware::not_found));
}

/// A resource that can only be read, by GET and HEAD.
fn read_only<F, Args>(paths: Vec<String>, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let only_read = async |request: HttpRequest| {
        let error = ApiError::method_not_allowed(request.method());
        error.head(&[]).insert_header((header::ALLOW, "GET, HEAD")).json(error.body)
    };
    resource(paths).route(get().to(handler.clone())).route(head().to(handler)).default_service(to(only_read))
}

async fn admin_without_slash() -> HttpResponse {
    HttpResponse::MovedPermanently().insert_header((header::LOCATION, "/admin/")).finish()
}
