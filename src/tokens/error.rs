//! Why a token was refused, in SimpleJWT's words.

use crate::crypto::decode_error::DecodeError;
use crate::db::DbError;

/// Why a token was refused: SimpleJWT's `TokenError`, with its `detail` word for word.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Bad signature, algorithm, structure or claims.
    #[error("Token is invalid")]
    Invalid,
    /// Past its `exp`.
    #[error("Token is expired")]
    Expired,
    /// A claim with an expiry of its own has expired (`refresh_exp` of a sliding token).
    #[error("Token '{0}' claim has expired")]
    ClaimExpired(String),
    /// A required claim is missing.
    #[error("Token has no '{0}' claim")]
    NoClaim(String),
    /// The jti claim is missing.
    #[error("Token has no id")]
    NoId,
    /// The token type claim is missing.
    #[error("Token has no type")]
    NoType,
    /// The token has another type.
    #[error("Token has wrong type")]
    WrongType,
    /// Blacklisted.
    #[error("Token is blacklisted")]
    Blacklisted,
    /// Blacklisted because it was rotated: its successor may be valid.
    #[error("Token is blacklisted")]
    Rotated,
    /// The session has ended, is too old, or was unused for too long.
    #[error("Session has ended")]
    SessionEnded,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl TokenError {
    /// Whether this token and all tokens rotated from it will never be valid again.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Rotated | Self::Db(_))
    }
}

impl From<DecodeError> for TokenError {
    /// Reduces a fault to what a client is told about the token itself.
    fn from(fault: DecodeError) -> Self {
        if fault == DecodeError::Expired { Self::Expired } else { Self::Invalid }
    }
}
