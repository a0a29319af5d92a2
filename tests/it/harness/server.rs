//! The real server, in this process, on a free port, with a clock that stands still until a test moves it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use latchkey::accounts::Actor;
use latchkey::accounts::manage::{self, NewPassword, NewUser};
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::db::types::UserId;
use latchkey::db::users::User;
use serde_json::json;

use super::database::{Backend, TestDatabase};
use super::http::{Answer, Client};
use super::{Panel, forge};

/// When the tests happen: 2026-03-01 12:00:00.123456 UTC, in seconds since 1970.
pub const NOW: i64 = 1_772_366_400;
const MICROSECONDS: i64 = 123_456;

/// `SECRET_KEY` of every test, which signs the tokens too. The recorded Django has the same.
pub const SECRET: &str = "django-insecure-recorded-key-of-the-tests-0123456789";

/// The password of every user that a test makes.
pub const PASSWORD: &str = "violet-harbour-17";

/// The server, its database and a client for it. It stops when this is dropped.
pub struct Server {
    pub app: Arc<App>,
    pub client: Client,
    pub port: u16,
    running: Option<Running>,
    runtime: tokio::runtime::Runtime,
    // Last, so that it goes away after everything that is connected to it.
    pub db: TestDatabase,
}

/// What a login or a refresh answers.
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
