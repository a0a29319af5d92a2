//! The real thing under the proof: several servers on one database, each with an observer that the conductor holds, and
//! one user with tokens. A call of the model becomes a call of `latchkey::tokens` or `latchkey::accounts` here.

use std::sync::Arc;

use chrono::TimeDelta;
use latchkey::accounts::change;
use latchkey::accounts::confirm::Confirmed;
use latchkey::accounts::login::{Credentials, LoginError};
use latchkey::accounts::manage::{self, NewPassword};
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::db::DbError;
use latchkey::db::types::UserId;
use latchkey::journal::Client;
use latchkey::tokens::login::{ObtainError, Password};
use latchkey::tokens::revoke::{self, LogoutError};
use latchkey::tokens::verify::{self, AuthError, Authenticated};
use latchkey::tokens::{RefreshError, refresh};
use latchkey::tokens::{TokenError, introspect, obtain};
use serde_json::json;

use super::conductor::{Conductor, seat_name};
use super::factors::{Added, Begun, Factors};
use super::model::{Call, Reply, Token};
use crate::harness::server::{NOW, fixed_clock, new_user, open_app};
use crate::harness::{Backend, PASSWORD, Pair, TestDatabase, forge};

/// A server of its own: settings, pools, writer. Without HTTP.
pub struct Seat {
    pub app: App,
    runtime: tokio::runtime::Runtime,
}

/// Servers on one database.
pub struct World {
    pub database: TestDatabase,
    pub conductor: Arc<Conductor>,
    pub seats: Vec<Seat>,
    clock: Clock,
    began: i64,
}

/// The user of one schedule, and what they got.
pub struct Cast {
    pub user: UserId,
    name: String,
    pub factors: Factors,
    pub tokens: Vec<Pair>,
    /// Access tokens, with the refresh token that they came with.
    pub accesses: Vec<(Token, String)>,
}

/// What a call answered.
pub enum Answer {
    Pair(Pair),
    Access(String),
    /// The token of a challenge.
    Waits(String),
    Begun(Begun),
    Added(Added),
    Done,
    Refused,
    /// An error that no client should see.
    Broken(String),
}

impl World {
    pub fn new(backend: Backend, seats: usize, settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::migrated(backend);
        let conductor = Arc::new(Conductor::new(&database));
        let clock = fixed_clock();
        let began = clock.now().timestamp();
        let seat = |number| Seat::open(&database, number, settings, &clock, &conductor);
        let seats = (0..seats).map(seat).collect();
        Self { database, conductor, seats, clock, began }
    }

    /// A user without tokens.
    pub fn cast(&self, name: &str) -> Cast {
        let seat = &self.seats[0];
        let user = seat.wait(manage::create(&seat.app, &Confirmed::command_line(), new_user(name))).unwrap();
        Cast {
            user: user.id,
            name: name.to_owned(),
            factors: Factors::default(),
            tokens: Vec::new(),
            accesses: Vec::new(),
        }
    }

    /// Makes a call, with nothing else at the same time.
    pub fn call(&self, cast: &mut Cast, call: Call) -> Reply {
        match call {
            Call::Wait(seconds) => {
                self.clock.advance(TimeDelta::seconds(seconds));
                Reply::Done
            }
            Call::Django => {
                let token = self.django(cast);
                cast.tokens.push(Pair { refresh: token, access: String::new() });
                Reply::Token(cast.tokens.len() - 1)
            }
            call => {
                let answer = self.seats[0].call(cast, call);
                cast.note(call, &answer)
            }
        }
    }

    /// A refresh token as Django issues it: only its own table knows of it.
    fn django(&self, cast: &Cast) -> String {
        let jti = format!("django{:026}", self.database.count("SELECT count(*) FROM token_blacklist_outstandingtoken"));
        let expires = NOW + 86_400 + (self.clock.now().timestamp() - self.began);
        let token = forge::token("refresh", cast.user, |claims| {
            (claims["jti"], claims["exp"]) = (json!(jti), json!(expires));
        });
        let expires_at = chrono::DateTime::from_timestamp(expires, 0).unwrap().format("%F %T");
        self.database.execute(&format!(
            "INSERT INTO token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti) \
             VALUES ('{token}', NULL, '{expires_at}', {}, '{jti}')",
            cast.user
        ));
        token
    }
}

impl Seat {
    fn open(
        database: &TestDatabase,
        number: usize,
        settings: &[(&str, &str)],
        clock: &Clock,
        conductor: &Arc<Conductor>,
    ) -> Self {
        let url = match database.backend {
            Backend::Sqlite => database.url.clone(),
            Backend::Postgres => format!("{}?application_name={}", database.url, seat_name(number)),
        };
        let app = open_app(&url, settings, clock.clone());
        let conductor = Arc::clone(conductor);
        app.db.observe(Box::new(move |event| conductor.hear(number, event)));
        Self { app, runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap() }
    }

    fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Makes a call to this server.
    pub fn call(&self, cast: &Cast, call: Call) -> Answer {
        self.wait(self.answer(cast, call)).unwrap_or_else(|refusal| refusal)
    }

    async fn answer(&self, cast: &Cast, call: Call) -> Result<Answer, Answer> {
        let (app, by) = (&self.app, Confirmed::command_line());
        match call {
            Call::LogIn => {
                let credentials = Credentials { login: cast.name.clone(), password: PASSWORD.into() };
                let password = Password { credentials, browser: None };
                let pair = obtain::pair(app, password, Client::default()).await?;
                return Ok(Answer::Pair(Pair { refresh: pair.refresh, access: pair.access }));
            }
            Call::Refresh(token, key) => {
                let key = key.map(String::from);
                let token = &cast.tokens[token].refresh;
                let got = refresh::rotate(app, token, Client::default(), key.as_deref()).await?;
                return Ok(match got.refresh {
                    Some(refresh) => Answer::Pair(Pair { refresh, access: got.access }),
                    None => Answer::Access(got.access),
                });
            }
            Call::Blacklist(token) => revoke::blacklist(app, &cast.tokens[token].refresh, Client::default()).await?,
            Call::LogOut(token) => {
                let caller = self.caller(cast, token).await?;
                revoke::logout(app, &caller.user, &cast.tokens[token].refresh, Client::default()).await?;
            }
            Call::LogOutAll(token) => {
                let caller = self.caller(cast, token).await?;
                revoke::logout_all(app, &caller.user, Client::default()).await?;
            }
            Call::LogOutOthers(token) => {
                let caller = self.caller(cast, token).await?;
                revoke::logout_others(app, &caller, Some(&cast.tokens[token].refresh), Client::default()).await?;
            }
            Call::Me(_, access) => drop(verify::authenticate(app, &cast.accesses[access].1).await?),
            Call::Introspect(token) => active(introspect::introspect(app, &cast.tokens[token].refresh).await?)?,
            Call::IntrospectAccess(_, access) => active(introspect::introspect(app, &cast.accesses[access].1).await?)?,
            Call::Revoke(token) => {
                revoke::revoke(app, &cast.tokens[token].refresh, Client::default()).await.map_err(broken)?;
            }
            Call::Disable => change::set_active(app, &by, cast.user, false).await.map_err(broken)?,
            Call::ChangePassword => {
                let password = NewPassword::Plain("orange-bridge-23".into());
                change::set_password(app, &by, cast.user, password).await.map_err(broken)?;
            }
            Call::Delete => change::delete(app, &by, cast.user).await.map_err(broken)?,
            Call::Begin(_) | Call::Confirm(_) | Call::Answer(..) | Call::Remove(_) => {
                return self.answer_factor(cast, call).await;
            }
            Call::Django | Call::Wait(_) => unreachable!("only before and after"),
        }
        Ok(Answer::Done)
    }

    async fn caller(&self, cast: &Cast, token: Token) -> Result<Authenticated, Answer> {
        Ok(verify::authenticate(&self.app, &cast.tokens[token].access).await?)
    }
}

impl Cast {
    /// Gives what was answered the names that the model has for it.
    pub fn note(&mut self, call: Call, answer: &Answer) -> Reply {
        self.factors.keep(call, answer);
        match answer {
            Answer::Pair(pair) | Answer::Added(Added { pair: Some(pair), .. }) => self.note_pair(pair),
            Answer::Waits(_) => Reply::Challenge(self.factors.challenges.len() - 1),
            Answer::Begun(_) | Answer::Added(_) | Answer::Done => Reply::Done,
            Answer::Access(access) => {
                if let Call::Refresh(token, _) = call {
                    self.tokens[token].access.clone_from(access);
                    self.accesses.push((token, access.clone()));
                }
                Reply::Access
            }
            Answer::Refused => Reply::Refused,
            Answer::Broken(error) => panic!("{call:?}: {error}"),
        }
    }

    fn note_pair(&mut self, pair: &Pair) -> Reply {
        let jti = forge::jti(&pair.refresh);
        let known = self.tokens.iter().position(|token| forge::jti(&token.refresh) == jti);
        let token = known.unwrap_or(self.tokens.len());
        self.accesses.push((token, pair.access.clone()));
        if known.is_none() {
            self.tokens.push(pair.clone());
        }
        Reply::Token(token)
    }
}

/// What introspection says of a token: `None` is inactive.
fn active<T>(found: Option<T>) -> Result<(), Answer> {
    found.map(drop).ok_or(Answer::Refused)
}

pub fn broken(error: impl std::fmt::Display) -> Answer {
    Answer::Broken(error.to_string())
}

impl From<TokenError> for Answer {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Db(error) => broken(error),
            _ => Self::Refused,
        }
    }
}

impl From<RefreshError> for Answer {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Token(error) => error.into(),
            _ => Self::Refused,
        }
    }
}

impl From<LogoutError> for Answer {
    fn from(error: LogoutError) -> Self {
        match error {
            LogoutError::Token(error) => error.into(),
            _ => Self::Refused,
        }
    }
}

impl From<ObtainError> for Answer {
    fn from(error: ObtainError) -> Self {
        match error {
            ObtainError::Login(error) => error.into(),
            ObtainError::SecondFactor(pending) => pending.into(),
        }
    }
}

impl From<LoginError> for Answer {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::NoActiveAccount => Self::Refused,
            other => broken(other),
        }
    }
}

impl From<AuthError> for Answer {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Db(error) => broken(error),
            _ => Self::Refused,
        }
    }
}

impl From<DbError> for Answer {
    fn from(error: DbError) -> Self {
        broken(error)
    }
}
