//! Recording and blacklisting, as parts of a transaction. Called by the other files of this room, never from outside.

use super::TokenError;
use super::claims;
use crate::accounts::events::{self, Event};
use crate::app::App;
use crate::crypto::jwt::{self, Claims};
use crate::db::blacklisted_tokens::Scope;
use crate::db::latchkey_token::{self, Blacklisting, Lineage};
use crate::db::outstanding_tokens::{self, NewRow, Recorded};
use crate::db::types::{Instant, TokenId, UserId};
use crate::db::{Conn, DbError, blacklisted_tokens};

/// Why a token was blacklisted, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Replaced by the next one.
    Rotated,
    /// `token/blacklist/`.
    Blacklist,
    /// `token/revoke/`.
    Revoke,
    /// `logout/`.
    Logout,
    /// `logout/` with `all`.
    LogoutAll,
    /// By a superuser in the panel.
    Admin,
    /// The user's password was changed.
    PasswordChange,
    /// The user chose a new password by a link that was mailed.
    PasswordReset,
    /// The user was deactivated.
    Deactivated,
    /// The user was deleted.
    Deleted,
    /// A token came back after its rotation: somebody copied it.
    Reuse,
    /// `logout/` with `others`.
    LogoutOthers,
    /// The user ended the session (`sessions/`).
    SessionEnd,
    /// The session reached `SESSION_MAX_AGE`.
    MaxAge,
    /// The session reached `SESSION_IDLE_TIMEOUT`.
    Idle,
    /// The user has more sessions than `SESSION_MAX_PER_USER`.
    TooMany,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Rotated,
        Self::Blacklist,
        Self::Revoke,
        Self::Logout,
        Self::LogoutAll,
        Self::Admin,
        Self::PasswordChange,
        Self::PasswordReset,
        Self::Deactivated,
        Self::Deleted,
        Self::Reuse,
        Self::LogoutOthers,
        Self::SessionEnd,
        Self::MaxAge,
        Self::Idle,
        Self::TooMany,
    ];

    /// The word in `latchkey_token.blacklist_reason`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::Blacklist => "blacklist",
            Self::Revoke => "revoke",
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::Admin => "admin",
            Self::PasswordChange => "password_change",
            Self::PasswordReset => "password_reset",
            Self::Deactivated => "deactivated",
            Self::Deleted => "deleted",
            Self::Reuse => "reuse",
            Self::LogoutOthers => "logout_others",
            Self::SessionEnd => "session_end",
            Self::MaxAge => "max_age",
            Self::Idle => "idle",
            Self::TooMany => "too_many",
        }
    }
}

/// Records a token that we issue; the caller counts it with what it is part of. Answers `header.payload`.
pub(super) fn outstand(
    app: &App,
    conn: &mut Conn,
    claims: &Claims,
    user: UserId,
    lineage: Lineage<'_>,
) -> Result<String, TokenError> {
    let unsigned = jwt::unsigned(&app.keys, claims);
    if let Some(jti) = claims::jti(app, claims)? {
        let id = insert(app, conn, claims, unsigned.clone(), jti, Some(user))?;
        latchkey_token::insert(conn, id, Lineage { kid: Some(app.keys.kid()), ..lineage })?;
    }
    Ok(unsigned)
}

fn insert(
    app: &App,
    conn: &mut Conn,
    claims: &Claims,
    unsigned: String,
    jti: &str,
    user_id: Option<UserId>,
) -> Result<TokenId, TokenError> {
    let (created_at, expires_at) = (Some(app.now()), claims::expires_at(app, claims)?);
    let row = NewRow { token: unsigned, created_at, expires_at, user_id, jti: jti.to_owned() };
    Ok(outstanding_tokens::insert(conn, &row)?)
}

/// Whether a token that was never recorded can be, when it is exchanged for the next.
pub(super) fn check_recordable(app: &App, claims: &Claims) -> Result<(), TokenError> {
    claims::jti(app, claims)?.ok_or(TokenError::NoId)?;
    claims::expires_at(app, claims).map(drop)
}

/// What is recorded of a presented token.
pub(super) fn find(app: &App, conn: &mut Conn, claims: &Claims) -> Result<Option<Recorded>, TokenError> {
    let Some(jti) = claims::jti(app, claims)? else { return Ok(None) };
    Ok(outstanding_tokens::find_by_jti(conn, jti)?)
}

/// The same, where a blacklisted one is refused.
///
/// # Errors
/// `Blacklisted` or `Rotated`, which SimpleJWT checks before it looks at the token's id and type.
pub(super) fn find_unless_blacklisted(
    app: &App,
    conn: &mut Conn,
    claims: &Claims,
) -> Result<Option<Recorded>, TokenError> {
    match find(app, conn, claims)? {
        Some(used @ Recorded { blacklisted_at: Some(_), .. }) => Err(refusal(&used)),
        found => Ok(found),
    }
}

/// What is said of a blacklisted token. Where we rotated it and its session goes on, that goes on with another token.
pub(super) fn refusal(used: &Recorded) -> TokenError {
    let session = used.session.as_ref().filter(|session| session.ended_at.is_none());
    if used.rotated_at.is_some() && session.is_some() { TokenError::Rotated } else { TokenError::Blacklisted }
}

/// What is remembered of a blacklisting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Why<'a> {
    /// Why.
    pub reason: Reason,
    /// By whom: a username, "Command line", "Latchkey".
    pub by: &'a str,
    /// The token's session.
    pub session: Option<&'a str>,
    /// HMAC of the key under which the rotation may be asked for again.
    pub retry_key: Option<&'a str>,
}

impl<'a> Why<'a> {
    /// With nothing but a reason and a name.
    pub fn new(reason: Reason, by: &'a str) -> Self {
        Self { reason, by, session: None, retry_key: None }
    }
}

/// Blacklists a presented token. One that was never recorded (it may come from elsewhere) is recorded first.
///
/// # Errors
/// `Unique` when somebody else was faster: the index decides.
pub(super) fn blacklist(
    app: &App,
    conn: &mut Conn,
    claims: &Claims,
    recorded: Option<&Recorded>,
    user: Option<UserId>,
    why: Why<'_>,
) -> Result<TokenId, TokenError> {
    let id = if let Some(recorded) = recorded {
        recorded.id
    } else {
        let jti = claims::jti(app, claims)?.ok_or(TokenError::NoId)?;
        events::count(conn, app.now(), &[Event::TokenCreated])?;
        insert(app, conn, claims, jwt::unsigned(&app.keys, claims), jti, user)?
    };
    blacklist_row(conn, id, why, app.now())?;
    Ok(id)
}

/// Blacklists a recorded token and remembers why.
///
/// # Errors
/// `Unique` when it is blacklisted already.
pub(crate) fn blacklist_row(conn: &mut Conn, id: TokenId, why: Why<'_>, now: Instant) -> Result<(), DbError> {
    blacklisted_tokens::insert(conn, id, now)?;
    // A rotation is counted with the refresh that it is part of.
    if why.reason != Reason::Rotated {
        events::count(conn, now, &[Event::Blacklisted(why.reason)])?;
    }
    let why = Blacklisting {
        blacklist_reason: why.reason.name(),
        blacklisted_by: why.by,
        rotated_at: (why.reason == Reason::Rotated).then_some(now),
        retry_key: why.retry_key,
        session_id: why.session,
    };
    latchkey_token::update_blacklisting(conn, id, why)
}

/// Blacklists every token of a scope, whose user's row the caller has locked. Answers how many.
pub(super) fn blacklist_scope(
    conn: &mut Conn,
    scope: Scope<'_>,
    (reason, by): (Reason, &str),
    now: Instant,
) -> Result<usize, DbError> {
    latchkey_token::update_blacklisting_of(conn, scope, reason.name(), by)?;
    let count = blacklisted_tokens::insert_all_of(conn, scope, now)?;
    events::count_many(conn, now, Event::Blacklisted(reason), count)?;
    Ok(count)
}

/// A token that somebody else blacklists or records at the same time is blacklisted for us.
pub(super) fn taken_is_blacklisted(error: TokenError) -> TokenError {
    match error {
        TokenError::Db(DbError::Unique(_)) => TokenError::Blacklisted,
        other => other,
    }
}
