//! `token_blacklist_blacklistedtoken`: outstanding tokens that must no longer be accepted.

use super::page::{Page, Paging};
use super::types::{Instant, TokenId, UserId};
use super::{Conn, DbError};

/// Columns that the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By primary key, which is the order of blacklisting.
    Blacklisted,
    /// By the token's `expires_at`.
    Expires,
}

/// A row of the list, and of the page of one.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Listed {
    /// Primary key of the blacklist entry.
    pub id: TokenId,
    pub blacklisted_at: Instant,
    pub token_id: TokenId,
    pub jti: String,
    pub created_at: Option<Instant>,
    pub expires_at: Instant,
    pub user_id: Option<UserId>,
    pub username: Option<String>,
    pub rotated_at: Option<Instant>,
    pub blacklist_reason: Option<String>,
    pub blacklisted_by: Option<String>,
}

/// A page of blacklisted tokens; `q` as for outstanding tokens. At most 3 statements.
pub fn search(_conn: &mut Conn, _q: Option<&str>, _paging: &Paging<Sort>) -> Result<Page<Listed>, DbError> {
    unimplemented!()
}

/// One blacklist entry.
pub fn find(_conn: &mut Conn, _id: TokenId) -> Result<Option<Listed>, DbError> {
    unimplemented!()
}
