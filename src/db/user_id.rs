//! The key of a user: an integer, or a UUID where the user table has UUID keys. Which one is decided by the table, so both
//! are one type here, and each value is bound as what it is.

use std::fmt;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::{
    AppearsOnTable, AsExpression, Expression, SelectableExpression, TypedExpressionType, ValidGrouping, is_aggregate,
};
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, HasSqlType, Nullable, SqlType, Text};
use diesel::sqlite::{Sqlite, SqliteType};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::conn::MultiBackend;

/// SQL type of the keys of users and of the columns that refer to them. PostgreSQL infers the type of a NULL.
#[derive(Debug, Clone, Copy, SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(oid = 0, array_oid = 0), sqlite_type(name = "Long"))]
pub struct UserKey;

/// SQL type of a UUID: `uuid` on PostgreSQL, Django's 32 hexadecimal digits on SQLite.
#[derive(Debug, Clone, Copy, SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Text"))]
pub struct UuidKey;

/// The primary key of a user. As text a UUID has dashes, as in SimpleJWT's claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, FromSqlRow)]
pub enum UserId {
    /// Django's `AutoField` or `BigAutoField`.
    Integer(i64),
    /// Django's `UUIDField`.
    Uuid(Uuid),
}

impl UserId {
    /// Parses what `Display` writes. Only `UserTable::parse_key` knows which kind a table has.
    pub(in crate::db) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::Integer).or_else(|| Uuid::parse_str(text).ok().map(Self::Uuid))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(id) => id.fmt(f),
            Self::Uuid(id) => id.hyphenated().fmt(f),
        }
    }
}

/// A number, or the text of a UUID.
impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(id) => serializer.serialize_i64(*id),
            Self::Uuid(_) => serializer.collect_str(self),
        }
    }
}

/// From a path. Whether the table has keys of this kind is checked where it is asked.
impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not the id of a user"))
    }
}

impl HasSqlType<UserKey> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<UserKey>(lookup)
    }
}

impl HasSqlType<UuidKey> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<UuidKey>(lookup)
    }
}

/// A key of four or eight bytes.
pub(super) fn key_from_pg(value: PgValue<'_>) -> deserialize::Result<i64> {
    match value.as_bytes() {
        bytes if bytes.len() == 8 => Ok(i64::from_be_bytes(bytes.try_into()?)),
        bytes if bytes.len() == 4 => Ok(i64::from(i32::from_be_bytes(bytes.try_into()?))),
        bytes => Err(format!("a key of {} bytes", bytes.len()).into()),
    }
}

impl FromSql<UserKey, Pg> for UserId {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match <[u8; 16]>::try_from(value.as_bytes()) {
            Ok(bytes) => Ok(Self::Uuid(Uuid::from_bytes(bytes))),
            Err(_) => key_from_pg(value).map(Self::Integer),
        }
    }
}

impl FromSql<UserKey, Sqlite> for UserId {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        if value.value_type() == Some(SqliteType::Text) {
            let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
            return Ok(Self::Uuid(Uuid::parse_str(&text)?));
        }
        <i64 as FromSql<BigInt, Sqlite>>::from_sql(value).map(Self::Integer)
    }
}

impl FromSql<UserKey, MultiBackend> for UserId {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, UserKey>()
    }
}

impl ToSql<UuidKey, Pg> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, self.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<UuidKey, Sqlite> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.simple().to_string());
        Ok(IsNull::No)
    }
}

impl ToSql<UuidKey, MultiBackend> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((UuidKey, self));
        Ok(IsNull::No)
    }
}

/// A key in a query, bound as the number or the UUID that it is.
#[derive(Debug, Clone, Copy)]
pub struct BoundUserId<ST>(UserId, PhantomData<ST>);

impl<ST> ValidGrouping<()> for BoundUserId<ST> {
    type IsAggregate = is_aggregate::Never;
}

impl<ST: TypedExpressionType + SqlType> Expression for BoundUserId<ST> {
    type SqlType = ST;
}

impl<T, ST> AppearsOnTable<T> for BoundUserId<ST> where Self: Expression {}

impl<T, ST> SelectableExpression<T> for BoundUserId<ST> where Self: AppearsOnTable<T> {}

/// Without a static id, prepared statements are identified by their text and the types of their values.
impl<ST> QueryId for BoundUserId<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, DB> QueryFragment<DB> for BoundUserId<ST>
where
    DB: Backend + HasSqlType<BigInt> + HasSqlType<UuidKey>,
    i64: ToSql<BigInt, DB>,
    Uuid: ToSql<UuidKey, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        match &self.0 {
            UserId::Integer(id) => out.push_bind_param::<BigInt, _>(id),
            UserId::Uuid(id) => out.push_bind_param::<UuidKey, _>(id),
        }
    }
}

macro_rules! bound {
    ($($from:ty, $sql_type:ty;)+) => {$(
        impl AsExpression<$sql_type> for $from {
            type Expression = BoundUserId<$sql_type>;

            fn as_expression(self) -> Self::Expression {
                BoundUserId(self.to_owned(), PhantomData)
            }
        }
    )+};
}

bound! {
    UserId, UserKey;
    UserId, Nullable<UserKey>;
    &UserId, UserKey;
    &UserId, Nullable<UserKey>;
}

impl ToSql<UserKey, MultiBackend> for UserId {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        match self {
            Self::Integer(id) => out.set_value((BigInt, id)),
            Self::Uuid(id) => out.set_value((UuidKey, id)),
        }
        Ok(IsNull::No)
    }
}
