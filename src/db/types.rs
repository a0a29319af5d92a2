//! The types of our columns: keys, instants, encoded passwords, and how both databases store them.
//! Django's keys are int4 or int8, and on SQLite it stores times as text; only this file needs to know.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, HasSqlType, SqlType, Text, Timestamptz};
use diesel::sqlite::Sqlite;

use super::conn::MultiBackend;
pub use super::user_id::UserId;
use super::user_id::key_from_pg;

/// SQL type of primary keys: int8 or int4 on PostgreSQL, INTEGER on SQLite.
#[derive(Debug, Clone, Copy, SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(oid = 20, array_oid = 1016), sqlite_type(name = "Long"))]
pub struct Key;

/// SQL type of points in time: timestamptz on PostgreSQL, Django's text on SQLite.
#[derive(Debug, Clone, Copy, SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Text"))]
pub struct Moment;

impl HasSqlType<Key> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Key>(lookup)
    }
}

impl HasSqlType<Moment> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Moment>(lookup)
    }
}

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
        #[diesel(sql_type = Key)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromSql<Key, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                key_from_pg(value).map(Self)
            }
        }

        impl FromSql<Key, Sqlite> for $name {
            fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                <i64 as FromSql<BigInt, Sqlite>>::from_sql(value).map(Self)
            }
        }

        impl FromSql<Key, MultiBackend> for $name {
            fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                value.from_sql::<Self, Key>()
            }
        }

        impl ToSql<Key, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <i64 as ToSql<BigInt, Pg>>::to_sql(&self.0, out)
            }
        }

        impl ToSql<Key, Sqlite> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.0);
                Ok(IsNull::No)
            }
        }

        impl ToSql<Key, MultiBackend> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((Key, self));
                Ok(IsNull::No)
            }
        }
    };
}

key! {
    /// `token_blacklist_outstandingtoken.id`.
    TokenId
}
key! {
    /// Primary key of any other table.
    RowId
}

/// A point in time in UTC, with microseconds, as both databases can store it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Moment)]
pub struct Instant(DateTime<Utc>);

impl Instant {
    /// From seconds since 1970 (a JWT's `exp`); `None` outside the years 1 to 9999, which Django cannot read.
    pub fn from_timestamp(seconds: i64) -> Option<Self> {
        use chrono::Datelike;
        let at = DateTime::from_timestamp(seconds, 0)?;
        (1..=9999).contains(&at.year()).then_some(Self(at))
    }

    /// Seconds since 1970, rounded down: JWT's NumericDate without a fraction.
    pub fn timestamp(self) -> i64 {
        self.0.timestamp()
    }

    /// As chrono's type.
    pub fn datetime(self) -> DateTime<Utc> {
        self.0
    }

    /// The beginning of its hour, in UTC.
    #[must_use]
    pub fn hour(self) -> Self {
        self.rounded_down(3600)
    }

    /// The beginning of its day, in UTC.
    #[must_use]
    pub fn day(self) -> Self {
        self.rounded_down(86_400)
    }

    fn rounded_down(self, seconds: i64) -> Self {
        let at = self.timestamp();
        Self(DateTime::from_timestamp(at - at.rem_euclid(seconds), 0).unwrap_or(self.0))
    }

    /// ISO 8601 as DRF writes it: `2026-11-22T11:38:04.123456Z`, without a zero fraction.
    pub fn iso(self) -> String {
        let format =
            if self.0.timestamp_subsec_micros() == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
        self.0.format(format).to_string()
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        Self(DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at))
    }
}

impl std::ops::Add<std::time::Duration> for Instant {
    type Output = Self;
    fn add(self, by: std::time::Duration) -> Self {
        let by = chrono::TimeDelta::from_std(by).unwrap_or(chrono::TimeDelta::MAX);
        Self(self.0.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }
}

impl std::ops::Sub<std::time::Duration> for Instant {
    type Output = Self;
    fn sub(self, by: std::time::Duration) -> Self {
        let by = chrono::TimeDelta::from_std(by).unwrap_or(chrono::TimeDelta::MAX);
        Self(self.0.checked_sub_signed(by).unwrap_or(DateTime::<Utc>::MIN_UTC))
    }
}

impl FromSql<Moment, Pg> for Instant {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <DateTime<Utc> as FromSql<Timestamptz, Pg>>::from_sql(value).map(Self)
    }
}

impl FromSql<Moment, Sqlite> for Instant {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        let text = text.trim_end_matches("+00:00").trim_end_matches('Z');
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f"))
            .map(|at| Self(at.and_utc()))
            .map_err(|error| format!("not a time as Django writes it: {error}").into())
    }
}

impl FromSql<Moment, MultiBackend> for Instant {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Moment>()
    }
}

impl ToSql<Moment, Pg> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <DateTime<Utc> as ToSql<Timestamptz, Pg>>::to_sql(&self.0, &mut out.reborrow())
    }
}

impl ToSql<Moment, Sqlite> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        // As Django's adapter: no zone, and no fraction when it is zero.
        let format = if self.0.timestamp_subsec_micros() == 0 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S%.6f" };
        out.set_value(self.0.format(format).to_string());
        Ok(IsNull::No)
    }
}

impl ToSql<Moment, MultiBackend> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Moment, self));
        Ok(IsNull::No)
    }
}

/// A password as Django stores it (`scheme$…`). Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedPassword(pub String);

impl From<String> for EncodedPassword {
    fn from(encoded: String) -> Self {
        Self(encoded)
    }
}

impl fmt::Debug for EncodedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncodedPassword(…)")
    }
}
