//! Sessions of the panel: actix-session over the rows of `accounts::admin_session`, and `Visit`, a request together with its
//! session. `access` decides what the user may do.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use actix_session::SessionMiddleware;
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, Key, SameSite};
use actix_web::dev::ServiceRequest;
use actix_web::web::Data;
use chrono_tz::Tz;

use super::error::PageError;
use super::layout::Theme;
use super::words::Reader;
use crate::accounts::admin_session::{self, AdminSession, State};
use crate::app::App;
use crate::crypto::{keyed, random};
use crate::db::DbError;
use crate::db::users::User;
use crate::journal::authentication::AuthenticatedBy;
use crate::journal::{Actor, Door};
use crate::web::extract::Client;

/// Cookies are sent back to these addresses only.
pub const PATH: &str = "/admin/";
const SESSION_COOKIE: &str = "latchkey_session";
const NONCE_COOKIE: &str = "latchkey_csrf";
/// The cookie that remembers a time zone by its IANA name.
pub const ZONE_COOKIE: &str = "latchkey_time_zone";

tokio::task_local! {
    /// The store is shared and gets only a key; this is the request that it works for.
    static VISIT: Rc<Visit>;
}

/// A request to the panel, with its session.
pub struct Visit {
    /// The shared parts of the server.
    pub app: Data<App>,
    /// Where the request comes from.
    pub client: Client,
    /// The theme in its cookie.
    pub theme: Theme,
    /// The time zone in its cookie.
    pub zone: Tz,
    /// Path and query, as sent.
    pub address: String,
    login: RefCell<Option<Login>>,
    failure: RefCell<Option<DbError>>,
    nonce: OnceCell<Nonce>,
    sent_nonce: Option<String>,
}

struct Login {
    /// The session's key; `None` during the login.
    key: Option<String>,
    user: User,
    /// How the user logged in; not read for an existing session.
    opened: AuthenticatedBy,
}

/// Identifies a browser before the login, to protect the login form.
struct Nonce {
    value: String,
    is_new: bool,
}

impl Visit {
    /// A request whose session is not loaded yet.
    pub fn new(app: Data<App>, request: &ServiceRequest) -> Self {
        let peer = request.peer_addr().map(|peer| peer.ip());
        let cookie = |name| request.cookie(name).map(|cookie| cookie.value().to_owned());
        Self {
            client: Client::of(Door::Panel, peer, request.headers(), &app.config.server.trusted_proxies),
            zone: cookie(ZONE_COOKIE).and_then(|name| name.parse().ok()).unwrap_or_default(),
            theme: Theme::of(&cookie(Theme::COOKIE).unwrap_or_default()),
            address: request.uri().path_and_query().map_or(PATH, |address| address.as_str()).to_owned(),
            login: RefCell::default(),
            failure: RefCell::default(),
            nonce: OnceCell::new(),
            sent_nonce: cookie(NONCE_COOKIE).filter(|value| is_nonce(value)),
            app,
        }
    }

    /// Runs the rest of the request, with this as the store's request.
    pub async fn scope<F: Future>(self: Rc<Self>, rest: F) -> F::Output {
        VISIT.scope(self, rest).await
    }

    /// The user of the session.
    pub fn user(&self) -> Option<User> {
        self.login.borrow().as_ref().map(|login| login.user.clone())
    }

    /// The reader of the page.
    pub fn reader(&self) -> Reader {
        Reader { now: self.app.now(), zone: self.zone }
    }

    /// The user, for the audit log.
    pub fn actor(&self, user: &User) -> Actor {
        let ip = self.client.ip.map(|ip| ip.to_string());
        Actor { user_id: Some(user.id), name: user.username.clone(), ip }
    }

    /// The key of its session.
    pub fn key(&self) -> Option<String> {
        self.login.borrow().as_ref().and_then(|login| login.key.clone())
    }

    /// Checks again that the session exists and that its user still has the same rights.
    ///
    /// # Errors
    /// The session ended, or the rights changed since the request began.
    pub async fn look_again(&self) -> Result<(), PageError> {
        let (Some(key), Some(then)) = (self.key(), self.user()) else { return Ok(()) };
        let found = admin_session::find(&self.app, &key).await?;
        let now = found.map(|session| session.user).ok_or_else(|| PageError::LoginRequired(self.address.clone()))?;
        let rights = |user: &User| (user.id, user.is_active, user.is_staff, user.is_superuser);
        if rights(&then) == rights(&now) { Ok(()) } else { Err(PageError::NotStaff) }
    }

    /// Updates the user after they changed their password, so that the session stays valid.
    pub fn refresh(&self, user: User) {
        if let Some(login) = self.login.borrow_mut().as_mut() {
            login.user = user;
        }
    }

    /// Logs the user in; the session's row is inserted when the answer is sent.
    pub fn log_in(&self, user: User, opened: AuthenticatedBy) {
        *self.login.borrow_mut() = Some(Login { key: None, user, opened });
    }

    /// What a form's token is bound to: the session, or else the browser's nonce.
    pub fn binding(&self) -> String {
        match self.login.borrow().as_ref().and_then(|login| login.key.as_ref()) {
            Some(key) => format!("session {key}"),
            None => format!("nonce {}", self.nonce().value),
        }
    }

    fn nonce(&self) -> &Nonce {
        self.nonce.get_or_init(|| match &self.sent_nonce {
            Some(value) => Nonce { value: value.clone(), is_new: false },
            None => Nonce { value: random::hex(&random::bytes::<16>()), is_new: true },
        })
    }

    /// The cookie with the nonce, if the browser does not have it yet.
    pub fn new_nonce_cookie(&self) -> Option<Cookie<'static>> {
        let nonce = self.nonce.get().filter(|nonce| nonce.is_new)?;
        Some(self.cookie(NONCE_COOKIE, nonce.value.clone()))
    }

    /// A cookie for the panel only.
    pub fn cookie(&self, name: &'static str, value: String) -> Cookie<'static> {
        Cookie::build(name, value)
            .path(PATH)
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(is_https(&self.app))
            .finish()
    }

    /// Why the session could not be read or written, if it failed.
    pub fn take_failure(&self) -> Option<DbError> {
        self.failure.borrow_mut().take()
    }

    fn fail(&self, error: DbError) -> anyhow::Error {
        let text = error.to_string();
        *self.failure.borrow_mut() = Some(error);
        anyhow::Error::msg(text)
    }
}

fn is_nonce(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_https(app: &App) -> bool {
    app.config.server.public_url.scheme() == "https"
}

/// actix-session's middleware with our store and cookie.
pub fn middleware(app: &Data<App>) -> SessionMiddleware<Store> {
    SessionMiddleware::builder(Store { app: app.clone() }, cookie_key(app))
        .cookie_name(SESSION_COOKIE.to_owned())
        .cookie_path(PATH.to_owned())
        .cookie_same_site(SameSite::Lax)
        .cookie_http_only(true)
        .cookie_secure(is_https(app))
        .build()
}

/// The key that encrypts the cookie, derived from `SECRET_KEY`.
fn cookie_key(app: &App) -> Key {
    let half = |label| keyed::mac(&app.config.secret_key, label, &[]).bytes();
    Key::from(&[half("latchkey session cookie 1"), half("latchkey session cookie 2")].concat())
}

/// actix-session's store over `latchkey_admin_session`, which decides how long a session lives.
pub struct Store {
    app: Data<App>,
}

impl SessionStore for Store {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let visit = VISIT.get();
        let found = admin_session::find(&self.app, key.as_ref()).await;
        let found = found.map_err(|error| LoadError::Other(visit.fail(error)))?;
        Ok(found.map(|AdminSession { state, user }| {
            *visit.login.borrow_mut() =
                Some(Login { key: Some(key.as_ref().to_owned()), user, opened: AuthenticatedBy::Password });
            state
        }))
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        let visit = VISIT.get();
        let no_user = || SaveError::Other(anyhow::Error::msg("a session needs a user"));
        let user = visit.user().ok_or_else(no_user)?;
        let opened = visit.login.borrow().as_ref().map_or(AuthenticatedBy::Password, |login| login.opened);
        let key = admin_session::start(&self.app, &user, (opened, state), &visit.client).await;
        let key = key.map_err(|error| SaveError::Other(visit.fail(error)))?;
        key.try_into().map_err(|error| SaveError::Other(anyhow::Error::new(error)))
    }

    async fn update(&self, key: SessionKey, state: State, _: &Duration) -> Result<SessionKey, UpdateError> {
        let visit = VISIT.get();
        let Some(user) = visit.user() else { return Ok(key) };
        let saved = admin_session::save(&self.app, key.as_ref(), &user, state).await;
        saved.map(|()| key).map_err(|error| UpdateError::Other(visit.fail(error)))
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        let visit = VISIT.get();
        let ip = visit.client.address();
        admin_session::end(&self.app, key.as_ref(), ip).await.map_err(|error| visit.fail(error))
    }
}
