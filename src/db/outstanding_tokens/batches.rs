//! What background work does with tokens, some at a time: it deletes expired ones (`tokens::purge`), and counts those that were
//! there before Latchkey (`accounts::backfill`).

use diesel::prelude::*;

use crate::db::schema::{blacklisted_tokens, outstanding_tokens};
use crate::db::types::{Instant, TokenId};
use crate::db::{Conn, DbError};

/// Deletes up to `limit` tokens that expired before `now`, with their blacklist entries; returns how many.
pub fn delete_expired(conn: &mut Conn, now: Instant, limit: i64) -> Result<usize, DbError> {
    let expired: Vec<TokenId> = outstanding_tokens::table
        .filter(outstanding_tokens::expires_at.le(now))
        .order((outstanding_tokens::expires_at, outstanding_tokens::id))
        .select(outstanding_tokens::id)
        .limit(limit)
        .load(conn)?;
    diesel::delete(blacklisted_tokens::table.filter(blacklisted_tokens::token_id.eq_any(&expired))).execute(conn)?;
    Ok(diesel::delete(outstanding_tokens::table.filter(outstanding_tokens::id.eq_any(&expired))).execute(conn)?)
}

/// How many tokens that expired before `now` have not been deleted.
pub fn count_expired(conn: &mut Conn, now: Instant) -> Result<i64, DbError> {
    Ok(outstanding_tokens::table.filter(outstanding_tokens::expires_at.le(now)).count().get_result(conn)?)
}

/// The newest tokens up to this key, with their time of creation.
pub fn list_created_up_to(conn: &mut Conn, up_to: i64, limit: i64) -> Result<Vec<(TokenId, Option<Instant>)>, DbError> {
    Ok(outstanding_tokens::table
        .filter(outstanding_tokens::id.le(TokenId(up_to)))
        .order(outstanding_tokens::id.desc())
        .select((outstanding_tokens::id, outstanding_tokens::created_at))
        .limit(limit)
        .load(conn)?)
}
