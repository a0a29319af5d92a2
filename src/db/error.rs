//! What a database call can end with, told apart as far as a caller can act on it.

/// Why a database call failed.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A row that had to be there is not.
    #[error("a row that had to be there is not")]
    NotFound,
    /// A unique index refused the row.
    #[error("a unique index refused the row: {0}")]
    Unique(String),
    /// The database is locked, full, gone or overloaded; the same call may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Anything else: a bug of ours, or a schema that is not what we expect.
    #[error("database error: {0}")]
    Other(String),
}
