//! Blacklists recorded tokens, as part of a transaction: one, or all of a session or user.

use crate::app::Tx;
use crate::db::blacklisted_tokens::Scope;
use crate::db::latchkey_token::{self, Blacklisting};
use crate::db::types::TokenId;
use crate::db::{DbError, blacklisted_tokens};
use crate::journal::events::{self, Event};
use crate::journal::reason::Reason;

/// What is recorded about a blacklisting.
#[derive(Debug, Clone, Copy)]
pub struct Why<'a> {
    /// The reason.
    pub reason: Reason,
    /// The actor: a username, "Command line", "Latchkey".
    pub by: &'a str,
    /// The token's session.
    pub session: Option<&'a str>,
    /// HMAC of the key under which the rotation can be retried.
    pub retry_key: Option<&'a str>,
}

impl<'a> Why<'a> {
    /// Only a reason and a name.
    pub fn new(reason: Reason, by: &'a str) -> Self {
        Self { reason, by, session: None, retry_key: None }
    }
}

/// Blacklists a recorded token and records why.
///
/// # Errors
/// `Unique` if it is already blacklisted.
pub fn blacklist_row(tx: &mut Tx<'_>, id: TokenId, why: Why<'_>) -> Result<(), DbError> {
    blacklisted_tokens::insert(tx.conn, id, tx.now)?;
    // A rotation is counted as part of its refresh.
    if why.reason != Reason::Rotated {
        events::count(tx, &[Event::Blacklisted(why.reason)])?;
    }
    let why = Blacklisting {
        blacklist_reason: why.reason.name(),
        blacklisted_by: why.by,
        rotated_at: (why.reason == Reason::Rotated).then_some(tx.now),
        retry_key: why.retry_key,
        session_id: why.session,
    };
    latchkey_token::update_blacklisting(tx.conn, id, why)
}

/// Blacklists every token of a scope; the caller has locked the user's row. Returns how many.
pub fn blacklist_scope(tx: &mut Tx<'_>, scope: Scope<'_>, (reason, by): (Reason, &str)) -> Result<usize, DbError> {
    latchkey_token::update_blacklisting_of(tx.conn, scope, reason.name(), by)?;
    let count = blacklisted_tokens::insert_all_of(tx.conn, scope, tx.now)?;
    events::count_many(tx, Event::Blacklisted(reason), count)?;
    Ok(count)
}
