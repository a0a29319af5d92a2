//! Records and blacklists tokens, as part of a transaction. For the other files of this room only.

use super::claims;
use super::error::TokenError;
use crate::app::{App, Tx};
use crate::crypto::jwt::{self, Claims};
use crate::db::DbError;
use crate::db::latchkey_token::{self, Lineage};
use crate::db::outstanding_tokens::{self, NewRow, Recorded};
use crate::db::types::{TokenId, UserId};
use crate::journal::events::{self, Event};
use crate::sessions::blacklist::{self, Why};

/// Records a token that we issue; the caller counts it. Returns `header.payload`.
pub(super) fn outstand(
    tx: &mut Tx<'_>,
    claims: &Claims,
    user: UserId,
    lineage: Lineage<'_>,
) -> Result<String, TokenError> {
    let unsigned = jwt::unsigned(&tx.app.keys, claims);
    if let Some(jti) = claims::jti(tx.app, claims)? {
        let id = insert(tx, claims, (jti, unsigned.clone()), Some(user))?;
        latchkey_token::insert(tx.conn, id, Lineage { kid: Some(tx.app.keys.kid()), ..lineage })?;
    }
    Ok(unsigned)
}

fn insert(
    tx: &mut Tx<'_>,
    claims: &Claims,
    (jti, token): (&str, String),
    user_id: Option<UserId>,
) -> Result<TokenId, TokenError> {
    let (created_at, expires_at) = (Some(tx.now), claims::expires_at(tx.app, claims)?);
    let row = NewRow { token, created_at, expires_at, user_id, jti: jti.to_owned() };
    Ok(outstanding_tokens::insert(tx.conn, &row)?)
}

/// Whether a token that was never recorded can be recorded when it is exchanged.
pub(super) fn check_recordable(app: &App, claims: &Claims) -> Result<(), TokenError> {
    claims::jti(app, claims)?.ok_or(TokenError::NoId)?;
    claims::expires_at(app, claims).map(drop)
}

/// Finds the record of a presented token.
pub(super) fn find(tx: &mut Tx<'_>, claims: &Claims) -> Result<Option<Recorded>, TokenError> {
    let Some(jti) = claims::jti(tx.app, claims)? else { return Ok(None) };
    Ok(outstanding_tokens::find_by_jti(tx.conn, jti)?)
}

/// The same, but refuses a blacklisted one.
///
/// # Errors
/// `Blacklisted` or `Rotated`, which SimpleJWT checks before it looks at the token's id and type.
pub(super) fn find_unless_blacklisted(tx: &mut Tx<'_>, claims: &Claims) -> Result<Option<Recorded>, TokenError> {
    match find(tx, claims)? {
        Some(used @ Recorded { blacklisted_at: Some(_), .. }) => Err(refusal(&used)),
        found => Ok(found),
    }
}

/// The error for a blacklisted token. If we rotated it and its session is still open, the session continues with
/// another token.
pub(super) fn refusal(used: &Recorded) -> TokenError {
    let session = used.session.as_ref().filter(|session| session.ended_at.is_none());
    if used.rotated_at.is_some() && session.is_some() { TokenError::Rotated } else { TokenError::Blacklisted }
}

/// Blacklists a presented token. One that was never recorded (it may come from another server) is recorded first.
///
/// # Errors
/// `Unique` if another transaction was faster: the index decides.
pub(super) fn blacklist(
    tx: &mut Tx<'_>,
    claims: &Claims,
    (recorded, owner): (Option<&Recorded>, Option<UserId>),
    why: Why<'_>,
) -> Result<TokenId, TokenError> {
    let id = if let Some(recorded) = recorded {
        recorded.id
    } else {
        let jti = claims::jti(tx.app, claims)?.ok_or(TokenError::NoId)?;
        events::count(tx, &[Event::TokenCreated])?;
        insert(tx, claims, (jti, jwt::unsigned(&tx.app.keys, claims)), owner)?
    };
    blacklist::blacklist_row(tx, id, why)?;
    Ok(id)
}

/// Treats a token that another transaction blacklists or records at the same time as blacklisted.
pub(super) fn taken_is_blacklisted(error: TokenError) -> TokenError {
    match error {
        TokenError::Db(DbError::Unique(_)) => TokenError::Blacklisted,
        other => other,
    }
}
