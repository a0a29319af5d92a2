//! Users and their passwords: who may log in, and every change to an account. Knows nothing of HTTP.

pub mod admin_session;
pub mod audit;
pub mod load;
pub mod login;
pub mod manage;
pub mod user;

use crate::db::types::UserId;

/// Who does something, for the audit log and for "blacklisted by".
#[derive(Debug, Clone)]
pub struct Actor {
    /// The user, where it is one.
    pub user_id: Option<UserId>,
    /// A username, "Command line" or "Latchkey".
    pub name: String,
    /// Where the request came from.
    pub ip: Option<String>,
}

impl Actor {
    /// Somebody at the command line.
    pub fn command_line() -> Self {
        Self { user_id: None, name: "Command line".to_owned(), ip: None }
    }
}
