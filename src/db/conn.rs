//! `Conn`: one connection to either database. Every query is written once, for this enum.
//! Also how a connection is opened, and how its errors and statements are observed.
#![allow(missing_docs, reason = "`MultiConnection` derives public items that it does not document")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use diesel::connection::{Connection, InstrumentationEvent, SimpleConnection};
use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;
use secrecy::ExposeSecret;

use super::error::{DbError, ErrorEffect};
use super::statements::Statements;
use crate::config::DatabaseUrl;

/// A connection to the database that `DATABASE_URL` names.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL, through libpq.
    Postgres(PgConnection),
    /// A SQLite file.
    Sqlite(SqliteConnection),
}

/// What a connection may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessMode {
    /// Only reading (SQLite refuses writes).
    Read,
    /// Reading and writing in short transactions.
    Write,
    /// Migrations: no time limits.
    Migrate,
}

impl Conn {
    /// Opens the database that the URL names. The derived `establish` is never used: SQLite accepts any text as a file name.
    pub fn open(url: &DatabaseUrl, mode: AccessMode) -> Result<Self, DbError> {
        match url {
            DatabaseUrl::Sqlite(path) => open_sqlite(path, mode).map(Self::Sqlite),
            DatabaseUrl::Postgres(url) => open_postgres(url.expose_secret(), mode).map(Self::Postgres),
        }
    }

    /// Whether this is the PostgreSQL variant.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

fn open_sqlite(path: &Path, mode: AccessMode) -> Result<SqliteConnection, DbError> {
    let path = std::path::absolute(path).map_err(|error| DbError::Unavailable(error.to_string()))?;
    let text = path.to_str().ok_or_else(|| DbError::Unavailable("the database's path is not UTF-8".to_owned()))?;
    // Whatever the mode: SQLite would create a missing file that everybody can read.
    make_private(&path)?;
    let mut conn = SqliteConnection::establish(text)
        .map_err(|error| DbError::Unavailable(format!("{error} ({})", path.display())))?;
    // The time limit comes first: switching to WAL needs a lock.
    conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;")?;
    conn.batch_execute(match mode {
        AccessMode::Read => "PRAGMA query_only = ON;",
        // A revoked token must not be valid again after a power cut: hence FULL.
        AccessMode::Write | AccessMode::Migrate => "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
    })?;
    Ok(conn)
}

/// Creates a database file that only its owner can read, since it will contain password hashes. An existing file is left alone.
fn make_private(path: &Path) -> Result<(), DbError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(DbError::Unavailable(format!("cannot make {}: {error}", path.display()))),
    }
}

fn open_postgres(url: &str, mode: AccessMode) -> Result<PgConnection, DbError> {
    let mut url = url.to_owned();
    if !url.contains("connect_timeout=") {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str("connect_timeout=5");
    }
    let mut conn = PgConnection::establish(&url)?;
    // `ErrorEffect` expects English. Only a superuser may set the language; others keep the server's.
    let _ = conn.batch_execute("SET lc_messages = 'C'");
    conn.batch_execute(match mode {
        AccessMode::Read => "SET statement_timeout = '30s'",
        AccessMode::Write => "SET statement_timeout = '30s'; SET lock_timeout = '10s'",
        AccessMode::Migrate => "SET client_min_messages = warning",
    })?;
    Ok(conn)
}

/// An open connection whose errors and statements are observed.
pub(super) struct Watched {
    pub(super) conn: Conn,
    worst: Arc<AtomicU8>,
    file: Option<File>,
}

/// The SQLite file that was opened: its path, its device and its inode.
struct File {
    path: PathBuf,
    identity: (u64, u64),
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let file = path.metadata()?;
    Ok((file.dev(), file.ino()))
}

impl Watched {
    /// Opens a connection that reports its statements to `statements`. A SQLite file must exist: only `migrate` creates one.
    pub(super) fn open(url: &DatabaseUrl, mode: AccessMode, statements: &Arc<Statements>) -> Result<Self, DbError> {
        let file = match url {
            DatabaseUrl::Postgres(_) => None,
            DatabaseUrl::Sqlite(path) => {
                let gone = |error| DbError::Unavailable(format!("cannot read {}: {error}", path.display()));
                Some(File { path: path.clone(), identity: identity(path).map_err(gone)? })
            }
        };
        let mut conn = Conn::open(url, mode)?;
        let worst = Arc::new(AtomicU8::new(0));
        let (seen, statements) = (Arc::clone(&worst), Arc::clone(statements));
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
            InstrumentationEvent::StartQuery { query, .. } => statements.starts(query),
            InstrumentationEvent::FinishQuery { query, error, .. } => {
                match error.map_or(ErrorEffect::None, ErrorEffect::of) {
                    ErrorEffect::None => {}
                    ErrorEffect::Deadlock => seen.store(1, Ordering::Relaxed),
                    ErrorEffect::Broken => seen.store(2, Ordering::Relaxed),
                }
                statements.ends(query);
            }
            InstrumentationEvent::CacheQuery { sql, .. } => statements.keeps(sql),
            _ => {}
        });
        Ok(Self { conn, worst, file })
    }

    /// Whether the SQLite file is still the one that was opened. A file that was moved or replaced can still be written to, but
    /// those writes are lost.
    pub(super) fn is_current(&self) -> bool {
        self.file.as_ref().is_none_or(|file| identity(&file.path).is_ok_and(|now| now == file.identity))
    }

    /// The worst effect of an error since the last call.
    pub(super) fn take_worst_effect(&self) -> ErrorEffect {
        match self.worst.swap(0, Ordering::Relaxed) {
            0 => ErrorEffect::None,
            1 => ErrorEffect::Deadlock,
            _ => ErrorEffect::Broken,
        }
    }
}
