//! The uses of a token, and why one is refused.

use crate::config::TokenClass;
use crate::db::DbError;
use crate::journal::reason::Reason;
use crate::tokens::claims::Kind;
use crate::tokens::error::TokenError;
use crate::tokens::presented::RefreshError;
use crate::tokens::replay;
use crate::tokens::verify::AuthError;

/// A use of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// `token/refresh/`
    Refresh,
    /// In the header of a request: `me/` and every other endpoint that authenticates its caller.
    Request,
    /// `token/verify/`
    Verify,
    /// `token/sliding/refresh/`
    SlidingRefresh,
}

impl Usage {
    /// All uses, the intended one for this type first.
    pub(super) fn of(kind: Option<Kind>) -> [Self; 4] {
        match kind {
            Some(Kind::Refresh) => [Self::Refresh, Self::Verify, Self::Request, Self::SlidingRefresh],
            Some(Kind::Access) => [Self::Request, Self::Verify, Self::Refresh, Self::SlidingRefresh],
            Some(Kind::Sliding) => [Self::SlidingRefresh, Self::Request, Self::Verify, Self::Refresh],
            None => [Self::Verify, Self::Refresh, Self::Request, Self::SlidingRefresh],
        }
    }
}

/// Why a use is refused, as the deciding function reported it.
#[derive(Debug)]
pub enum Refusal {
    /// By `token/verify/`, or by either refresh before it queries the database.
    Token(TokenError),
    /// By a refresh.
    Refresh(RefreshError),
    /// By a refresh that would also end the session, for this reason.
    EndsSession(Reason),
    /// By an endpoint that authenticates its caller.
    Auth(AuthError),
}

impl Refusal {
    /// The text that the client gets.
    pub fn told(&self) -> String {
        match self {
            Self::Token(error) => error.to_string(),
            Self::Refresh(error) => error.to_string(),
            Self::EndsSession(reason) => replay::refusal(*reason).to_string(),
            Self::Auth(error) => error.to_string(),
        }
    }

    /// The error about the token itself; if there are several, the one for the token's own class.
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
    /// The error that a refresh returns.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Token(error) => error.into(),
            Refusal::Refresh(error) => error,
            Refusal::EndsSession(reason) => replay::refusal(reason).into(),
            Refusal::Auth(_) => TokenError::Invalid.into(),
        }
    }
}

/// Separates database errors, which are no verdict on the token.
pub(super) fn only_db(error: TokenError) -> Result<TokenError, DbError> {
    match error {
        TokenError::Db(error) => Err(error),
        other => Ok(other),
    }
}
