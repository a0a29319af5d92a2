//! The panel's list of sessions: which there are, in which order, one page at a time.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::Session;
use crate::db::list::{Conditions, List, Order, Period, Value};
use crate::db::page::{Cursor, Page, Paging};
use crate::db::types::{Instant, UserId};
use crate::db::{Conn, DbError};

/// What the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By `created_at`.
    Began,
    /// By `expires_at`.
    Expires,
}

/// What a session is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It goes on.
    Live,
    /// It was over by itself.
    Expired,
    /// It was ended.
    Ended,
}

/// What a session needs to go on. The last two are there where the settings limit sessions.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Tokens that expire later.
    pub now: Instant,
    /// A login after this.
    pub began_after: Option<Instant>,
    /// A use after this.
    pub used_after: Option<Instant>,
}

impl Limits {
    /// What a session is now.
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
    /// This one.
    pub id: Option<String>,
    /// Of these users.
    pub owners: Option<Vec<UserId>>,
    /// In this status.
    pub status: Option<Status>,
    /// Ended for this reason.
    pub reason: Option<String>,
    /// Begun in this period.
    pub began: Option<Period>,
    /// Used last from this address.
    pub ip: Option<String>,
}

/// A session among others.
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
const FROM: &str = "latchkey_session s LEFT JOIN auth_user u ON u.id = s.user_id";
/// When it was used last.
const USED: &str = "COALESCE(s.last_refreshed_at, s.created_at)";

/// A page of sessions. At most 2 statements.
pub fn search(
    conn: &mut Conn,
    filter: &Filter,
    paging: &Paging<Sort>,
    limits: Limits,
) -> Result<Page<Listed>, DbError> {
    let (mut indexed, mut others) = (Conditions::default(), Conditions::default());
    if let Some(id) = &filter.id {
        indexed.and("s.id = ?", [Value::Text(id.clone())]);
    }
    if let Some(owners) = &filter.owners {
        indexed.and_in("s.user_id", owners.iter().map(|id| Value::Key(id.0)));
    }
    // The index behind the order answers what is asked of its column; the rest is looked at row by row.
    let by_expiry = paging.sort == Sort::Expires;
    let (began, expires) = if by_expiry { (&mut others, &mut indexed) } else { (&mut indexed, &mut others) };
    began.and_within("s.created_at", filter.began.unwrap_or_default());
    if let Some(reason) = &filter.reason {
        began.and("s.end_reason = ?", [Value::Text(reason.clone())]);
    }
    match filter.status {
        Some(Status::Live) => {
            expires.and("s.expires_at > ?", [Value::At(limits.now)]);
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
        others.and("s.ip = ?", [Value::Text(ip.clone())]);
    }
    let order = Order::TimeText(if by_expiry { "s.expires_at" } else { "s.created_at" }, "s.id");
    let list = List { columns: COLUMNS, from: FROM, first: FIRST, order, indexed, others };
    list.page(conn, paging, |row: &Listed| {
        let session = &row.session;
        Cursor::at(if by_expiry { session.expires_at } else { session.created_at }, &session.id)
    })
}

fn within(conditions: &mut Conditions, limits: Limits) {
    if let Some(after) = limits.began_after {
        conditions.and("s.created_at > ?", [Value::At(after)]);
    }
    if let Some(after) = limits.used_after {
        conditions.and(&format!("{USED} > ?"), [Value::At(after)]);
    }
}

/// The opposite: one of them is passed.
fn over(conditions: &mut Conditions, limits: Limits) {
    let passed = [("s.expires_at", Some(limits.now)), ("s.created_at", limits.began_after), (USED, limits.used_after)];
    let passed: Vec<_> = passed.into_iter().filter_map(|(column, after)| Some((column, after?))).collect();
    let text: Vec<_> = passed.iter().map(|(column, _)| format!("{column} <= ?")).collect();
    conditions.and(&format!("({})", text.join(" OR ")), passed.into_iter().map(|(_, after)| Value::At(after)));
}

/// Those of these ids, with the names of their users.
pub fn list(conn: &mut Conn, ids: &[String]) -> Result<Vec<Listed>, DbError> {
    let mut conditions = Conditions::default();
    conditions.and_in("s.id", ids.iter().cloned().map(Value::Text));
    conditions.select(conn, &format!("SELECT {COLUMNS} FROM {FROM}"), "ORDER BY s.created_at, s.id")
}
