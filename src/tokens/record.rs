//! Recording and blacklisting, as parts of a transaction. Called by the other files of this room, never from outside.

use super::TokenError;
use super::claims;
use crate::app::App;
use crate::crypto::jwt::{self, Claims};
use crate::db::latchkey_token::{self, Blacklisting};
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
    /// `logout/`.
    Logout,
    /// `logout/` with `all`.
    LogoutAll,
    /// By a superuser in the panel.
    Admin,
    /// The user's password was changed.
    PasswordChange,
    /// The user was deactivated.
    Deactivated,
    /// The user was deleted.
    Deleted,
}

impl Reason {
    /// The word in `latchkey_token.blacklist_reason`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::Blacklist => "blacklist",
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::Admin => "admin",
            Self::PasswordChange => "password_change",
            Self::Deactivated => "deactivated",
            Self::Deleted => "deleted",
        }
    }
}

/// Records a token that we issue; `from` is the one that it was rotated from. Answers `header.payload`.
pub(super) fn outstand(
    app: &App,
    conn: &mut Conn,
    claims: &Claims,
    user: UserId,
    from: Option<TokenId>,
) -> Result<String, TokenError> {
    let unsigned = jwt::unsigned(&app.keys, claims);
    if let Some(jti) = claims::jti(app, claims)? {
        let id = insert(app, conn, claims, unsigned.clone(), jti, Some(user))?;
        latchkey_token::insert(conn, id, app.keys.kid(), from)?;
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

/// What is recorded of a presented token.
///
/// # Errors
/// `Blacklisted`, which SimpleJWT checks before it looks at the token's id and type.
pub(super) fn find_unless_blacklisted(
    app: &App,
    conn: &mut Conn,
    claims: &Claims,
) -> Result<Option<Recorded>, TokenError> {
    let Some(jti) = claims::jti(app, claims)? else { return Ok(None) };
    match outstanding_tokens::find_by_jti(conn, jti)? {
        Some(Recorded { blacklisted_at: Some(_), .. }) => Err(TokenError::Blacklisted),
        found => Ok(found),
    }
}

/// Blacklists a presented token. One that was never recorded (it may come from elsewhere) is recorded first.
///
/// # Errors
/// `Blacklisted` when somebody else was faster: the unique index decides.
pub(super) fn blacklist(
    app: &App,
    conn: &mut Conn,
    claims: &Claims,
    recorded: Option<Recorded>,
    user: Option<UserId>,
    why: (Reason, &str),
) -> Result<TokenId, TokenError> {
    let id = if let Some(recorded) = recorded {
        recorded.id
    } else {
        let jti = claims::jti(app, claims)?.ok_or(TokenError::NoId)?;
        insert(app, conn, claims, jwt::unsigned(&app.keys, claims), jti, user).map_err(taken_is_blacklisted)?
    };
    blacklist_row(conn, id, why, app.now()).map_err(|error| taken_is_blacklisted(error.into()))?;
    Ok(id)
}

/// Blacklists a recorded token and remembers why.
///
/// # Errors
/// `Unique` when it is blacklisted already.
pub(crate) fn blacklist_row(
    conn: &mut Conn,
    id: TokenId,
    (reason, by): (Reason, &str),
    now: Instant,
) -> Result<(), DbError> {
    blacklisted_tokens::insert(conn, id, now)?;
    let rotated_at = (reason == Reason::Rotated).then_some(now);
    let why = Blacklisting { blacklist_reason: reason.name(), blacklisted_by: by, rotated_at };
    latchkey_token::update_blacklisting(conn, id, why)
}

/// Blacklists every token of a user, whose row the caller has locked. Answers how many.
pub(crate) fn blacklist_all_of(
    conn: &mut Conn,
    user: UserId,
    (reason, by): (Reason, &str),
    now: Instant,
) -> Result<usize, DbError> {
    latchkey_token::update_blacklisting_of(conn, user, reason.name(), by)?;
    blacklisted_tokens::insert_all_of(conn, user, now)
}

fn taken_is_blacklisted(error: TokenError) -> TokenError {
    match error {
        TokenError::Db(DbError::Unique(_)) => TokenError::Blacklisted,
        other => other,
    }
}
