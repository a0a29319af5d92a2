//! Failed logins in the audit log: those of one source within a minute are one entry with a count, so that an attack
//! cannot fill the disk. What was typed in place of a name is never written down: people type passwords there.

use std::net::IpAddr;

use serde_json::json;

use super::events::{self, Event};
use super::{Actor, Client};
use crate::app::App;
use crate::db::types::Instant;
use crate::db::users::User;
use crate::db::{DbError, latchkey_audit_log};

/// What was tried to be logged in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The API.
    Api,
    /// The admin panel.
    Panel,
}

impl Door {
    fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Panel => "panel",
        }
    }
}

/// Notes that a login failed; `user` is whom it named, if there is such a user. One write, whatever it named: its time
/// must not tell who exists.
pub async fn note(app: &App, door: Door, client: &Client, user: Option<&User>) -> Result<(), DbError> {
    let (now, from) = (app.now(), source(client));
    let key = key(door, from.as_deref(), now);
    let (user_id, object) = match user {
        Some(user) => (Some(user.id), user.username.clone()),
        None => (None, UNKNOWN.to_owned()),
    };
    let actor = Actor { ip: from, ..Actor::somebody(client) };
    let detail = json!({"door": door.name()}).to_string();
    app.db
        .write(move |conn| {
            let row = latchkey_audit_log::NewRow {
                at: now,
                action: "login.failed",
                actor_id: None,
                actor: &actor.name,
                ip: actor.ip.as_deref(),
                user_id,
                object: &object,
                detail: &detail,
            };
            latchkey_audit_log::insert_or_count(conn, &row, &key, SEVERAL)?;
            events::count(conn, now, &[Event::FailedLogin])
        })
        .await
}

/// The object of an entry about no user that there is.
const UNKNOWN: &str = "unknown account";
/// The object of an entry about more than one.
const SEVERAL: &str = "several accounts";

/// Who counts as one source: an IPv4 address, or an IPv6 /64, of which one customer has as many addresses as they like.
fn source(client: &Client) -> Option<String> {
    Some(match client.ip?.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let network = std::net::Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64);
            format!("{network}/64")
        }
    })
}

/// The value of the unique column: what belongs into one entry has the same.
fn key(door: Door, source: Option<&str>, now: Instant) -> String {
    format!("{} {} {}", door.name(), source.unwrap_or("-"), now.timestamp().div_euclid(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ip: &str) -> Option<String> {
        source(&Client { ip: Some(ip.parse().unwrap()), user_agent: String::new() })
    }

    #[test]
    fn a_source_is_an_ipv4_address_or_an_ipv6_network() {
        assert_eq!(of("192.0.2.7").unwrap(), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7").unwrap(), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6").unwrap(), "2001:db8:1:2::/64");
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::"));
        assert_eq!(source(&Client::default()), None);
    }

    #[test]
    fn an_entry_is_for_one_door_one_source_and_one_minute() {
        let at = |seconds: i64| Instant::from_timestamp(1_772_366_400 + seconds).unwrap();
        let first = key(Door::Api, Some("192.0.2.7"), at(0));
        assert_eq!(first, key(Door::Api, Some("192.0.2.7"), at(59)));
        for other in [
            key(Door::Api, Some("192.0.2.7"), at(60)),
            key(Door::Api, Some("192.0.2.8"), at(0)),
            key(Door::Panel, Some("192.0.2.7"), at(0)),
        ] {
            assert_ne!(first, other);
        }
    }
}
