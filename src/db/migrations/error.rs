//! Why a database was not migrated.

use crate::db::DbError;
use crate::db::user_table::ResolveError;

/// Why a migration was not possible.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Latchkey cannot use this database; the text names the table and what is supported.
    #[error("{0}")]
    Refused(String),
    /// A migration failed and was rolled back.
    #[error("{0}")]
    Failed(String),
    /// The database returned an error.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A refusal; nothing is written before all of them.
pub(super) fn refuse(reason: &str) -> MigrateError {
    MigrateError::Refused(format!("{reason}. Nothing was changed."))
}

impl From<ResolveError> for MigrateError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Refused(reason) => refuse(&reason.to_string()),
            ResolveError::Db(error) => error.into(),
        }
    }
}
