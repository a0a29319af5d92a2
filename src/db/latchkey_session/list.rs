//! The panel's list of sessions: filtered, ordered, one page at a time.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::Session;
use crate::db::list::{Conditions, List, Order, Period};
use crate::db::page::{Cursor, Page, Paging};
use crate::db::sql::Value;
use crate::db::types::{Instant, UserId};
use crate::db::user_table::UserTable;
use crate::db::{Conn, DbError};

/// What the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By `created_at`.
    Began,
    /// By `expires_at`.
    Expires,
}

/// The present state of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is still open.
    Live,
    /// It expired by itself.
    Expired,
    /// It was ended.
    Ended,
}

/// What keeps a session open. The last two are set if the settings limit sessions.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Its tokens must expire later.
    pub now: Instant,
    /// Its login must be later.
    pub began_after: Option<Instant>,
    /// Its last use must be later.
    pub used_after: Option<Instant>,
}

impl Limits {
    /// The present state of a session.
    pub fn status(self, session: &Session) -> Status {
        let used = session.last_used();
        let is_over = session.expires_at <= self.now
            || self.began_after.is_some_and(|after| session.created_at <= after)
            || self.used_after.is_some_and(|after| used <= after);
        match session.ended_at {
            Some(_) => Status::Ended,
            None if is_over => Status::Expired,
            None => Status::Live,
        }
    }
}

/// Which sessions are wanted: all conditions hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// With this id.
    pub id: Option<String>,
    /// Of these users.
    pub owners: Option<Vec<UserId>>,
    /// In this status.
    pub status: Option<Status>,
    /// Ended for this reason.
    pub reason: Option<String>,
    /// That began in this period.
    pub began: Option<Period>,
    /// Last used from this address.
    pub ip: Option<String>,
}

/// A session in a list.
#[derive(Debug, Clone, QueryableByName)]
pub struct Listed {
    /// The session.
    #[diesel(embed)]
    pub session: Session,
    /// The name of its user.
    #[diesel(sql_type = Nullable<Text>)]
    pub username: Option<String>,
}

const COLUMNS: &str = "s.id, s.user_id, s.created_at, s.last_refreshed_at, s.expires_at, s.ended_at, s.end_reason, \
                       s.ended_by, s.ip, s.user_agent, s.label, u.username";
const FIRST: &str = "latchkey_session s";
/// When it was last used.
const USED: &str = "COALESCE(s.last_refreshed_at, s.created_at)";

/// The tables of the list.
fn from(users: &UserTable) -> String {
    format!("{FIRST} LEFT JOIN {} u ON u.id = s.user_id", users.source())
}

/// A page of sessions. At most 2 statements.
pub fn search(
    conn: &mut Conn,
    users: &UserTable,
    (filter, paging): (&Filter, &Paging<Sort>),
    limits: Limits,
) -> Result<Page<Listed>, DbError> {
    let (mut indexed, mut others) = (Conditions::default(), Conditions::default());
    if let Some(id) = &filter.id {
        indexed.and("s.id = ?", [id.clone().into()]);
    }
    if let Some(owners) = &filter.owners {
        indexed.and_in("s.user_id", owners.iter().map(|id| (*id).into()));
    }
    // The index behind the order answers conditions on its column; the others are checked row by row.
    let by_expiry = paging.sort == Sort::Expires;
    let (began, expires) = if by_expiry { (&mut others, &mut indexed) } else { (&mut indexed, &mut others) };
    began.and_within("s.created_at", filter.began.unwrap_or_default());
    if let Some(reason) = &filter.reason {
        began.and("s.end_reason = ?", [reason.clone().into()]);
    }
    match filter.status {
        Some(Status::Live) => {
            expires.and("s.expires_at > ?", [limits.now.into()]);
            others.and("s.ended_at IS NULL", []);
            within(&mut others, limits);
        }
        Some(Status::Expired) => {
            others.and("s.ended_at IS NULL", []);
            over(&mut others, limits);
        }
        Some(Status::Ended) => others.and("s.ended_at IS NOT NULL", []),
        None => {}
    }
    if let Some(ip) = &filter.ip {
        others.and("s.ip = ?", [ip.clone().into()]);
    }
    let order = Order::TimeText(if by_expiry { "s.expires_at" } else { "s.created_at" }, "s.id");
    let list = List { columns: COLUMNS, from: from(users), first: FIRST.to_owned(), order, indexed, others };
    list.page(conn, paging, |row: &Listed| {
        let session = &row.session;
        Cursor::at(if by_expiry { session.expires_at } else { session.created_at }, &session.id)
    })
}

fn within(conditions: &mut Conditions, limits: Limits) {
    if let Some(after) = limits.began_after {
        conditions.and("s.created_at > ?", [after.into()]);
    }
    if let Some(after) = limits.used_after {
        conditions.and(&format!("{USED} > ?"), [after.into()]);
    }
}

/// The opposite: at least one limit has passed.
fn over(conditions: &mut Conditions, limits: Limits) {
    let passed = [("s.expires_at", Some(limits.now)), ("s.created_at", limits.began_after), (USED, limits.used_after)];
    let passed: Vec<_> = passed.into_iter().filter_map(|(column, after)| Some((column, after?))).collect();
    let text: Vec<_> = passed.iter().map(|(column, _)| format!("{column} <= ?")).collect();
    conditions.and(&format!("({})", text.join(" OR ")), passed.into_iter().map(|(_, after)| after.into()));
}

/// The sessions with these ids, with the names of their users.
pub fn list(conn: &mut Conn, users: &UserTable, ids: &[String]) -> Result<Vec<Listed>, DbError> {
    let mut conditions = Conditions::default();
    conditions.and_in("s.id", ids.iter().cloned().map(Value::from));
    conditions.select(conn, &format!("SELECT {COLUMNS} FROM {}", from(users)), "ORDER BY s.created_at, s.id")
}
