//! Why a token is refused, in SimpleJWT's words.

use crate::crypto::decode_error::DecodeError;
use crate::db::DbError;

/// Why a token is refused: SimpleJWT's `TokenError`, `detail` word for word.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Signature, algorithm, structure or claims.
    #[error("Token is invalid")]
    Invalid,
    /// Past its `exp`.
    #[error("Token is expired")]
    Expired,
    /// A claim that has its own time is past (`refresh_exp` of a sliding token).
    #[error("Token '{0}' claim has expired")]
    ClaimExpired(String),
    /// A claim that has to be there is missing.
    #[error("Token has no '{0}' claim")]
    NoClaim(String),
    /// The jti claim is missing.
    #[error("Token has no id")]
    NoId,
    /// The token type claim is missing.
    #[error("Token has no type")]
    NoType,
    /// Another type of token.
    #[error("Token has wrong type")]
    WrongType,
    /// Blacklisted.
    #[error("Token is blacklisted")]
    Blacklisted,
    /// Blacklisted because it was rotated: its successor may be good.
    #[error("Token is blacklisted")]
    Rotated,
    /// Its session was ended, or is too old or too long unused.
    #[error("Session has ended")]
    SessionEnded,
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl TokenError {
    /// Whether neither this token nor one that was rotated from it will be good again.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Rotated | Self::Db(_))
    }
}

impl From<DecodeError> for TokenError {
    /// All that a client is told of the token itself.
    fn from(fault: DecodeError) -> Self {
        if fault == DecodeError::Expired { Self::Expired } else { Self::Invalid }
    }
}
