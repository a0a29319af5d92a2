//! Forgetting what has expired: tokens, and sessions that are over.

use crate::app::App;
use crate::db::{DbError, outstanding_tokens};

/// How many expired tokens one write job deletes: short enough that a refresh behind it does not notice.
const FLUSH_BATCH: i64 = 500;

/// Deletes the tokens that expired, with their blacklist entries, in batches; `tell` hears the size of each.
pub async fn flush_expired(app: &App, mut tell: impl FnMut(usize)) -> Result<usize, DbError> {
    // A token within the leeway is still accepted.
    let before = app.now() - app.config.jwt.leeway;
    let mut flushed = 0;
    loop {
        let batch = app.db.write(move |conn| outstanding_tokens::delete_expired(conn, before, FLUSH_BATCH)).await?;
        if batch == 0 {
            return Ok(flushed);
        }
        flushed += batch;
        tell(batch);
    }
}

/// How many tokens `flush_expired` would delete.
pub async fn count_expired(app: &App) -> Result<i64, DbError> {
    let before = app.now() - app.config.jwt.leeway;
    app.db.read(move |conn| outstanding_tokens::count_expired(conn, before)).await
}
