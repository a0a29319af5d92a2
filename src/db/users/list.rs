//! The panel's list of users: filtered, ordered, one page at a time. Also which users a search means.

use std::fmt::Write;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};

use crate::db::list::{Conditions, List, Order, Period};
use crate::db::page::{Cursor, Page, Paging, likeness};
use crate::db::sql::{Sql, Value};
use crate::db::types::{Instant, Key, Moment, UserId};
use crate::db::{Conn, DbError};

/// What the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By `username`.
    Username,
    /// By primary key, which is the order of joining.
    Joined,
    /// By `last_login`; without users who never logged in.
    LastLogin,
}

/// Which users are wanted: all conditions hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those found by a search.
    pub ids: Option<Vec<UserId>>,
    /// Whether they can log in.
    pub is_active: Option<bool>,
    /// Whether they are staff.
    pub is_staff: Option<bool>,
    /// Whether they are superusers.
    pub is_superuser: Option<bool>,
    /// Last logged in during this period.
    pub last_login: Option<Period>,
    /// Never logged in.
    pub never_logged_in: bool,
    /// Whether they have a second factor.
    pub has_factor: Option<bool>,
}

/// A user in a list.
#[derive(Debug, Clone, QueryableByName)]
#[allow(missing_docs, reason = "Django's columns, and one of ours")]
#[expect(clippy::struct_excessive_bools, reason = "the table's columns")]
pub struct Listed {
    #[diesel(sql_type = Key)]
    pub id: UserId,
    #[diesel(sql_type = Text)]
    pub username: String,
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub first_name: String,
    #[diesel(sql_type = Text)]
    pub last_name: String,
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
    #[diesel(sql_type = Bool)]
    pub is_staff: bool,
    #[diesel(sql_type = Bool)]
    pub is_superuser: bool,
    #[diesel(sql_type = Nullable<Moment>)]
    pub last_login: Option<Instant>,
    #[diesel(sql_type = Moment)]
    pub date_joined: Instant,
    #[diesel(sql_type = Bool)]
    pub has_factor: bool,
}

const COLUMNS: &str = "u.id, u.username, u.email, u.first_name, u.last_name, u.is_active, u.is_staff, u.is_superuser, \
                       u.last_login, u.date_joined, \
                       EXISTS (SELECT 1 FROM latchkey_second_factor f WHERE f.user_id = u.id) AS has_factor";
const TABLE: &str = "auth_user u";

/// A page of users. At most 2 statements.
pub fn search(conn: &mut Conn, filter: &Filter, paging: &Paging<Sort>) -> Result<Page<Listed>, DbError> {
    let (mut indexed, mut others) = (Conditions::default(), Conditions::default());
    if let Some(ids) = &filter.ids {
        indexed.and_in("u.id", ids.iter().map(|id| (*id).into()));
    }
    // Staff, superusers and inactive users are few, and have an index each; the others are almost all.
    match filter.is_superuser {
        Some(true) => indexed.and("u.is_superuser", []),
        Some(false) => others.and("NOT u.is_superuser", []),
        None => {}
    }
    match filter.is_staff {
        Some(true) => indexed.and("u.is_staff", []),
        Some(false) => others.and("NOT u.is_staff", []),
        None => {}
    }
    match filter.is_active {
        Some(false) => indexed.and("NOT u.is_active", []),
        Some(true) => others.and("u.is_active", []),
        None => {}
    }
    let has_factor = "EXISTS (SELECT 1 FROM latchkey_second_factor f WHERE f.user_id = u.id)";
    match filter.has_factor {
        Some(true) => others.and(has_factor, []),
        Some(false) => others.and(&format!("NOT {has_factor}"), []),
        None => {}
    }
    let by_login = paging.sort == Sort::LastLogin;
    let last_login = if by_login { &mut indexed } else { &mut others };
    last_login.and_within("u.last_login", filter.last_login.unwrap_or_default());
    if by_login {
        last_login.and("u.last_login IS NOT NULL", []);
    }
    if filter.never_logged_in {
        // Written like this, its index is not used: sorting all matches would take longer than checking some rows.
        last_login.and("coalesce(u.last_login, NULL) IS NULL", []);
    }
    // The few are found through their own index and sorted: SQLite would otherwise read all users in the right order.
    let are_few = filter.is_staff == Some(true) || filter.is_superuser == Some(true);
    let order = match paging.sort {
        Sort::Username => Order::Text("u.username"),
        Sort::Joined if are_few => Order::Key("+u.id"),
        Sort::LastLogin if are_few => Order::Time("coalesce(u.last_login, NULL)", "u.id"),
        Sort::Joined => Order::Key("u.id"),
        Sort::LastLogin => Order::Time("u.last_login", "u.id"),
    };
    let list = List { columns: COLUMNS, from: TABLE, first: TABLE, order, indexed, others };
    list.page(conn, paging, |user: &Listed| match (paging.sort, user.last_login) {
        (Sort::Username, _) => Cursor { value: user.username.clone(), id: String::new() },
        (Sort::LastLogin, Some(at)) => Cursor::at(at, user.id),
        _ => Cursor::key(user.id),
    })
}

/// The users that a search means.
#[derive(Debug, Clone)]
pub struct UserMatches {
    /// Their ids, in no particular order.
    pub ids: Vec<UserId>,
    /// How many are included, if there are more.
    pub cut_at: Option<usize>,
}

/// Users whose username or email address (with `names`, also first or last name) begins like this, or who have this id. Each
/// part uses an index. One statement.
pub fn find_starting_with(conn: &mut Conn, q: &str, names: bool, most: usize) -> Result<UserMatches, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Key)]
        id: UserId,
    }
    let columns: &[&str] =
        if names { &["username", "email", "first_name", "last_name"] } else { &["username", "email"] };
    let limit = most + 1;
    // The database lowers both sides: SQLite lowers only ASCII, and so treats both alike.
    let (condition, of_one): (_, Vec<Value>) = if conn.is_postgres() {
        let pattern = Value::from(format!("{}%", likeness(q)));
        ("lower({}) LIKE lower(?) ESCAPE '\\'", vec![pattern])
    } else {
        // SQLite's LIKE cannot use an index on an expression. No text with this beginning is greater than the second bound.
        let start = Value::from(q.to_owned());
        ("lower({}) >= lower(?) AND lower({}) < lower(?) || char(1114111)", vec![start.clone(), start])
    };
    // Exact matches come first, so that they are not lost among many with the same beginning.
    let mut text = "SELECT id, 0 AS place FROM auth_user WHERE id = ?".to_owned();
    let mut values: Vec<Value<'_>> = vec![UserId(q.parse().unwrap_or(-1)).into()];
    for column in columns {
        let condition = condition.replace("{}", column);
        let part = format!("SELECT id FROM auth_user WHERE {condition} LIMIT {limit}");
        let exact = format!("SELECT id FROM auth_user WHERE lower({column}) = lower(?) LIMIT {limit}");
        let _ = write!(text, " UNION ALL SELECT id, 0 FROM ({exact}) AS same_{column}");
        let _ = write!(text, " UNION ALL SELECT id, 1 FROM ({part}) AS {column}");
        values.push(q.to_owned().into());
        values.extend(of_one.iter().cloned());
    }
    let text = format!("SELECT id FROM ({text}) AS found GROUP BY id ORDER BY min(place), id LIMIT {limit}");
    let rows: Vec<Row> = Sql::varying(&text, &values).load(conn)?;
    let cut_at = (rows.len() > most).then_some(most);
    Ok(UserMatches { ids: rows.into_iter().take(most).map(|row| row.id).collect(), cut_at })
}
