//! Who acts: a user, an unknown person or the command line; and the client that a request comes from.

use std::net::{IpAddr, Ipv6Addr};

use crate::db::types::UserId;
use crate::db::users::User;

/// Where users log in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Door {
    /// The API.
    #[default]
    Api,
    /// The admin panel.
    Panel,
    /// The account pages.
    Account,
}

impl Door {
    /// The word in the audit log.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The client that sent a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The address; behind a trusted proxy, the one that the proxy reports.
    pub ip: Option<IpAddr>,
    /// `User-Agent`, at most 255 characters.
    pub user_agent: String,
    /// The door that the request was sent to.
    pub door: Door,
}

impl Client {
    /// The address as it is stored.
    pub fn address(&self) -> Option<String> {
        self.ip.map(|ip| ip.to_string())
    }

    /// The network that counts as one source: an IPv4 address, or an IPv6 /64, whose addresses all belong to one
    /// customer (RFC 6177, section 2). Empty if the address is unknown.
    pub fn network(&self) -> String {
        match self.ip.map(|ip| ip.to_canonical()) {
            None => String::new(),
            Some(IpAddr::V4(ip)) => ip.to_string(),
            Some(IpAddr::V6(ip)) => format!("{}/64", Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        }
    }
}

/// Who acts, for the audit log and for "blacklisted by".
#[derive(Debug, Clone)]
pub struct Actor {
    /// The user, if it is one.
    pub user_id: Option<UserId>,
    /// A username, "Command line", "Latchkey" or "Somebody".
    pub name: String,
    /// Where the request came from.
    pub ip: Option<String>,
}

impl Actor {
    /// A user, with this client.
    pub fn user(user: &User, client: &Client) -> Self {
        Self { user_id: Some(user.id), name: user.username.clone(), ip: client.address() }
    }

    /// An unknown person: the holder of a token, or the one who typed a password.
    pub fn somebody(client: &Client) -> Self {
        Self { user_id: None, name: "Somebody".to_owned(), ip: client.address() }
    }

    /// The operator at the command line.
    pub fn command_line() -> Self {
        Self { user_id: None, name: "Command line".to_owned(), ip: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_ipv4_address_or_an_ipv6_prefix() {
        let of = |ip: &str| Client { ip: ip.parse().ok(), ..Client::default() }.network();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::"));
        assert_eq!(Client::default().network(), "");
    }
}
