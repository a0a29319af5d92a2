//! The panel's list of mail: filtered, newest first, one page at a time; and what the dashboard shows of it. Parameters and secrets
//! are never read here.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

use super::{FAILED, QUEUED};
use crate::db::list::{Conditions, List, Order, Period};
use crate::db::page::{self, Cursor, Page, Paging, Total, likeness};
use crate::db::sql::{Sql, Value};
use crate::db::types::{Instant, Key, Moment, RowId, UserId};
use crate::db::user_id::UserKey;
use crate::db::user_table::UserTable;
use crate::db::{Conn, DbError};

/// What the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By time of creation.
    When,
}

/// Whose mail is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Mail to this address, ignoring case.
    Address(String),
    /// Mail to an address with this beginning.
    AddressLike(String),
    /// Mail to these users.
    Users(Vec<UserId>),
}

/// Which mails are wanted: all conditions hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// To whom.
    pub whose: Option<Whose>,
    /// In this status.
    pub status: Option<String>,
    /// Created in this period.
    pub written: Option<Period>,
}

/// What is shown of a mail.
#[derive(Debug, Clone, QueryableByName)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct Listed {
    #[diesel(sql_type = Key)]
    pub id: RowId,
    #[diesel(sql_type = Moment)]
    pub created_at: Instant,
    #[diesel(sql_type = Nullable<UserKey>)]
    pub user_id: Option<UserId>,
    /// The user's present name.
    #[diesel(sql_type = Nullable<Text>)]
    pub username: Option<String>,
    #[diesel(sql_type = Text)]
    pub recipient: String,
    #[diesel(sql_type = Text)]
    pub subject: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    #[diesel(sql_type = Nullable<Moment>)]
    pub next_at: Option<Instant>,
    #[diesel(sql_type = Nullable<Moment>)]
    pub done_at: Option<Instant>,
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
    /// Whether it is being sent.
    #[diesel(sql_type = Bool)]
    pub is_claimed: bool,
}

const COLUMNS: &str = "m.id, m.created_at, m.user_id, u.username, m.recipient, m.subject, m.status, m.attempts, m.next_at, \
                       m.done_at, m.error, m.claim IS NOT NULL AS is_claimed";
const FIRST: &str = "latchkey_mail m";

/// The tables of the list.
fn from(users: &UserTable) -> String {
    format!("{FIRST} LEFT JOIN {} u ON u.id = m.user_id", users.source())
}

/// A page of mails. At most 2 statements.
pub fn search(
    conn: &mut Conn,
    users: &UserTable,
    filter: &Filter,
    paging: &Paging<Sort>,
) -> Result<Page<Listed>, DbError> {
    let (mut indexed, mut others) = (Conditions::default(), Conditions::default());
    // Only one index is used: that of the address or user, if one is given, leaves the fewest rows.
    let status = match &filter.whose {
        Some(Whose::Address(address)) => {
            indexed.and("lower(m.recipient) = lower(?)", [address.clone().into()]);
            &mut others
        }
        Some(Whose::Users(ids)) => {
            indexed.and_in("m.user_id", ids.iter().map(|id| (*id).into()));
            &mut others
        }
        Some(Whose::AddressLike(start)) => {
            let pattern = Value::from(format!("{}%", likeness(start)));
            others.and("lower(m.recipient) LIKE lower(?) ESCAPE '\\'", [pattern]);
            &mut indexed
        }
        None => &mut indexed,
    };
    if let Some(wanted) = &filter.status {
        status.and("m.status = ?", [wanted.clone().into()]);
    }
    // A user has few: they are found through their index and sorted.
    let are_few = matches!(filter.whose, Some(Whose::Users(_)));
    let written = if are_few { &mut others } else { &mut indexed };
    written.and_within("m.created_at", filter.written.unwrap_or_default());
    let order = if are_few { Order::Key("+m.id") } else { Order::Time("m.created_at", "m.id") };
    let list = List { columns: COLUMNS, from: from(users), first: FIRST.to_owned(), order, indexed, others };
    list.page(
        conn,
        paging,
        |mail: &Listed| {
            if are_few { Cursor::key(mail.id) } else { Cursor::at(mail.created_at, mail.id) }
        },
    )
}

/// Whether there is a mail to this address, ignoring case.
pub fn is_recipient(conn: &mut Conn, address: &str) -> Result<bool, DbError> {
    let text = "SELECT 1 AS one FROM latchkey_mail WHERE lower(recipient) = lower(?) LIMIT 1";
    let rows: Vec<One> = Sql::varying(text, &[address.to_owned().into()]).load(conn)?;
    Ok(!rows.is_empty())
}

#[derive(QueryableByName)]
struct One {
    #[diesel(sql_type = Integer)]
    #[allow(dead_code, reason = "that there is a row is the answer")]
    one: i32,
}

/// How many there are.
pub fn count(conn: &mut Conn) -> Result<Total, DbError> {
    page::total(conn, "latchkey_mail")
}

/// Problems of the queue that need attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct QueueProblems {
    /// How many mails were given up lately; at most `MAX_COUNTED` are counted.
    #[diesel(sql_type = BigInt)]
    pub failed: i64,
    /// When the most overdue mail should have been tried.
    #[diesel(sql_type = Nullable<Moment>)]
    pub overdue: Option<Instant>,
}

impl QueueProblems {
    /// Maximum number counted.
    pub const MAX_COUNTED: i64 = 1000;
}

/// Counts mails given up since `failed_since`, and finds the most overdue of those due before `due_before`. One statement.
pub fn find_problems(
    conn: &mut Conn,
    written_since: Instant,
    failed_since: Instant,
    due_before: Instant,
) -> Result<QueueProblems, DbError> {
    // The index is by time of creation, and no mail stays in the queue for more than a day.
    let failed = format!(
        "SELECT 1 FROM latchkey_mail WHERE status = '{FAILED}' AND created_at >= $1 AND done_at >= $2 LIMIT {}",
        QueueProblems::MAX_COUNTED
    );
    let text = format!(
        "SELECT (SELECT count(*) FROM ({failed}) AS lately) AS failed, \
         (SELECT min(next_at) FROM latchkey_mail WHERE status = '{QUEUED}' AND next_at < $3) AS overdue"
    );
    let query = diesel::sql_query(text).bind::<Moment, _>(written_since).bind::<Moment, _>(failed_since);
    Ok(query.bind::<Moment, _>(due_before).get_result(conn)?)
}
