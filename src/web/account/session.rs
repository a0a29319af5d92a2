//! The cookie of an account session, which is a login to the account pages, and `CurrentUser`: whoever has one. A page
//! that takes a `CurrentUser` sends everybody else to the login.

use std::pin::Pin;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev};
use secrecy::{ExposeSecret, SecretString};

use super::error::AccountError;
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

/// Browsers send the cookie to these pages only.
const PATH: &str = "/account/";

/// A user who is logged in to the account pages, and the request that they send.
pub struct CurrentUser {
    /// The shared parts of the server.
    pub app: Data<App>,
    /// Where the request comes from.
    pub client: Client,
    /// The account session, found open.
    pub session: AccountSession,
}

impl CurrentUser {
    /// The user.
    pub fn user(&self) -> &User {
        self.session.user()
    }
}

impl FromRequest for CurrentUser {
    type Error = AccountError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AccountError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let client = Client::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let app = request.app_data::<Data<App>>().ok_or(AccountError::Other("no app"))?.clone();
            // A form with an address of its own leads back to the overview after the login.
            let login_required = AccountError::LoginRequired(place(request.path()));
            // With two cookies of this name, one may come from a site under the same parent domain that wants the user to
            // add a second factor to another account.
            let [token] = values(name(&app.config), request.headers())[..] else { return Err(login_required) };
            let session = account_session::find(&app, token.to_owned().into()).await?.ok_or(login_required)?;
            Ok(Self { client: client.await.unwrap_or_else(|error| match error {}), app, session })
        })
    }
}

/// Starts an account session for a user whose password was just found correct, and answers where to go with it. For the
/// panel, which cannot complete the login of a user who must have a second factor and has none.
pub async fn enter(app: &App, user: &User, client: &Client) -> Result<HttpResponse, DbError> {
    match account_login::begin(app, user, client).await? {
        Step::In(token) => Ok(start(app, &token, FACTORS)),
        // The user has added a second factor meanwhile: the login asks for it.
        Step::Factor(..) => Ok(redirect(LOGIN)),
    }
}

/// The answer that sets the cookie.
pub fn start(app: &App, token: &SecretString, next: &'static str) -> HttpResponse {
    let lifetime = Purpose::AccountSession.lifetime(app);
    let mut cookie = cookie(&app.config, token.expose_secret().to_owned());
    cookie.set_max_age(Duration::try_from(lifetime).unwrap_or(Duration::ZERO));
    let mut answer = redirect(next);
    // It fails only for a cookie that is not a valid header, and a token always is one.
    let _ = answer.add_cookie(&cookie);
    answer
}

/// The answer that removes the cookie.
pub fn end(config: &Config, next: &'static str) -> HttpResponse {
    let mut answer = redirect(next);
    let _ = answer.add_removal_cookie(&cookie(config, String::new()));
    answer
}

/// On to another page, by GET.
pub fn redirect(next: &'static str) -> HttpResponse {
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

/// A site without https cannot set a cookie with the prefix.
fn name(config: &Config) -> &'static str {
    if is_secure(config) { "__Secure-latchkey_account" } else { "latchkey_account" }
}

fn is_secure(config: &Config) -> bool {
    config.server.public_url.scheme() == "https"
}
