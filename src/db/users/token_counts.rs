//! How many tokens a user has: for the user's page and the command line.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::db::sql::Sql;
use crate::db::types::{Instant, UserId};
use crate::db::{Conn, DbError};

/// How many tokens a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct TokenCounts {
    /// Not blacklisted, not expired.
    #[diesel(sql_type = BigInt)]
    pub live: i64,
    /// Blacklisted, and not yet deleted.
    #[diesel(sql_type = BigInt)]
    pub blacklisted: i64,
    /// All that are recorded.
    #[diesel(sql_type = BigInt)]
    pub all: i64,
}

impl TokenCounts {
    /// Maximum number of tokens of a user, the newest, that are counted for a page.
    pub const MAX_COUNTED: i64 = 5_000;

    /// Whether there may be more than were counted.
    pub fn is_cut(&self) -> bool {
        self.all >= Self::MAX_COUNTED
    }
}

/// Counts a user's tokens: valid at `now`, blacklisted, and all; only among the `most` newest, if given.
pub fn count_tokens(conn: &mut Conn, id: UserId, now: Instant, most: Option<i64>) -> Result<TokenCounts, DbError> {
    let limit = most.map(|most| format!("ORDER BY id DESC LIMIT {most}")).unwrap_or_default();
    let text = format!(
        "SELECT CAST(coalesce(sum(CASE WHEN b.id IS NULL AND o.expires_at > ? THEN 1 ELSE 0 END), 0) AS bigint) AS live, \
         count(b.id) AS blacklisted, count(*) AS \"all\" \
         FROM (SELECT id, expires_at FROM token_blacklist_outstandingtoken WHERE user_id = ? {limit}) AS o \
         LEFT JOIN token_blacklist_blacklistedtoken b ON b.token_id = o.id"
    );
    Ok(Sql::varying(&text, &[now.into(), id.into()]).get_result(conn)?)
}
