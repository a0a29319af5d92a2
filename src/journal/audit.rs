//! The audit log's pen: one line per thing done, inside the transaction that did it.

use serde_json::{Value, json};

use super::Actor;
use crate::db::latchkey_audit_log::{self, NewRow};
use crate::db::types::{Instant, UserId};
use crate::db::{Conn, DbError};

/// Notes who did what to whom. `object` names it for people (a username, a jti); never a secret.
pub fn write(
    conn: &mut Conn,
    at: Instant,
    actor: &Actor,
    action: &str,
    user_id: Option<UserId>,
    object: &str,
) -> Result<(), DbError> {
    write_with(conn, at, actor, action, user_id, object, &json!({}))
}

/// The same with more to tell; never a secret.
pub fn write_with(
    conn: &mut Conn,
    at: Instant,
    actor: &Actor,
    action: &str,
    user_id: Option<UserId>,
    object: &str,
    detail: &Value,
) -> Result<(), DbError> {
    let detail = detail.to_string();
    let row = NewRow {
        at,
        action,
        actor_id: actor.user_id,
        actor: &actor.name,
        ip: actor.ip.as_deref(),
        user_id,
        object,
        detail: &detail,
    };
    latchkey_audit_log::insert(conn, &row)
}
