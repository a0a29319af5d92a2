//! `token_blacklist_outstandingtoken`: refresh and sliding tokens that were issued and recorded.

use super::page::{Page, Paging};
use super::types::{Instant, TokenId, UserId};
use super::users::User;
use super::{Conn, DbError};

/// Columns that the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By primary key, which is the order of creation.
    Created,
    /// By `expires_at`.
    Expires,
}

/// A row of the list.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Listed {
    pub id: TokenId,
    pub jti: String,
    pub created_at: Option<Instant>,
    pub expires_at: Instant,
    pub user_id: Option<UserId>,
    /// The owner's name; `None` when the owner was deleted.
    pub username: Option<String>,
    pub blacklisted_at: Option<Instant>,
    /// Set when the token was rotated into another one.
    pub rotated_at: Option<Instant>,
    /// Why it is blacklisted (`latchkey_token.blacklist_reason`), if we did it.
    pub blacklist_reason: Option<String>,
}

/// One token with everything that its page shows. No `Debug`: Django stores whole tokens.
#[derive(Clone)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Detail {
    pub row: Listed,
    /// `header.payload`, or a whole token where Django wrote it.
    pub token: String,
    pub user: Option<User>,
    /// Who blacklisted it: a username, "Command line", "Latchkey".
    pub blacklisted_by: Option<String>,
    /// Row of `token_blacklist_blacklistedtoken`.
    pub blacklisted_id: Option<TokenId>,
    /// The token that it was rotated from, with its jti.
    pub rotated_from: Option<(TokenId, String)>,
    /// The token that it was rotated into, with its jti.
    pub rotated_into: Option<(TokenId, String)>,
    /// Whether we wrote it (there is a `latchkey_token` row) or Django did.
    pub ours: bool,
    /// Id of the key that it was made with, if we wrote it.
    pub kid: Option<String>,
}

/// A page of tokens; `q` is a jti, a user id, or the beginning of a username or e-mail address. At most 3 statements.
pub fn search(_conn: &mut Conn, _q: Option<&str>, _paging: &Paging<Sort>) -> Result<Page<Listed>, DbError> {
    unimplemented!()
}

/// One token. At most 2 statements.
pub fn find_detail(_conn: &mut Conn, _id: TokenId) -> Result<Option<Detail>, DbError> {
    unimplemented!()
}
