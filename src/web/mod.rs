//! The HTTP door. `routes` is THE route table: every URL of the server stands in it, on one screen.
//! How a request is answered stands in the file that the URL names; what all requests share, in `middleware`.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, ServiceConfig, get, redirect, resource, to};

pub mod admin;
pub mod api;
pub mod assets;
mod claims;
mod cors;
pub mod extract;
pub mod health;
pub mod middleware;
mod origin;
pub mod server;
mod words;

use crate::app::App;

use api::{logout, me, sliding, token, view};

/// Every URL of the server. API paths work with and without their last slash.
pub fn routes(cfg: &mut ServiceConfig, app: &Data<App>) {
    for api in ["/api", "/api/v1"] {
        cfg.service(view::<token::Obtain>(&format!("{api}/token")))
            .service(view::<token::Refresh>(&format!("{api}/token/refresh")))
            .service(view::<token::Verify>(&format!("{api}/token/verify")))
            .service(view::<token::Blacklist>(&format!("{api}/token/blacklist")))
            .service(view::<sliding::Obtain>(&format!("{api}/token/sliding")))
            .service(view::<sliding::Refresh>(&format!("{api}/token/sliding/refresh")))
            .service(view::<logout::Logout>(&format!("{api}/logout")))
            .service(view::<me::Me>(&format!("{api}/me")));
    }
    cfg.service(view::<logout::Logout>("/logout_token"))
        .service(resource(health::ALIVE).to(health::alive))
        .service(resource(health::READY).to(health::ready))
        .service(resource("/static/{path:.*}").route(get().to(assets::serve)))
        .service(redirect("/", "/admin/").using_status_code(StatusCode::FOUND))
        .service(resource("/admin").to(admin_without_slash))
        .configure(|cfg| admin::routes(cfg, app))
        .default_service(to(middleware::not_found));
}

async fn admin_without_slash() -> HttpResponse {
    HttpResponse::MovedPermanently().insert_header((header::LOCATION, "/admin/")).finish()
}
