//! The cookie of a visit to one's own account, and `Visitor`: whoever has one. A page that asks for a `Visitor` sends
//! everybody else to the login.

use std::pin::Pin;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev};
use secrecy::{ExposeSecret, SecretString};

use super::trouble::Trouble;
use super::{FACTORS, LOGIN, place};
use crate::accounts::account_session::{self, AccountSession};
use crate::app::App;
use crate::config::Config;
use crate::db::DbError;
use crate::db::users::User;
use crate::factors::account_login;
use crate::factors::account_login::Step;
use crate::guard::ticket::Purpose;
use crate::web::api::cookie::values;
use crate::web::extract::Client;

/// Browsers send it to these pages only.
const PATH: &str = "/account/";

/// Somebody with an open visit.
pub struct Visitor(pub AccountSession);

impl Visitor {
    /// Whose account it is.
    pub fn user(&self) -> &User {
        self.0.user()
    }
}

impl FromRequest for Visitor {
    type Error = Trouble;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Trouble>>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = request.app_data::<Data<App>>().ok_or(Trouble::Other("no app"))?.clone().into_inner();
            // Who sends a form to a page of its own comes back to the overview.
            let next = place(request.path());
            // A neighbour under the same domain may have set one more, so that the visitor enrols in another account.
            let [token] = values(name(&app.config), request.headers())[..] else { return Err(Trouble::NoVisit(next)) };
            let token = token.to_owned().into();
            account_session::find(&app, token).await?.map(Self).ok_or(Trouble::NoVisit(next))
        })
    }
}

/// Opens a visit for a user whose password was right just now, and answers where to go with it. For another door, whose
/// login this user cannot finish: they must have a second factor and have none.
pub async fn enter(app: &App, user: &User, client: &Client) -> Result<HttpResponse, DbError> {
    match account_login::begin(app, user, client).await? {
        Step::In(token) => Ok(go_in(app, &token, FACTORS)),
        // Somebody enrolled one just now: they are asked for it as everybody is.
        Step::Factor(..) => Ok(see(LOGIN)),
    }
}

/// The answer that brings the cookie.
pub fn go_in(app: &App, token: &SecretString, next: &'static str) -> HttpResponse {
    let lifetime = Purpose::AccountSession.lifetime(app);
    let mut cookie = cookie(&app.config, token.expose_secret().to_owned());
    cookie.set_max_age(Duration::try_from(lifetime).unwrap_or(Duration::ZERO));
    let mut answer = see(next);
    // Nothing of ours makes a cookie that is no header.
    let _ = answer.add_cookie(&cookie);
    answer
}

/// The answer that takes it away.
pub fn go_out(config: &Config, next: &'static str) -> HttpResponse {
    let mut answer = see(next);
    let _ = answer.add_removal_cookie(&cookie(config, String::new()));
    answer
}

/// Somewhere else, whatever was sent.
pub fn see(next: &'static str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, next)).finish()
}

fn cookie(config: &Config, value: String) -> Cookie<'static> {
    Cookie::build(name(config), value)
        .path(PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(is_secure(config))
        .finish()
}

/// A neighbour without https cannot set one with the prefix.
fn name(config: &Config) -> &'static str {
    if is_secure(config) { "__Secure-latchkey_account" } else { "latchkey_account" }
}

fn is_secure(config: &Config) -> bool {
    config.server.public_url.scheme() == "https"
}
