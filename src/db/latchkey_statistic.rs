//! `latchkey_statistic`: counts that take too long for a page and are taken in the background from time to time. Also the progress
//! in counting tokens that were there before Latchkey (`accounts::backfill`).

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::schema::latchkey_statistic;
use super::sql::Sql;
use super::types::{Instant, Moment};
use super::user_table::UserTable;
use super::{Conn, DbError};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Statistic {
    /// All users.
    Users,
    /// Sessions that are neither ended nor expired.
    ActiveSessions,
    /// All recorded tokens.
    Outstanding,
    /// Recorded tokens that are neither blacklisted nor expired.
    Live,
    /// Expired tokens that have not been deleted yet.
    ExpiredWaiting,
    /// Blacklisted tokens that were rotated.
    Rotated,
    /// All blacklisted tokens.
    Blacklisted,
    /// Email addresses that several users have.
    SharedAddresses,
}

impl Statistic {
    /// Its name in `latchkey_statistic.name`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The query that counts it, at a point in time.
    fn query(self, users: &UserTable) -> String {
        let table = users.source();
        // Each uses the time, so that it is always bound in the same way.
        match self {
            Self::Users => return format!("FROM {} WHERE $1 IS NOT NULL", users.name.quoted()),
            Self::ActiveSessions => "FROM latchkey_session WHERE expires_at > $1 AND ended_at IS NULL",
            Self::Outstanding => "FROM token_blacklist_outstandingtoken WHERE $1 IS NOT NULL",
            Self::Live => {
                "FROM token_blacklist_outstandingtoken o WHERE expires_at > $1 AND NOT EXISTS \
                 (SELECT 1 FROM token_blacklist_blacklistedtoken b WHERE b.token_id = o.id)"
            }
            Self::ExpiredWaiting => "FROM token_blacklist_outstandingtoken WHERE expires_at <= $1",
            Self::Rotated => "FROM latchkey_token WHERE rotated_at <= $1",
            Self::Blacklisted => "FROM token_blacklist_blacklistedtoken WHERE $1 IS NOT NULL",
            Self::SharedAddresses => {
                let email = users.lower_email();
                return format!(
                    "FROM (SELECT 1 FROM {table} u WHERE u.email <> '' AND $1 IS NOT NULL \
                     GROUP BY {email} HAVING count(*) > 1) AS shared"
                );
            }
        }
        .to_owned()
    }
}

/// A count, and when it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Counted {
    /// What was counted: the name of a `Statistic`.
    pub name: String,
    /// How many.
    pub value: i64,
    /// When.
    pub counted_at: Instant,
}

/// All counts.
#[derive(Debug, Clone, Default)]
pub struct Statistics(Vec<Counted>);

impl Statistics {
    /// The last count of a statistic.
    pub fn of(&self, statistic: Statistic) -> Option<&Counted> {
        self.0.iter().find(|counted| counted.name == statistic.name())
    }
}

/// Reads all counts.
pub fn list(conn: &mut Conn) -> Result<Statistics, DbError> {
    Ok(Statistics(latchkey_statistic::table.load(conn)?))
}

/// One row.
pub fn find(conn: &mut Conn, name: &str) -> Result<Option<Counted>, DbError> {
    Ok(latchkey_statistic::table.find(name).first(conn).optional()?)
}

/// Writes one row.
pub fn upsert(conn: &mut Conn, name: &str, value: i64, at: Instant) -> Result<(), DbError> {
    let text = "INSERT INTO latchkey_statistic (name, value, counted_at) VALUES (?, ?, ?) \
                ON CONFLICT (name) DO UPDATE SET value = excluded.value, counted_at = excluded.counted_at";
    Sql::fixed(text, &[name.into(), value.into(), at.into()]).run(conn).map(drop)
}

/// Counts the rows: this takes seconds if there are millions.
pub fn count(conn: &mut Conn, users: &UserTable, statistic: Statistic, now: Instant) -> Result<i64, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let query = diesel::sql_query(format!("SELECT count(*) AS count {}", statistic.query(users)));
    Ok(query.bind::<Moment, _>(now).get_result::<Row>(conn)?.count)
}
