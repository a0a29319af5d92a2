//! Writes the audit log: one entry for each action, in the transaction of that action.

use serde_json::{Value, json};

use super::Actor;
use super::action::Action;
use crate::app::Tx;
use crate::db::DbError;
use crate::db::latchkey_audit_log::{self, NewRow};
use crate::db::types::UserId;
use crate::db::users::User;

/// An entry to be written. Never holds a secret.
#[must_use = "an entry is written by `write`"]
pub struct AuditEntry<'a> {
    action: Action,
    actor: &'a Actor,
    user_id: Option<UserId>,
    object: &'a str,
    detail: Value,
}

impl<'a> AuditEntry<'a> {
    /// An entry for an action of this actor.
    pub fn new(action: Action, actor: &'a Actor) -> Self {
        Self { action, actor, user_id: None, object: "", detail: json!({}) }
    }

    /// Adds the user whom the action is about.
    pub fn about_user(self, user: &'a User) -> Self {
        self.about(user.id, &user.username)
    }

    /// Adds what the action is about: `object` (a username, a jti, a session's id) of that user.
    pub fn about(self, user: impl Into<Option<UserId>>, object: &'a str) -> Self {
        Self { user_id: user.into(), object, ..self }
    }

    /// Adds details, as a JSON object.
    pub fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }

    /// Writes the entry.
    pub fn write(self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let row = NewRow {
            at: tx.now,
            action: self.action.word(),
            actor_id: self.actor.user_id,
            actor: &self.actor.name,
            ip: self.actor.ip.as_deref(),
            user_id: self.user_id,
            object: self.object,
            detail: &self.detail.to_string(),
        };
        latchkey_audit_log::insert(tx.conn, &row)
    }
}
