//! Blacklists one token, a session, or all tokens of a user; for their owner or for a superuser.

use serde_json::{Value, json};

use super::claims::{self, Kind};
use super::error::TokenError;
use super::verify::Authenticated;
use super::{presented, record};
use crate::accounts::endings::{self, Ended, Ending, Kept};
use crate::app::{App, Tx};
use crate::crypto::jwt::Claims;
use crate::db::DbError;
use crate::db::outstanding_tokens::Recorded;
use crate::db::types::UserId;
use crate::db::users::{Intent, User, UserRef};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::reason::Reason;
use crate::journal::{Actor, Client};
use crate::sessions;
use crate::sessions::blacklist::Why;

/// Why a logout was refused.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The refresh token itself.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token belongs to another user.
    #[error("The refresh token belongs to another user.")]
    NotYours,
    /// Neither token says which session to keep.
    #[error("The access token names no session: send the refresh token of the one to keep.")]
    NoSession,
}

impl LogoutError {
    /// As `TokenError::is_final`.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Token(error) if error.is_final())
    }
}

impl From<DbError> for LogoutError {
    fn from(error: DbError) -> Self {
        Self::Token(TokenError::Db(error))
    }
}

/// `token/blacklist/`: blacklists a refresh token, whoever presents it. Ends its session if that has no other token.
pub async fn blacklist(app: &App, refresh: &str, client: Client) -> Result<(), TokenError> {
    let claims = claims::decode(app, refresh).await?;
    app.write(move |tx| {
        let owner = presented::find_user(tx, &claims, Some(Intent::Revoke))?;
        let recorded = record::find_unless_blacklisted(tx, &claims)?;
        claims::check(tx.app, &claims, Some(Kind::Refresh))?;
        // Recorded in the owner's name, although anyone who held the token may have done it.
        let by = owner.as_ref().map_or("", |user| user.username.as_str());
        let why = Why::new(Reason::Blacklist, by);
        record::blacklist(tx, &claims, (recorded.as_ref(), owner.as_ref().map(|user| user.id)), why)?;
        note_revocation(tx, owner.as_ref(), &client, &claims)?;
        match recorded.and_then(|recorded| recorded.session) {
            Some(session) => Ok(sessions::end_if_spent(tx, &session, (Reason::Blacklist, by))?),
            None => Ok(()),
        }
    })
    .await
    .map_err(record::taken_is_blacklisted)
}

/// `logout/`: ends the session of the caller's own refresh token; a rotated token works too.
pub async fn logout(app: &App, user: &User, refresh: &str, client: Client) -> Result<(), LogoutError> {
    let (claims, user) = (claims::decode(app, refresh).await?, user.clone());
    app.write(move |tx| {
        let recorded = own(tx, &claims, &user)?;
        let why = (Reason::Logout, user.username.as_str());
        let ended = spend(tx, (&claims, Some(Kind::Refresh)), (recorded, Some(user.id)), why)?;
        let detail = json!({"which": "one", "session": ended});
        Ok(note_logout(tx, &user, &client, detail)?)
    })
    .await
    .map_err(|error| match error {
        LogoutError::Token(error) => record::taken_is_blacklisted(error).into(),
        other => other,
    })
}

/// Blacklists a token, ends its session and returns the session's id. A rotated token still ends its session; other
/// blacklisted tokens are refused.
fn spend(
    tx: &mut Tx<'_>,
    (claims, kind): (&Claims, Option<Kind>),
    (recorded, owner): (Option<Recorded>, Option<UserId>),
    why: (Reason, &str),
) -> Result<Option<String>, TokenError> {
    let is_blacklisted = recorded.as_ref().is_some_and(|recorded| recorded.blacklisted_at.is_some());
    if is_blacklisted && recorded.as_ref().is_some_and(|recorded| recorded.rotated_at.is_none()) {
        return Err(TokenError::Blacklisted);
    }
    claims::check(tx.app, claims, kind)?;
    if !is_blacklisted {
        record::blacklist(tx, claims, (recorded.as_ref(), owner), Why::new(why.0, why.1))?;
    }
    let Some(owner) = owner else { return Ok(None) };
    let session = sessions::known(tx, claims, recorded.as_ref(), owner)?;
    if let Some(session) = &session {
        sessions::end(tx, session, why)?;
    }
    Ok(session.map(|session| session.id))
}

/// Writes an audit entry about a logout.
fn note_logout(tx: &mut Tx<'_>, user: &User, client: &Client, detail: Value) -> Result<(), DbError> {
    let actor = Actor::user(user, client);
    AuditEntry::new(Action::Logout, &actor).about_user(user).detail(detail).write(tx)
}

/// Writes an audit entry about a token that its holder revoked.
fn note_revocation(tx: &mut Tx<'_>, owner: Option<&User>, client: &Client, claims: &Claims) -> Result<(), TokenError> {
    let jti = claims::jti(tx.app, claims)?.unwrap_or_default();
    let (actor, owner) = (Actor::somebody(client), owner.map(|owner| owner.id));
    Ok(AuditEntry::new(Action::TokenRevoke, &actor).about(owner, jti).write(tx)?)
}

/// Why a token cannot be revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// An access token that names no session, or another token without a record.
    #[error("This token belongs to no session and has no id: it ends by itself.")]
    Unsupported,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// `token/revoke/` (RFC 7009): ends the session of a token, whoever presents it. An invalid token needs no revocation.
pub async fn revoke(app: &App, token: &str, client: Client) -> Result<(), RevokeError> {
    let Ok(claims) = claims::decode(app, token).await else { return Ok(()) };
    if claims::check(app, &claims, None).is_err() {
        return Ok(());
    }
    let jwt = &app.config.jwt;
    let is_recorded = [Kind::Refresh, Kind::Sliding].into_iter().any(|kind| claims::is_kind(app, &claims, kind));
    let has_record = jwt.jti_claim.is_some() && (is_recorded || jwt.token_type_claim.is_none());
    if !has_record && sessions::claim(app, &claims).is_none() {
        return Err(RevokeError::Unsupported);
    }
    let revoked = app.write(move |tx| {
        let owner = presented::find_user(tx, &claims, Some(Intent::Revoke))?;
        let why = (Reason::Revoke, owner.as_ref().map_or("", |user| user.username.as_str()));
        if has_record {
            let recorded = record::find(tx, &claims)?;
            spend(tx, (&claims, None), (recorded, owner.as_ref().map(|user| user.id)), why)?;
            return note_revocation(tx, owner.as_ref(), &client, &claims);
        }
        let session = sessions::named(tx, &claims)?;
        match session.filter(|session| owner.as_ref().is_some_and(|user| user.id == session.user_id)) {
            Some(session) if sessions::end(tx, &session, why)? => note_revocation(tx, owner.as_ref(), &client, &claims),
            _ => Ok(()),
        }
    });
    match revoked.await.map_err(record::taken_is_blacklisted) {
        Err(TokenError::Db(error)) => Err(error.into()),
        // Another request was faster, or the token would not be accepted anyway.
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Locks the caller and finds the record of their own refresh token.
fn own(tx: &mut Tx<'_>, claims: &Claims, user: &User) -> Result<Option<Recorded>, LogoutError> {
    let owner = presented::find_user(tx, claims, Some(Intent::Revoke))?;
    let recorded = record::find(tx, claims)?;
    if owner.is_none_or(|owner| owner.id != user.id) {
        return Err(LogoutError::NotYours);
    }
    Ok(recorded)
}

/// `logout/` with `all`: ends every session of the caller and blacklists every outstanding token.
pub async fn logout_all(app: &App, user: &User, client: Client) -> Result<usize, DbError> {
    let user = user.clone();
    app.write(move |tx| {
        tx.app.users.lock(tx.conn, &UserRef::Id(user.id), Intent::Revoke)?;
        let tokens = sessions::end_all(tx, user.id, None, (Reason::LogoutAll, &user.username))?;
        note_logout(tx, &user, &client, json!({"which": "all", "tokens": tokens}))?;
        Ok(tokens)
    })
    .await
}

/// `logout/` with `others`: the same, but keeps the session of the given refresh token, or else of the access token.
pub async fn logout_others(
    app: &App,
    caller: &Authenticated,
    refresh: Option<&str>,
    client: Client,
) -> Result<usize, LogoutError> {
    let refresh = match refresh {
        Some(refresh) => Some(claims::decode(app, refresh).await?),
        None => None,
    };
    let caller = caller.clone();
    app.write(move |tx| {
        let user = &caller.user;
        let keep = if let Some(claims) = &refresh {
            let recorded = own(tx, claims, user)?;
            claims::check(tx.app, claims, Some(Kind::Refresh))?;
            recorded.and_then(|recorded| recorded.session)
        } else {
            tx.app.users.lock(tx.conn, &UserRef::Id(user.id), Intent::Revoke)?;
            sessions::named(tx, &caller.claims)?
        };
        let keep = keep.filter(|session| session.user_id == user.id && session.ended_at.is_none());
        let keep = keep.ok_or(LogoutError::NoSession)?;
        let why = (Reason::LogoutOthers, user.username.as_str());
        let tokens = sessions::end_all(tx, user.id, Some(&keep.id), why)?;
        note_logout(tx, user, &client, json!({"which": "others", "tokens": tokens}))?;
        Ok(tokens)
    })
    .await
}

/// Ends all sessions of a user on behalf of a superuser, blacklists all tokens, cancels pending challenges and forgets
/// the remembered browsers. Returns the number of tokens and of browsers.
pub async fn blacklist_all_of(app: &App, actor: &Actor, user: UserId) -> Result<(usize, usize), DbError> {
    let actor = actor.clone();
    app.write(move |tx| {
        let Some(owner) = tx.app.users.lock(tx.conn, &UserRef::Id(user), Intent::Revoke)? else { return Ok((0, 0)) };
        let ended = endings::apply(tx, Ending::LogoutByAdmin, (user, &actor.name), &Kept::default())?;
        let Ended { tokens, browsers } = ended;
        let mut detail = json!({ "tokens": tokens });
        if browsers > 0 {
            detail["browsers"] = browsers.into();
        }
        AuditEntry::new(Action::UserBlacklistTokens, &actor)
            .about(Some(user), &owner.username)
            .detail(detail)
            .write(tx)?;
        Ok((tokens, browsers))
    })
    .await
}
