//! The panel's list of the audit log: filtered, newest first, one page at a time. Exports use it too.

use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text};

use crate::db::list::{Conditions, List, Order, Period};
use crate::db::page::{Cursor, Page, Paging};
use crate::db::types::{Instant, Key, Moment, RowId, UserId};
use crate::db::user_id::UserKey;
use crate::db::user_table::UserTable;
use crate::db::{Conn, DbError};

/// What the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By time.
    When,
}

/// Which entries are wanted: all conditions hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// About these users.
    pub users: Option<Vec<UserId>>,
    /// By this name.
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// Written in this period.
    pub at: Option<Period>,
    /// From this address.
    pub ip: Option<String>,
    /// About this: a username, a jti, a session's id.
    pub object: Option<String>,
}

/// An entry, with the name of the user it is about.
#[derive(Debug, Clone, QueryableByName)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct ListedEntry {
    #[diesel(sql_type = Key)]
    pub id: RowId,
    #[diesel(sql_type = Moment)]
    pub at: Instant,
    #[diesel(sql_type = Text)]
    pub action: String,
    #[diesel(sql_type = Nullable<UserKey>)]
    pub actor_id: Option<UserId>,
    #[diesel(sql_type = Text)]
    pub actor: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub ip: Option<String>,
    #[diesel(sql_type = Nullable<UserKey>)]
    pub user_id: Option<UserId>,
    /// The user's present name, if the user still exists.
    #[diesel(sql_type = Nullable<Text>)]
    pub username: Option<String>,
    #[diesel(sql_type = Text)]
    pub object: String,
    /// JSON.
    #[diesel(sql_type = Text)]
    pub detail: String,
    /// How often it happened, if the entry counts several events.
    #[diesel(sql_type = Integer)]
    pub count: i32,
    /// When it last happened, if more than once.
    #[diesel(sql_type = Nullable<Moment>)]
    pub last_at: Option<Instant>,
}

pub(super) const COLUMNS: &str = "a.id, a.at, a.action, a.actor_id, a.actor, a.ip, a.user_id, u.username, a.object, a.detail, \
                       a.count, a.last_at";
const FIRST: &str = "latchkey_audit_log a";

/// The tables of the list.
fn from(users: &UserTable) -> String {
    format!("{FIRST} LEFT JOIN {} u ON u.id = a.user_id", users.source())
}

/// A page of entries. At most 2 statements.
pub fn search(
    conn: &mut Conn,
    users: &UserTable,
    filter: &Filter,
    paging: &Paging<Sort>,
) -> Result<Page<ListedEntry>, DbError> {
    let (mut indexed, mut others) = (Conditions::default(), Conditions::default());
    // Only one index is used: that of the first of these conditions, which leaves the fewest rows.
    let of_users = filter.users.as_ref().map(|ids| {
        let mut condition = Conditions::default();
        condition.and_in("a.user_id", ids.iter().map(|id| (*id).into()));
        condition
    });
    let text = |column: &str, value: &Option<String>| {
        value.as_ref().map(|value| {
            let mut condition = Conditions::default();
            condition.and(&format!("{column} = ?"), [value.clone().into()]);
            condition
        })
    };
    let (actor, action) = (text("a.actor", &filter.actor), text("a.action", &filter.action));
    let mut by_key = false;
    for condition in [of_users, actor, action].into_iter().flatten() {
        if by_key { &mut others } else { &mut indexed }.and_all(&condition);
        by_key = true;
    }
    if by_key { &mut others } else { &mut indexed }.and_within("a.at", filter.at.unwrap_or_default());
    for condition in [text("a.ip", &filter.ip), text("a.object", &filter.object)].into_iter().flatten() {
        others.and_all(&condition);
    }
    let by_time = filter.at.is_some() && !by_key;
    let order = if by_time { Order::Time("a.at", "a.id") } else { Order::Key("a.id") };
    let list = List { columns: COLUMNS, from: from(users), first: FIRST.to_owned(), order, indexed, others };
    list.page(
        conn,
        paging,
        |entry: &ListedEntry| {
            if by_time { Cursor::at(entry.at, entry.id) } else { Cursor::key(entry.id) }
        },
    )
}
