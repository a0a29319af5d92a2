//! The real server, in this process, on a free port, with a clock that stands still until a test moves it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use latchkey::accounts::change;
use latchkey::accounts::confirm::Confirmed;
use latchkey::accounts::manage::{self, NewPassword, NewUser};
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::db::types::UserId;
use latchkey::db::users::User;
use latchkey::mail::queue::{self, Delivered};
use serde_json::json;

use super::database::{Backend, TestDatabase};
use super::http::{Answer, Client};
use super::{Panel, forge};

/// The time of the tests: 2026-03-01 12:00:00.123456 UTC, in seconds since 1970.
pub const NOW: i64 = 1_772_366_400;
const MICROSECONDS: i64 = 123_456;

/// `SECRET_KEY` of every test, which also signs the tokens. The recorded Django has the same one.
pub const SECRET: &str = "django-insecure-recorded-key-of-the-tests-0123456789";

/// The password of every user that a test creates.
pub const PASSWORD: &str = "violet-harbour-17";

/// The server, its database and a client for it. It stops when this is dropped.
pub struct Server {
    pub app: App,
    pub client: Client,
    pub port: u16,
    running: Option<Running>,
    runtime: tokio::runtime::Runtime,
    // Last, so that it is dropped after everything that is connected to it.
    pub db: Arc<TestDatabase>,
}

/// An `App` with the settings of the tests, and these in addition.
pub fn open_app(database_url: &str, settings: &[(&str, &str)], clock: Clock) -> App {
    let mut all = HashMap::from([
        ("HOST", "127.0.0.1"),
        ("PORT", "0"),
        ("WORKERS", "2"),
        ("SECRET_KEY", SECRET),
        ("DATABASE_URL", database_url),
        ("DATABASE_POOL_SIZE", "4"),
        ("BCRYPT_ROUNDS", "4"),
        // The tests' passwords are short; the rules have tests of their own.
        ("PASSWORD_RULES", "none"),
    ]);
    all.extend(settings.iter().copied());
    let config = Config::load(&|name| all.get(name).map(|value| (*value).to_owned())).expect("good settings");
    App::open(config, clock).unwrap()
}

/// A clock that stands still at `NOW`.
pub fn fixed_clock() -> Clock {
    Clock::fixed(DateTime::from_timestamp_micros(NOW * 1_000_000 + MICROSECONDS).unwrap())
}

/// The answer to a login or a refresh.
#[derive(Debug, Clone)]
pub struct Pair {
    pub refresh: String,
    pub access: String,
}

impl Pair {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        let body = answer.expect_status(200).json();
        let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned();
        Self { refresh: text("refresh"), access: text("access") }
    }
}

impl Server {
    /// The server with the tests' settings, on a migrated database without users.
    pub fn start(backend: Backend) -> Self {
        Self::with(backend, &[])
    }

    /// The same with further settings.
    pub fn with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        Self::on(TestDatabase::migrated(backend), settings)
    }

    /// The server on a database that the test has prepared.
    pub fn on(db: impl Into<Arc<TestDatabase>>, settings: &[(&str, &str)]) -> Self {
        let db = db.into();
        let app = open_app(&db.url, settings, fixed_clock());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let running = Running::start(app.clone());
        Self { app, client: Client::new(running.port), port: running.port, running: Some(running), runtime, db }
    }

    /// Waits for the result of one of the server's functions.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Sends every mail that is due, as the running server does in the background.
    pub fn deliver_mail(&self) -> Delivered {
        self.wait(queue::deliver_due(&self.app.db, &self.app.mailer, &self.app.clock)).unwrap()
    }

    /// Moves the server's clock.
    pub fn advance(&self, seconds: i64) {
        self.app.clock.advance(TimeDelta::seconds(seconds));
    }
}

/// A user who may log in, with `PASSWORD` and NAME@example.com.
pub fn new_user(name: &str) -> NewUser {
    NewUser {
        username: name.to_owned(),
        email: format!("{name}@example.com"),
        is_active: true,
        password: NewPassword::Plain(PASSWORD.into()),
        ..NewUser::default()
    }
}

/// Changes that tests make to users, without the API.
impl Server {
    /// A user who may log in, with `PASSWORD` and NAME@example.com.
    pub fn add_user(&self, name: &str) -> User {
        self.add(name, |_| {})
    }

    /// A user who may view the panel.
    pub fn add_staff(&self, name: &str) -> User {
        self.add(name, |user| user.is_staff = true)
    }

    /// A user who may do everything.
    pub fn add_superuser(&self, name: &str) -> User {
        self.add(name, |user| (user.is_staff, user.is_superuser) = (true, true))
    }

    /// A user who may log in, altered by `change`.
    pub fn add(&self, name: &str, change: impl FnOnce(&mut NewUser)) -> User {
        let mut user = new_user(name);
        change(&mut user);
        self.wait(manage::create(&self.app, &Confirmed::command_line(), user)).unwrap()
    }

    pub fn set_active(&self, id: UserId, active: bool) {
        self.wait(change::set_active(&self.app, &Confirmed::command_line(), id, active)).unwrap();
    }

    pub fn set_password(&self, id: UserId, password: &str) {
        self.wait(change::set_password(&self.app, &Confirmed::command_line(), id, NewPassword::Plain(password.into())))
            .unwrap();
    }

    pub fn delete(&self, id: UserId) {
        self.wait(change::delete(&self.app, &Confirmed::command_line(), id)).unwrap();
    }
}

/// The requests that most tests begin with.
impl Server {
    pub fn obtain(&self, username: &str, password: &str) -> Answer {
        self.client.post("/api/token/", &json!({"username": username, "password": password}))
    }

    /// Gets a token pair for a user with the usual password.
    #[track_caller]
    pub fn log_in(&self, username: &str) -> Pair {
        Pair::of(&self.obtain(username, PASSWORD))
    }

    pub fn refresh(&self, refresh: &str) -> Answer {
        self.client.post("/api/token/refresh/", &json!({"refresh": refresh}))
    }

    pub fn me(&self, access: &str) -> Answer {
        self.client.get("/api/me/", &[("authorization", &format!("Bearer {access}"))])
    }

    /// A browser in the panel that is not logged in.
    pub fn panel(&self) -> Panel {
        Panel::new(self.client.clone())
    }

    /// A browser in the panel that has logged in with the usual password.
    #[track_caller]
    pub fn panel_of(&self, username: &str) -> Panel {
        let mut panel = self.panel();
        panel.log_in(username, PASSWORD).expect_status(303);
        panel
    }

    /// The key of the outstanding token that was issued as this text.
    pub fn token_id(&self, token: &str) -> i64 {
        self.db.count(&format!("SELECT id FROM token_blacklist_outstandingtoken WHERE jti = '{}'", forge::jti(token)))
    }
}

/// The server's thread. When this is dropped, it finishes open requests and ends.
pub struct Running {
    pub port: u16,
    handle: actix_web::dev::ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    pub fn start(app: App) -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let running = latchkey::web::server::start(app).expect("a free port");
                tell.send((running.address.port(), running.handle)).unwrap();
                running.server.await.expect("the server runs to its end");
            });
        });
        let (port, handle) = told.recv().expect("the server starts");
        Self { port, handle, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            drop(running.handle.stop(false));
            if running.thread.take().unwrap().join().is_err() {
                assert!(std::thread::panicking(), "the server panicked");
            }
        }
    }
}
