//! What a token can be used for, and why a use is refused.

use crate::config::TokenClass;
use crate::db::DbError;
use crate::journal::reason::Reason;
use crate::tokens::claims::Kind;
use crate::tokens::error::TokenError;
use crate::tokens::presented::RefreshError;
use crate::tokens::replay;
use crate::tokens::verify::AuthError;

/// What a token can be presented for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// `token/refresh/`
    Refresh,
    /// In the header of a request: `me/` and every other endpoint that wants to know its caller.
    Request,
    /// `token/verify/`
    Verify,
    /// `token/sliding/refresh/`
    SlidingRefresh,
}

impl Usage {
    /// All, that first which a token of this type is made for.
    pub(super) fn of(kind: Option<Kind>) -> [Self; 4] {
        match kind {
            Some(Kind::Refresh) => [Self::Refresh, Self::Verify, Self::Request, Self::SlidingRefresh],
            Some(Kind::Access) => [Self::Request, Self::Verify, Self::Refresh, Self::SlidingRefresh],
            Some(Kind::Sliding) => [Self::SlidingRefresh, Self::Request, Self::Verify, Self::Refresh],
            None => [Self::Verify, Self::Refresh, Self::Request, Self::SlidingRefresh],
        }
    }
}

/// Why a use is refused, as the deciding function said it.
#[derive(Debug)]
pub enum Refusal {
    /// By `token/verify/`, or by either refresh before anything is asked of the database.
    Token(TokenError),
    /// By a refresh.
    Refresh(RefreshError),
    /// By a refresh, which would also end the session for that reason.
    EndsSession(Reason),
    /// By an endpoint that wants to know its caller.
    Auth(AuthError),
}

impl Refusal {
    /// What the client is told.
    pub fn told(&self) -> String {
        match self {
            Self::Token(error) => error.to_string(),
            Self::Refresh(error) => error.to_string(),
            Self::EndsSession(reason) => replay::refusal(*reason).to_string(),
            Self::Auth(error) => error.to_string(),
        }
    }

    /// The error about the token in it, of several the one of the class that the token says it is.
    pub(super) fn token_error(&self, kind: Option<Kind>) -> Option<&TokenError> {
        match self {
            Self::Token(error) | Self::Refresh(RefreshError::Token(error)) => Some(error),
            Self::Auth(AuthError::InvalidToken(reasons)) => {
                let class = if kind == Some(Kind::Sliding) { TokenClass::Sliding } else { TokenClass::Access };
                let own = reasons.iter().find(|(other, _)| *other == class).or_else(|| reasons.first());
                own.map(|(_, error)| error)
            }
            _ => None,
        }
    }
}

impl From<Refusal> for RefreshError {
    /// As a refresh answers it.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Token(error) => error.into(),
            Refusal::Refresh(error) => error,
            Refusal::EndsSession(reason) => replay::refusal(reason).into(),
            Refusal::Auth(_) => TokenError::Invalid.into(),
        }
    }
}

/// A database that does not answer is no verdict.
pub(super) fn only_db(error: TokenError) -> Result<TokenError, DbError> {
    match error {
        TokenError::Db(error) => Err(error),
        other => Ok(other),
    }
}
