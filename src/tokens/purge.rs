//! Deletes expired tokens, and ended sessions without tokens. `runserver` does it in the background, in small batches;
//! `flushexpiredtokens` does it immediately.

use std::time::Duration;

use crate::app::{App, Tx};
use crate::config::TokenClass;
use crate::db::exclusive::Task;
use crate::db::types::Instant;
use crate::db::{DbError, latchkey_session, outstanding_tokens};

/// How many rows one write job deletes: few enough that a refresh waiting behind it is not slowed down.
const BATCH: i64 = 500;
/// The pause between two batches in the background, so that requests come first.
const PAUSE: Duration = Duration::from_millis(50);
/// When the first purge after a start runs: a server that is often restarted has to purge too.
const FIRST: Duration = Duration::from_mins(1);

/// How much was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Outstanding tokens, with their blacklist entries.
    pub tokens: usize,
    /// Sessions.
    pub sessions: usize,
}

/// Purges every `PURGE_INTERVAL`, until it is dropped.
pub async fn run(app: App) {
    let interval = app.config.sessions.purge_interval;
    if interval.is_zero() {
        return;
    }
    let mut wait = FIRST.min(interval);
    loop {
        tokio::time::sleep(wait).await;
        wait = interval;
        match purge(&app).await {
            Ok(Purged { tokens: 0, sessions: 0 }) => {}
            Ok(Purged { tokens, sessions }) => tracing::info!(tokens, sessions, "deleted expired rows"),
            Err(error) => tracing::warn!(%error, "expired tokens could not be deleted; this will be retried"),
        }
    }
}

/// Runs one purge. Of several instances on one database, one does the work and the others skip it.
pub async fn purge(app: &App) -> Result<Purged, DbError> {
    let mut purged = Purged::default();
    loop {
        let deleted = app.write_exclusively(Task::Purge, batch(app)).await?;
        let Purged { tokens, sessions } = deleted.unwrap_or_default();
        if tokens + sessions == 0 {
            return Ok(purged);
        }
        purged.tokens += tokens;
        purged.sessions += sessions;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Deletes everything that has expired, whatever other instances do; `tell` is called with the number of tokens in each
/// batch.
pub async fn flush_expired(app: &App, mut tell: impl FnMut(usize)) -> Result<usize, DbError> {
    let mut flushed = 0;
    loop {
        let Purged { tokens, sessions } = app.write(batch(app)).await?;
        if tokens + sessions == 0 {
            return Ok(flushed);
        }
        flushed += tokens;
        tell(tokens);
    }
}

/// How many tokens `flush_expired` would delete.
pub async fn count_expired(app: &App) -> Result<i64, DbError> {
    let before = expired(app);
    app.read(move |tx| outstanding_tokens::count_expired(tx.conn, before)).await
}

/// Tokens recorded as expired before this time are no longer accepted anywhere.
fn expired(app: &App) -> Instant {
    let jwt = &app.config.jwt;
    // A token within the leeway is still accepted.
    let expired = app.now() - jwt.leeway;
    if !jwt.auth_token_classes.contains(&TokenClass::Sliding) {
        return expired;
    }
    // A refresh moves the `exp` of a sliding token but not the expiry in its row; Django's rows have the first `exp`. A
    // blacklisted token that was deleted at that time would be valid again.
    expired - jwt.sliding_token_refresh_lifetime.max(jwt.sliding_token_lifetime)
}

/// The job that deletes one batch.
fn batch(app: &App) -> impl Fn(&mut Tx<'_>) -> Result<Purged, DbError> + Send + use<> {
    let (jwt, expired) = (&app.config.jwt, expired(app));
    let ended = expired - jwt.refresh_token_lifetime.max(jwt.sliding_token_refresh_lifetime);
    move |tx| {
        Ok(Purged {
            tokens: outstanding_tokens::delete_expired(tx.conn, expired, BATCH)?,
            sessions: latchkey_session::delete_over(tx.conn, expired, ended, BATCH)?,
        })
    }
}
