//! The panel's list of outstanding tokens: filtered, ordered, one page at a time.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::{COLUMNS, Listed, joins};
use crate::db::latchkey_statistic::{self, Statistic};
use crate::db::list::{Conditions, List, Order, Period};
use crate::db::page::{Cursor, MAX_SCANNED, Page, Paging, Total};
use crate::db::sql::Sql;
use crate::db::types::{Instant, RowId, UserId};
use crate::db::user_table::UserTable;
use crate::db::{Conn, DbError};

/// What the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By primary key, which is the order of creation.
    Created,
    /// By `expires_at`.
    Expires,
}

/// The present state of a token: the first of these that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was used and replaced by the next.
    Rotated,
    /// It was blacklisted for another reason than rotation.
    Blacklisted,
    /// Its `exp` has passed.
    Expired,
    /// It is still valid.
    Live,
}

/// Which tokens are wanted: all conditions hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of these users.
    pub owners: Option<Vec<UserId>>,
    /// With this jti.
    pub jti: Option<String>,
    /// Of this session.
    pub session: Option<String>,
    /// In this status.
    pub status: Option<Status>,
    /// Created in this period.
    pub created: Option<Period>,
    /// Expiring in this period.
    pub expires: Option<Period>,
}

const FIRST: &str = "token_blacklist_outstandingtoken o";

/// The tables of the list.
fn from(users: &UserTable) -> String {
    format!("{FIRST} {}", joins(users))
}

/// A page of tokens. At most 2 statements.
pub fn search(
    conn: &mut Conn,
    users: &UserTable,
    (filter, paging): (&Filter, &Paging<Sort>),
    now: Instant,
) -> Result<Page<Listed>, DbError> {
    let (mut indexed, mut others) = (Conditions::default(), Conditions::default());
    // Each of these leaves few enough tokens for any other condition.
    if let Some(owners) = &filter.owners {
        indexed.and_in("o.user_id", owners.iter().map(|id| (*id).into()));
    }
    if let Some(jti) = &filter.jti {
        indexed.and("o.jti = ?", [jti.clone().into()]);
    }
    if let Some(session) = &filter.session {
        indexed.and("o.id IN (SELECT token_id FROM latchkey_token WHERE session_id = ?)", [session.clone().into()]);
    }
    // The index behind the order answers the period of its column; the other period is checked row by row.
    let cut = if paging.sort == Sort::Expires { newest_of(conn, filter.owners.as_deref())? } else { None };
    let order = match (paging.sort, filter.created) {
        // The tokens of a user are found through another index, and then sorted.
        (Sort::Expires, _) if filter.owners.is_some() => Order::Time("coalesce(o.expires_at, NULL)", "o.id"),
        (Sort::Expires, _) => Order::Time("o.expires_at", "o.id"),
        (Sort::Created, Some(_)) => Order::Time("o.created_at", "o.id"),
        (Sort::Created, None) => Order::Key("o.id"),
    };
    let (created, expires) = match paging.sort {
        Sort::Created => (&mut indexed, &mut others),
        Sort::Expires => (&mut others, &mut indexed),
    };
    created.and_within("o.created_at", filter.created.unwrap_or_default());
    expires.and_within("o.expires_at", filter.expires.unwrap_or_default());
    match filter.status {
        Some(Status::Rotated) => others.and("k.rotated_at IS NOT NULL", []),
        Some(Status::Blacklisted) => others.and("b.id IS NOT NULL AND k.rotated_at IS NULL", []),
        Some(status @ (Status::Live | Status::Expired)) => {
            expires.and(if status == Status::Live { "o.expires_at > ?" } else { "o.expires_at <= ?" }, [now.into()]);
            others.and("b.id IS NULL AND k.rotated_at IS NULL", []);
        }
        None => {}
    }
    if let Some(from) = cut {
        indexed.and("o.id >= ?", [RowId(from).into()]);
    }
    let by_time = matches!(order, Order::Time("o.created_at", _));
    let list = List { columns: COLUMNS, from: from(users), first: FIRST.to_owned(), order, indexed, others };
    let page = list.page(conn, paging, |row: &Listed| match paging.sort {
        Sort::Expires => Cursor::at(row.expires_at, row.id),
        Sort::Created => match row.created_at.filter(|_| by_time) {
            Some(at) => Cursor::at(at, row.id),
            None => Cursor::key(row.id),
        },
    })?;
    Ok(Page { looked_at: page.looked_at.or(cut.map(|_| MAX_SCANNED)), ..page })
}

/// The key of the oldest of these users' `MAX_SCANNED` newest tokens, if they have more than can be sorted for a page.
pub(in crate::db) fn newest_of(conn: &mut Conn, owners: Option<&[UserId]>) -> Result<Option<i64>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let Some(owners) = owners else { return Ok(None) };
    let mut of = Conditions::default();
    of.and_in("user_id", owners.iter().map(|id| (*id).into()));
    let text = "SELECT CAST(id AS bigint) AS id FROM token_blacklist_outstandingtoken";
    let text = format!("{text}{} ORDER BY id DESC LIMIT 1 OFFSET {}", of.text(), MAX_SCANNED - 1);
    Ok(Sql::varying(&text, of.values()).get_result::<Row>(conn).optional()?.map(|row| row.id))
}

/// How many tokens there are in each state; unknown until they have been counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub all: i64,
    live: Option<i64>,
    rotated: Option<i64>,
    blacklisted: Option<i64>,
}

impl Counts {
    /// The number in this state.
    pub fn of(self, status: Status) -> Option<i64> {
        match status {
            Status::Live => self.live,
            Status::Rotated => self.rotated,
            Status::Blacklisted => self.blacklisted,
            Status::Expired => Some((self.all - self.live? - self.rotated? - self.blacklisted?).max(0)),
        }
    }
}

/// Counts the tokens if they are few; if they are many, returns the last count taken in the background. One statement. `total` is
/// the result of `count`.
pub fn count_by_status(conn: &mut Conn, total: Total, now: Instant) -> Result<Counts, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        live: i64,
        #[diesel(sql_type = BigInt)]
        rotated: i64,
        #[diesel(sql_type = BigInt)]
        blacklisted: i64,
    }
    let all = match total {
        Total::Exact(all) => all,
        Total::About(all) => return counted_before(conn, all),
        Total::Unknown => return Ok(Counts::default()),
    };
    let text = "SELECT CAST(coalesce(sum(CASE WHEN k.rotated_at IS NULL AND b.id IS NULL AND o.expires_at > ? THEN 1 \
                ELSE 0 END), 0) AS bigint) AS live, count(k.rotated_at) AS rotated, \
                CAST(coalesce(sum(CASE WHEN k.rotated_at IS NULL AND b.id IS NOT NULL THEN 1 ELSE 0 END), 0) AS bigint) \
                AS blacklisted \
                FROM token_blacklist_outstandingtoken o LEFT JOIN token_blacklist_blacklistedtoken b ON b.token_id = o.id \
                LEFT JOIN latchkey_token k ON k.token_id = o.id";
    let row: Row = Sql::varying(text, &[now.into()]).get_result(conn)?;
    Ok(Counts { all, live: Some(row.live), rotated: Some(row.rotated), blacklisted: Some(row.blacklisted) })
}

fn counted_before(conn: &mut Conn, all: i64) -> Result<Counts, DbError> {
    let known = latchkey_statistic::list(conn)?;
    let of = |statistic| known.of(statistic).map(|counted| counted.value);
    let rotated = of(Statistic::Rotated);
    Ok(Counts {
        all: of(Statistic::Outstanding).unwrap_or(all),
        live: of(Statistic::Live),
        rotated,
        blacklisted: of(Statistic::Blacklisted).zip(rotated).map(|(all, rotated)| all - rotated),
    })
}
