//! Who does something: a user, somebody unknown, or the command line; and the machine that a request comes from.

use std::net::IpAddr;

use crate::db::types::UserId;
use crate::db::users::User;

/// The machine at the other end of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Its address; behind a trusted proxy the one that the proxy names.
    pub ip: Option<IpAddr>,
    /// `User-Agent`, at most 255 characters.
    pub user_agent: String,
}

impl Client {
    /// Its address, as it is stored.
    pub fn address(&self) -> Option<String> {
        self.ip.map(|ip| ip.to_string())
    }
}

/// Who does something, for the audit log and for "blacklisted by".
#[derive(Debug, Clone)]
pub struct Actor {
    /// The user, where it is one.
    pub user_id: Option<UserId>,
    /// A username, "Command line", "Latchkey" or "Somebody".
    pub name: String,
    /// Where the request came from.
    pub ip: Option<String>,
}

impl Actor {
    /// A user, at this machine.
    pub fn user(user: &User, client: &Client) -> Self {
        Self { user_id: Some(user.id), name: user.username.clone(), ip: client.address() }
    }

    /// Nobody knows who: whoever held the token, or typed the password.
    pub fn somebody(client: &Client) -> Self {
        Self { user_id: None, name: "Somebody".to_owned(), ip: client.address() }
    }

    /// Somebody at the command line.
    pub fn command_line() -> Self {
        Self { user_id: None, name: "Command line".to_owned(), ip: None }
    }
}
