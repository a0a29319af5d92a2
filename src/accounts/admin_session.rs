//! Logins to the panel: rows that can be listed and ended. The cookie's key is stored only as a SHA-256.

use std::collections::HashMap;

use crate::app::App;
use crate::db::DbError;
use crate::db::users::User;

/// What a session remembers between requests.
pub type State = HashMap<String, String>;

/// A live session and its user.
#[derive(Debug, Clone)]
pub struct AdminSession {
    /// What it remembers.
    pub state: State,
    /// Whose it is: read in the same query, so never stale.
    pub user: User,
}

/// Starts a session for `user` and answers the key for the cookie.
pub async fn start(
    _app: &App,
    _user: &User,
    _state: State,
    _ip: Option<String>,
    _user_agent: String,
) -> Result<String, DbError> {
    unimplemented!()
}

/// The session of a key: `None` if it ended, expired, or its user's password changed or was disabled. One query.
pub async fn find(_app: &App, _key: &str) -> Result<Option<AdminSession>, DbError> {
    unimplemented!()
}

/// Replaces what the session remembers.
pub async fn save(_app: &App, _key: &str, _state: State) -> Result<(), DbError> {
    unimplemented!()
}

/// Ends a session; no error if it is gone already.
pub async fn end(_app: &App, _key: &str) -> Result<(), DbError> {
    unimplemented!()
}
