//! The panel: every page under `/admin/`, at Django's addresses. It writes only through `accounts` and `tokens`.
//! A handler takes a `Staff` or a `Superuser` (`access`), a form arrives as a `CsrfForm` (`csrf`), errors are pages (`error`).

pub mod access;
mod account;
mod actions;
mod address;
mod audit_log;
mod blacklisted_tokens;
mod browser;
mod changelist;
mod chart;
mod confirm;
mod cookies;
mod csrf;
mod dashboard;
mod error;
mod explain;
mod export;
mod index;
mod layout;
mod login;
mod mail;
mod outstanding_tokens;
mod search;
mod second_factor;
mod sentence;
mod session;
mod sessions;
mod settings;
mod status;
mod user;
mod users;

use actix_web::middleware::from_fn;
use actix_web::web::{Data, PathConfig, ServiceConfig, get, head, post, resource, scope, to};
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder};

use super::{claims, form, words};
use access::Staff;
use error::PageError;

use crate::app::App;

/// Every page of the panel.
pub fn routes(cfg: &mut ServiceConfig, app: &Data<App>) {
    let errors_app = app.clone();
    let pages = scope("/admin")
        .app_data(PathConfig::default().error_handler(|_, _| PageError::NoSuchPage.into()))
        .service(page("/", dashboard::dashboard))
        .service(page("/login/", login::form).route(post().to(login::log_in)))
        .service(form("/login/second-factor/").route(post().to(second_factor::answer)))
        .service(page("/logout/", login::stay).route(post().to(login::log_out)))
        .service(form("/theme/").route(post().to(login::theme)))
        .service(form("/search/").route(post().to(search::everything)))
        .service(page("/auth/", index::auth))
        .service(page("/auth/user/", users::list).route(post().to(users::search)))
        .service(page("/auth/user/export/", users::export::export))
        .configure(user_routes)
        .configure(account_routes)
        .service(page("/token_blacklist/", index::tokens))
        .service(page("/explain/", explain::form).route(post().to(explain::answer)))
        .service(page("/settings/", settings::page))
        .configure(token_routes)
        .configure(session_routes)
        .default_service(to(no_such_page))
        .wrap(session::middleware(app))
        .wrap(from_fn(move |request, next| error::show_errors(errors_app.clone(), request, next)));
    cfg.service(pages);
}

fn user_routes(cfg: &mut ServiceConfig) {
    let one = "/auth/user/{id}";
    cfg.service(page("/auth/user/add/", user::add::ask).route(post().to(user::add::add)))
        .service(page("/auth/user/action/", users::actions::bare).route(post().to(users::actions::act)))
        .service(page(&format!("{one}/"), user::bare))
        .service(page(&format!("{one}/change/"), user::change::show).route(post().to(user::change::save)))
        .service(page(&format!("{one}/password/"), user::password::ask).route(post().to(user::password::set)))
        .service(page(&format!("{one}/reset_link/"), user::reset_link::ask).route(post().to(user::reset_link::send)))
        .service(page(&format!("{one}/delete/"), user::delete::ask).route(post().to(user::delete::delete)))
        .service(page(&format!("{one}/blacklist/"), user::log_out::ask).route(post().to(user::log_out::blacklist)));
    factor_routes(cfg, one);
}

fn factor_routes(cfg: &mut ServiceConfig, one: &str) {
    use user::{browsers, second_factors as factors};
    let removal = format!("{one}/second_factors/{{factor}}/remove/");
    let requirement = format!("{one}/second_factors/{{word}}/");
    let forgetting = format!("{one}/browsers/{{browser}}/forget/");
    cfg.service(page(&removal, factors::ask_remove).route(post().to(factors::remove)))
        .service(page(&requirement, factors::ask_require).route(post().to(factors::require)))
        .service(page(&forgetting, browsers::ask).route(post().to(browsers::forget)));
}

fn account_routes(cfg: &mut ServiceConfig) {
    cfg.service(page("/account/", account::show))
        .service(form("/account/password/").route(post().to(account::password::set)))
        .service(form("/account/time_zone/").route(post().to(account::time_zone::set)))
        .service(form("/account/sessions/{id}/end/").route(post().to(account::sessions::end_panel)))
        .service(form("/account/api_sessions/{id}/end/").route(post().to(account::sessions::end_api)));
}

fn token_routes(cfg: &mut ServiceConfig) {
    use {blacklisted_tokens as blacklisted, outstanding_tokens as outstanding};
    let (tokens, entries) = ("/token_blacklist/outstandingtoken", "/token_blacklist/blacklistedtoken");
    let token = |rest| format!("{tokens}/{{id}}/{rest}");
    let entry = |rest| format!("{entries}/{{id}}/{rest}");
    cfg.service(page(&format!("{tokens}/"), outstanding::list::list).route(post().to(outstanding::list::search)))
        .service(
            page(&format!("{tokens}/action/"), outstanding::actions::bare).route(post().to(outstanding::actions::act)),
        )
        .service(page(&token(""), outstanding::detail::bare))
        .service(page(&token("change/"), outstanding::detail::change))
        .service(page(&token("reveal/"), outstanding::detail::bare).route(post().to(outstanding::detail::reveal)))
        .service(page(&token("blacklist/"), outstanding::ask).route(post().to(outstanding::blacklist)))
        .service(page(&format!("{entries}/"), blacklisted::list).route(post().to(blacklisted::search)))
        .service(page(&entry(""), blacklisted::bare))
        .service(page(&entry("change/"), blacklisted::change))
        .service(page(&entry("delete/"), blacklisted::ask).route(post().to(blacklisted::unblacklist)));
}

fn session_routes(cfg: &mut ServiceConfig) {
    cfg.service(page("/sessions/", sessions::list::list).route(post().to(sessions::list::search)))
        .service(form("/sessions/action/").route(post().to(sessions::act)))
        .service(page("/sessions/{id}/", sessions::detail::detail))
        .service(page("/sessions/{id}/end/", sessions::ask).route(post().to(sessions::end)))
        .service(page("/mail/", mail::list).route(post().to(mail::search)))
        .service(page("/audit_log/", audit_log::list).route(post().to(audit_log::search)))
        .service(page("/audit_log/export/", audit_log::export::export));
}

/// A page that can be opened.
fn page<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args> + Copy,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    form(path).route(get().to(handler)).route(head().to(handler))
}

/// An address that takes forms.
fn form(path: &str) -> Resource {
    resource(path).default_service(to(wrong_method))
}

async fn wrong_method(_: Staff) -> Result<HttpResponse, PageError> {
    Err(PageError::MethodNotAllowed)
}

/// Adds a missing slash at the end of an address for users who are logged in, as Django does.
async fn no_such_page(request: HttpRequest, _: Staff) -> Result<HttpResponse, PageError> {
    let path = request.uri().path();
    if path.ends_with('/') || path.contains("//") {
        return Err(PageError::NoSuchPage);
    }
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(layout::moved(&format!("{path}/{query}")))
}
