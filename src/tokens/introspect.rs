//! Introspection by RFC 7662, for every type of token: checks signature and times, blacklist, user and session. Unlike
//! `verify` it always queries the database, even for access tokens. Who may ask is decided in `web`.

use serde_json::{Value, json};

use super::claims::{self, Kind};
use super::error::TokenError;
use super::presented::find_user;
use super::record;
use crate::app::{App, Tx};
use crate::crypto::jwt::Claims;
use crate::db::DbError;
use crate::db::latchkey_session::Session;
use crate::db::users::User;
use crate::sessions;

/// Returns the claims of a token that would be accepted, with RFC 7662's names for them; `None` for any other.
pub async fn introspect(app: &App, token: &str) -> Result<Option<Claims>, DbError> {
    let Ok(claims) = claims::decode(app, token).await else { return Ok(None) };
    if claims::check(app, &claims, None).is_err() {
        return Ok(None);
    }
    let found = app.read(move |tx| look(tx, &claims)).await;
    match found {
        Ok(answer) => Ok(answer),
        Err(TokenError::Db(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

fn look(tx: &mut Tx<'_>, claims: &Claims) -> Result<Option<Claims>, TokenError> {
    let jwt = &tx.app.config.jwt;
    let is_access = claims::is_kind(tx.app, claims, Kind::Access);
    let is_other = [Kind::Refresh, Kind::Sliding].into_iter().any(|kind| claims::is_kind(tx.app, claims, kind));
    if jwt.token_type_claim.is_some() && !is_access && !is_other {
        return Ok(None);
    }
    let Some(user) = find_user(tx, claims, None)? else { return Ok(None) };
    let is_locked_out = jwt.check_user_is_active && !user.may_log_in();
    if is_locked_out || (jwt.check_revoke_token && !claims::has_revoke_value(tx.app, claims, &user)) {
        return Ok(None);
    }
    // Access tokens are not blacklisted; they end with their session.
    let recorded = if is_access { None } else { record::find_unless_blacklisted(tx, claims)? };
    let session = sessions::known(tx, claims, recorded.as_ref(), user.id)?;
    let goes_on = match &session {
        Some(session) => sessions::fault(tx.app, session, claims).is_none(),
        // An access token whose session no longer exists; other tokens would get a new session.
        None => !is_access || jwt.session_claim.as_ref().is_none_or(|name| !claims.contains_key(name)),
    };
    Ok(goes_on.then(|| answer(tx.app, claims.clone(), &user, session.as_ref())))
}

/// The token's claims, with the user's current fields and the names that RFC 7662 gives to the rest.
fn answer(app: &App, mut claims: Claims, user: &User, session: Option<&Session>) -> Claims {
    let jwt = &app.config.jwt;
    // Introspecting services must not get a fingerprint of the password.
    claims.remove(&jwt.revoke_token_claim);
    claims::set_extra(app, &mut claims, user, true);
    let named = |name: &Option<String>| name.as_ref().and_then(|name| claims.get(name)).cloned();
    let subject = claims.get(&jwt.user_id_claim).map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    let (kind, jti) = (named(&jwt.token_type_claim), named(&jwt.jti_claim));
    let known: [(&str, Option<Value>); 4] = [
        ("token_type", kind),
        ("jti", jti),
        ("sub", subject.map(Value::from)),
        ("sid", session.map(|session| json!(session.id))),
    ];
    for (name, value) in known {
        if let (Some(value), false) = (value, claims.contains_key(name)) {
            claims.insert(name.to_owned(), value);
        }
    }
    claims.insert("username".to_owned(), json!(user.username));
    let mut answer = Claims::new();
    answer.insert("active".to_owned(), json!(true));
    // A claim of this name must not contradict it.
    answer.extend(claims.into_iter().filter(|(name, _)| name != "active"));
    answer
}
