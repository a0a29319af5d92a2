//! Statements that we write as text, with a `?` for each value. Diesel never keeps an UPDATE, a `sql_query` or (on PostgreSQL) an
//! INSERT prepared, because it cannot know how many different texts there are; on SQLite parsing then costs more than running
//! them. So every login and refresh uses `Sql::fixed`, which each connection prepares once.

use std::borrow::Cow;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Untyped};

use super::conn::MultiBackend;
use super::types::{Instant, Key, Moment, RowId, TokenId, UserId};
use super::user_id::UserKey;
use super::{Conn, DbError};

/// A statement with a `?` for each value.
pub(super) struct Sql<'a> {
    text: &'a str,
    values: &'a [Value<'a>],
    is_fixed: bool,
}

/// A value of one of the types that our columns have; `None` is null.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Text(Option<Cow<'a, str>>),
    Key(Option<RowId>),
    User(Option<UserId>),
    Moment(Option<Instant>),
    Number(i64),
    Flag(bool),
}

impl Value<'_> {
    /// A value of a setting, for a column of any type: a list or an object is JSON.
    pub(super) fn constant(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Text(None),
            serde_json::Value::Bool(flag) => Self::Flag(*flag),
            serde_json::Value::Number(number) if number.is_i64() => Self::Number(number.as_i64().unwrap_or_default()),
            serde_json::Value::String(text) => text.clone().into(),
            other => other.to_string().into(),
        }
    }
}

impl<'a> Sql<'a> {
    /// A statement whose text is always the same: its connection keeps it prepared for good.
    pub(super) fn fixed(text: &'a str, values: &'a [Value<'a>]) -> Self {
        debug_assert_eq!(text.matches('?').count(), values.len(), "{text}");
        Self { text, values, is_fixed: true }
    }

    /// A statement whose text depends on what is asked.
    pub(super) fn varying(text: &'a str, values: &'a [Value<'a>]) -> Self {
        Self { is_fixed: false, ..Self::fixed(text, values) }
    }

    /// Runs it; answers how many rows it changed.
    pub(super) fn run(self, conn: &mut Conn) -> Result<usize, DbError> {
        Ok(self.execute(conn)?)
    }
}

impl QueryFragment<MultiBackend> for Sql<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        if !self.is_fixed {
            out.unsafe_to_cache_prepared();
        }
        let mut parts = self.text.split('?');
        out.push_sql(parts.next().unwrap_or_default());
        for (value, part) in self.values.iter().zip(parts) {
            match value {
                Value::Text(text) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                Value::Key(key) => out.push_bind_param::<Nullable<Key>, _>(key)?,
                Value::User(key) => out.push_bind_param::<Nullable<UserKey>, _>(key)?,
                Value::Moment(at) => out.push_bind_param::<Nullable<Moment>, _>(at)?,
                Value::Flag(flag) => out.push_bind_param::<Bool, _>(flag)?,
                Value::Number(number) => out.push_bind_param::<BigInt, _>(number)?,
            }
            out.push_sql(part);
        }
        Ok(())
    }
}

/// Without a static id, prepared statements are identified by their text.
impl QueryId for Sql<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Sql<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<Conn> for Sql<'_> {}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text.into()))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text.map(Cow::from))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(text.into()))
    }
}

impl From<RowId> for Value<'_> {
    fn from(id: RowId) -> Self {
        Self::Key(Some(id))
    }
}

impl From<TokenId> for Value<'_> {
    fn from(id: TokenId) -> Self {
        Self::Key(Some(RowId(id.0)))
    }
}

impl From<UserId> for Value<'_> {
    fn from(id: UserId) -> Self {
        Self::User(Some(id))
    }
}

impl From<Option<UserId>> for Value<'_> {
    fn from(id: Option<UserId>) -> Self {
        Self::User(id)
    }
}

impl From<Option<TokenId>> for Value<'_> {
    fn from(id: Option<TokenId>) -> Self {
        Self::Key(id.map(|id| RowId(id.0)))
    }
}

impl From<Instant> for Value<'_> {
    fn from(at: Instant) -> Self {
        Self::Moment(Some(at))
    }
}

impl From<Option<Instant>> for Value<'_> {
    fn from(at: Option<Instant>) -> Self {
        Self::Moment(at)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
