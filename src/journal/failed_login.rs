//! Failed and throttled logins in the audit log. Those of one kind and source within a minute are one entry with a
//! count, so that an attack cannot fill the disk. The name that was typed is never recorded, because people type
//! passwords there.

use serde_json::json;

use super::action::Action;
use super::events::{self, Event};
use super::{Actor, Client, Door};
use crate::app::{App, Tx};
use crate::db::types::{Instant, UserId};
use crate::db::users::User;
use crate::db::{DbError, latchkey_audit_log};

/// Why a login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The password was wrong, or the user may not log in.
    Failed,
    /// The password was right, the second factor was wrong.
    WrongFactor,
    /// Too many attempts before this one: the password was not checked.
    Throttled,
}

impl Refusal {
    fn action(self) -> Action {
        match self {
            Self::Failed => Action::LoginFailed,
            Self::WrongFactor => Action::LoginWrongFactor,
            Self::Throttled => Action::LoginThrottled,
        }
    }

    fn event(self) -> Event {
        match self {
            Self::Failed | Self::WrongFactor => Event::FailedLogin,
            Self::Throttled => Event::ThrottledLogin,
        }
    }
}

/// The audit entry of a failed login.
#[derive(Debug, Clone)]
pub struct Entry {
    door: Door,
    refusal: Refusal,
    actor: Actor,
    user_id: Option<UserId>,
    object: String,
}

impl Entry {
    /// `user` is the user that the login named, if there is one.
    pub fn new(client: &Client, user: Option<&User>, refusal: Refusal) -> Self {
        let (door, network) = (client.door, client.network());
        let actor = Actor { ip: (!network.is_empty()).then_some(network), ..Actor::somebody(client) };
        let object = user.map_or_else(|| UNKNOWN.to_owned(), |user| user.username.clone());
        Self { door, refusal, actor, user_id: user.map(|user| user.id), object }
    }

    /// Writes it with two statements, whether or not the user exists, so that the time does not tell.
    pub fn write(&self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let key = key(self.refusal, self.door, self.actor.ip.as_deref(), tx.now);
        let detail = json!({"door": self.door.name()}).to_string();
        let row = latchkey_audit_log::NewRow {
            at: tx.now,
            action: self.refusal.action().word(),
            actor_id: None,
            actor: &self.actor.name,
            ip: self.actor.ip.as_deref(),
            user_id: self.user_id,
            object: &self.object,
            detail: &detail,
        };
        latchkey_audit_log::insert_or_count(tx.conn, &row, &key, SEVERAL)?;
        events::count(tx, &[self.refusal.event()])
    }
}

/// Records a login that failed although the password was right: the user may not use this door.
pub async fn note(app: &App, client: &Client, user: &User) -> Result<(), DbError> {
    let entry = Entry::new(client, Some(user), Refusal::Failed);
    app.write(move |tx| entry.write(tx)).await
}

/// The object of an entry about a user that does not exist.
const UNKNOWN: &str = "unknown account";
/// The object of an entry about several users.
const SEVERAL: &str = "several accounts";

/// The value of the unique column: the same for all that belongs in one entry.
fn key(refusal: Refusal, door: Door, source: Option<&str>, now: Instant) -> String {
    format!("{} {} {} {}", refusal.action().word(), door.name(), source.unwrap_or("-"), now.timestamp().div_euclid(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_for_one_door_one_source_and_one_minute() {
        let at = |seconds: i64| Instant::from_timestamp(1_772_366_400 + seconds).unwrap();
        let first = key(Refusal::Failed, Door::Api, Some("192.0.2.7"), at(0));
        assert_eq!(first, key(Refusal::Failed, Door::Api, Some("192.0.2.7"), at(59)));
        for other in [
            key(Refusal::Failed, Door::Api, Some("192.0.2.7"), at(60)),
            key(Refusal::Failed, Door::Api, Some("192.0.2.8"), at(0)),
            key(Refusal::Failed, Door::Panel, Some("192.0.2.7"), at(0)),
            key(Refusal::Throttled, Door::Api, Some("192.0.2.7"), at(0)),
        ] {
            assert_ne!(first, other);
        }
    }
}
