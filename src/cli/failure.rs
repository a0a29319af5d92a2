//! How a command can fail, and how that is reported: one clear sentence on stderr, exit code 1. Every error of the rooms below is
//! turned into one of these here, so that none can be forgotten.

use std::io;
use std::process::ExitCode;

use super::{stderr, text};
use crate::accounts::manage::ManageError;
use crate::app::OpenError;
use crate::db::DbError;
use crate::db::migrations::MigrateError;

/// What to look at when the database cannot be used.
pub const DATABASE_HINT: &str = "Check DATABASE_URL, and that the database is running and may be used by this user.";

/// Why a command stopped.
#[derive(Debug)]
pub enum Failure {
    /// Something went wrong; the text says what, and what to do about it. Exit code 1.
    Said(String),
    /// Everything has been reported already. Exit code 1.
    Silent,
    /// Ctrl-C, or the input ended at a question. Exit code 1.
    Cancelled,
    /// Stdout cannot be written to.
    Output(io::Error),
}

impl Failure {
    /// A failure with this text.
    pub fn say(text: impl Into<String>) -> Self {
        Self::Said(text.into())
    }

    /// Reports it and returns the exit code.
    pub fn tell(self) -> ExitCode {
        match self {
            Self::Said(text) => stderr::error(&text),
            Self::Silent => {}
            Self::Cancelled => stderr::warn("\nOperation cancelled."),
            // `latchkey users list | head`: the reader has seen enough, which is not a failure.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Self::Output(fault) => stderr::error(&format!("The output can't be written: {fault}.")),
        }
        ExitCode::FAILURE
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Said(match error {
            DbError::Unavailable(cause) => {
                format!("The database cannot be used: {}. {}", text::one_line(&cause), DATABASE_HINT)
            }
            DbError::Unique(_) => "Somebody else has just created the same. Run the command again.".to_owned(),
            DbError::NotFound | DbError::Referenced(_) | DbError::Other(_) => {
                format!("Database error: {error}. 'latchkey check' may tell more.")
            }
        })
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Refused(reason) => Self::Said(reason),
            MigrateError::Failed(reason) => Self::Said(format!("A migration failed and was rolled back: {reason}.")),
            MigrateError::Db(error) => error.into(),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Keys(error) => Self::Said(error.to_string()),
            OpenError::Refused(reason) => Self::Said(reason),
            OpenError::Db(error) => error.into(),
        }
    }
}

impl From<ManageError> for Failure {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::Fields(_)
            | ManageError::Protected(_)
            | ManageError::Referenced
            | ManageError::NoCreation(_) => Self::Said(error.to_string()),
            ManageError::Stale => Self::say("The user has been changed in the meantime. Run the command again."),
            ManageError::NoSuchUser => Self::say("The user has been deleted in the meantime."),
            ManageError::Busy => Self::say("Too many passwords are being hashed at the moment. Run the command again."),
            ManageError::Db(error) => error.into(),
        }
    }
}
