//! `auth_user`: Django's users.

use super::page::{Page, Paging};
use super::types::{EncodedPassword, Instant, UserId};
use super::{Conn, DbError};

/// A row of `auth_user`.
#[derive(Debug, Clone, diesel::Queryable, diesel::Selectable)]
#[diesel(table_name = super::schema::users)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct User {
    pub id: UserId,
    #[diesel(deserialize_as = String)]
    pub password: EncodedPassword,
    pub last_login: Option<Instant>,
    pub is_superuser: bool,
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub is_staff: bool,
    pub is_active: bool,
    pub date_joined: Instant,
}

/// Columns that the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By `username`.
    Username,
    /// By primary key, which is the order of joining.
    Joined,
    /// By `last_login`, nulls as the oldest.
    LastLogin,
}

/// How many tokens a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCounts {
    /// Not blacklisted, not expired.
    pub live: i64,
    /// All that are recorded.
    pub all: i64,
}

/// A page of users; `q` is a user id, or a part of a username, e-mail address or name. At most 3 statements.
pub fn search(_conn: &mut Conn, _q: Option<&str>, _paging: &Paging<Sort>) -> Result<Page<User>, DbError> {
    unimplemented!()
}

/// One user.
pub fn find(_conn: &mut Conn, _id: UserId) -> Result<Option<User>, DbError> {
    unimplemented!()
}

/// How many tokens a user has, live at `now` and in all.
pub fn count_tokens(_conn: &mut Conn, _id: UserId, _now: Instant) -> Result<TokenCounts, DbError> {
    unimplemented!()
}
