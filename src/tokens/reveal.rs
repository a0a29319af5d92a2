//! Shows a superuser a whole token: signs the stored `header.payload` again. Every time, an audit entry is written.

use serde_json::json;

use super::claims::{self, Kind};
use crate::app::App;
use crate::crypto::jwt;
use crate::db::outstanding_tokens::{self, Detail};
use crate::db::types::TokenId;
use crate::db::users::UserRef;
use crate::db::{DbError, latchkey_user};
use crate::journal::Actor;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;

/// The result. No `Debug`: it is a secret.
pub enum Revealed {
    /// The token that the client has.
    Token(String),
    /// A token that works the same, but has a different signature from the client's (PS*, ES*).
    Resigned(String),
    /// It cannot be made again; the text says why.
    No(String),
    /// There is no such token.
    NotFound,
}

/// Signs the stored token again, if it still matches its row and our settings, and records who asked.
pub async fn reveal(app: &App, actor: &Actor, id: TokenId) -> Result<Revealed, DbError> {
    let actor = actor.clone();
    let found = app.write(move |tx| {
        let Some(detail) = outstanding_tokens::find_detail(tx.conn, &tx.app.users, id)? else { return Ok(None) };
        let uuid = match detail.row.user_id {
            Some(user) => latchkey_user::find_uuid(tx.conn, user)?,
            None => None,
        };
        AuditEntry::new(Action::TokenReveal, &actor).about(detail.row.user_id, &detail.row.jti).write(tx)?;
        Ok::<_, DbError>(Some((detail, uuid)))
    });
    let Some((detail, uuid)) = found.await? else { return Ok(Revealed::NotFound) };
    if detail.token.split('.').count() == 3 {
        // Django stored it whole.
        return Ok(Revealed::Token(detail.token));
    }
    Ok(match objection(app, &detail, uuid.as_deref()) {
        Some(why) => Revealed::No(why.to_owned()),
        None if app.keys.is_deterministic() => Revealed::Token(jwt::sign(&app.keys, &detail.token)),
        None => Revealed::Resigned(jwt::sign(&app.keys, &detail.token)),
    })
}

/// Why the stored text must not be signed: anyone who can write to the table could otherwise have tokens made to order.
fn objection(app: &App, detail: &Detail, uuid: Option<&str>) -> Option<&'static str> {
    let Some((header, claims)) = jwt::peek(&detail.token) else { return Some("The stored text is not a token.") };
    let Some(kid) = &detail.kid else { return Some("It was not recorded by Latchkey when it was issued.") };
    if kid != app.keys.kid() || header.get("alg") != Some(&json!(app.keys.algorithm())) || header.len() != 2 {
        return Some("It was made with a different key or algorithm from the current one.");
    }
    if claims::jti(app, &claims).ok().flatten() != Some(detail.row.jti.as_str()) {
        return Some("Its id is not the one in its row.");
    }
    if !claims::is_kind(app, &claims, Kind::Refresh) && !claims::is_kind(app, &claims, Kind::Sliding) {
        return Some("It is neither a refresh nor a sliding token.");
    }
    if claims::expires_at(app, &claims).ok() != Some(detail.row.expires_at) {
        return Some("Its expiry is not the one in its row.");
    }
    let Some(user) = &detail.user else { return Some("Its user was deleted.") };
    let same = match claims::user_ref(app, &claims) {
        Some(UserRef::Id(id)) => id == user.id,
        Some(UserRef::Uuid(found)) => Some(found.as_str()) == uuid,
        Some(UserRef::Column(text)) => Some(text) == user.reference,
        None => false,
    };
    (!same).then_some("Its user is not the one in its row.")
}
