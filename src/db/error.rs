//! Errors of database calls, distinguished as far as a caller can act on them.

use diesel::ConnectionError;
use diesel::result::{DatabaseErrorKind, Error};

/// Why a database call failed. The texts are for the log, never for a client.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A required row is missing.
    #[error("a row that had to be there is not")]
    NotFound,
    /// A unique index refused the row.
    #[error("a unique index refused the row: {0}")]
    Unique(String),
    /// Rows of another table refer to this one.
    #[error("other rows refer to this one: {0}")]
    Referenced(String),
    /// The database is locked, full, unreachable or overloaded; the same call may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Anything else: a bug of ours, or an unexpected schema.
    #[error("database error: {0}")]
    Other(String),
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::DatabaseError(kind, info) => {
                let text = info.message().to_owned();
                match kind {
                    DatabaseErrorKind::UniqueViolation => {
                        Self::Unique(info.constraint_name().map_or(text, ToOwned::to_owned))
                    }
                    DatabaseErrorKind::ForeignKeyViolation => Self::Referenced(text),
                    DatabaseErrorKind::NotNullViolation | DatabaseErrorKind::CheckViolation => Self::Other(text),
                    // Locked, full, read-only, shutting down, too many connections, deadlock, statement timeout:
                    // neither library says which, and "try again later" is the right advice in all cases.
                    _ => Self::Unavailable(text),
                }
            }
            Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. } => {
                Self::Unavailable(error.to_string())
            }
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<ConnectionError> for DbError {
    fn from(error: ConnectionError) -> Self {
        // libpq's message names host, port and user, never the password.
        Self::Unavailable(one_line(&error.to_string()))
    }
}

/// libpq's message without its hints (on separate lines, after a tab): one line for each address that it tried.
fn one_line(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('\t')).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ")
}

/// What an error means for the connection on which it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorEffect {
    /// Nothing: the statement failed, but the connection is good.
    None,
    /// The transaction lost a deadlock: try it again.
    Deadlock,
    /// The connection, or its file, can no longer be trusted: open a new one.
    Broken,
}

impl ErrorEffect {
    /// The effect of an error. Diesel does not pass on SQLite's extended codes or PostgreSQL's SQLSTATE, only the messages.
    pub(super) fn of(error: &Error) -> Self {
        const BROKEN: [&str; 13] = [
            "disk is full",
            "disk I/O error",
            "out of memory",
            "malformed",
            "not a database",
            "unable to open",
            "readonly database",
            "no transaction is active",
            "terminating connection",
            "server closed the connection",
            "shutting down",
            "no connection to the server",
            // A Django migration altered a column's type: the connection's prepared statements are invalid.
            "cached plan must not change",
        ];
        match error {
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::Deadlock,
            Error::DatabaseError(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _)
            | Error::BrokenTransactionManager => Self::Broken,
            Error::DatabaseError(DatabaseErrorKind::Unknown, info) => {
                let text = info.message();
                if text.contains("deadlock") {
                    Self::Deadlock
                } else if BROKEN.iter().any(|part| text.contains(part)) {
                    Self::Broken
                } else {
                    Self::None
                }
            }
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libpq_speaks_in_one_line_and_asks_nothing() {
        let text = "connection to server at \"::1\" failed: refused\n\tIs the server running?\n\
                    connection to server at \"127.0.0.1\" failed: refused\n\tIs the server running?\n";
        assert_eq!(
            one_line(text),
            "connection to server at \"::1\" failed: refused; connection to server at \"127.0.0.1\" failed: refused"
        );
    }

    #[test]
    fn a_connection_with_void_plans_is_not_used_again() {
        let text = "cached plan must not change result type".to_owned();
        let error = Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text));
        assert_eq!(ErrorEffect::of(&error), ErrorEffect::Broken);
    }
}
