//! The panel's list of users: filtered, ordered, one page at a time. Also which users a search means.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};

use crate::config::UserField;
use crate::db::list::{Conditions, List, Order, Period};
use crate::db::page::{Cursor, Page, Paging, likeness};
use crate::db::sql::{Sql, Value};
use crate::db::types::{Instant, Moment, UserId};
use crate::db::user_id::UserKey;
use crate::db::user_table::UserTable;
use crate::db::users::TextOrEmpty;
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
    #[diesel(sql_type = UserKey)]
    pub id: UserId,
    #[diesel(sql_type = Nullable<Text>, deserialize_as = TextOrEmpty)]
    pub username: String,
    #[diesel(sql_type = Nullable<Text>, deserialize_as = TextOrEmpty)]
    pub email: String,
    #[diesel(sql_type = Nullable<Text>, deserialize_as = TextOrEmpty)]
    pub first_name: String,
    #[diesel(sql_type = Nullable<Text>, deserialize_as = TextOrEmpty)]
    pub last_name: String,
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
    #[diesel(sql_type = Bool)]
    pub is_staff: bool,
    #[diesel(sql_type = Bool)]
    pub is_superuser: bool,
    #[diesel(sql_type = Nullable<Moment>)]
    pub last_login: Option<Instant>,
    #[diesel(sql_type = Nullable<Moment>)]
    pub date_joined: Option<Instant>,
    #[diesel(sql_type = Bool)]
    pub has_factor: bool,
}

const COLUMNS: &str = "u.id, u.username, u.email, u.first_name, u.last_name, u.is_active, u.is_staff, u.is_superuser, \
                       u.last_login, u.date_joined, \
                       EXISTS (SELECT 1 FROM latchkey_second_factor f WHERE f.user_id = u.id) AS has_factor";

/// A page of users. At most 2 statements.
pub fn search(
    conn: &mut Conn,
    users: &UserTable,
    filter: &Filter,
    paging: &Paging<Sort>,
) -> Result<Page<Listed>, DbError> {
    let table = format!("{} u", users.source());
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
    // A random key does not tell who joined first.
    let by_date = paging.sort == Sort::Joined && users.key.is_uuid() && users.has(UserField::DateJoined);
    if by_date {
        indexed.and("u.date_joined IS NOT NULL", []);
    }
    let order = match paging.sort {
        Sort::Username => Order::Text("u.username"),
        Sort::Joined if by_date && are_few => Order::TimeUser("coalesce(u.date_joined, NULL)", "u.id"),
        Sort::Joined if by_date => Order::TimeUser("u.date_joined", "u.id"),
        Sort::Joined if are_few => Order::UserKey("coalesce(u.id, NULL)"),
        Sort::LastLogin if are_few => Order::TimeUser("coalesce(u.last_login, NULL)", "u.id"),
        Sort::Joined => Order::UserKey("u.id"),
        Sort::LastLogin => Order::TimeUser("u.last_login", "u.id"),
    };
    let list = List { columns: COLUMNS, from: table.clone(), first: table, order, indexed, others };
    list.page(conn, paging, |user: &Listed| match (paging.sort, user.last_login) {
        (Sort::Joined, _) if by_date => {
            user.date_joined.map_or_else(|| Cursor::key(user.id), |at| Cursor::at(at, user.id))
        }
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
pub fn find_starting_with(
    conn: &mut Conn,
    users: &UserTable,
    (q, names): (&str, bool),
    most: usize,
) -> Result<UserMatches, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = UserKey)]
        id: UserId,
    }
    let (table, limit) = (users.source(), most + 1);
    // The database lowers both sides: SQLite lowers only ASCII, and so treats both alike.
    let (condition, of_one): (_, Vec<Value>) = if conn.is_postgres() {
        let pattern = Value::from(format!("{}%", likeness(q)));
        ("{} LIKE lower(?) ESCAPE '\\'", vec![pattern])
    } else {
        // SQLite's LIKE cannot use an index on an expression. No text with this beginning is greater than the second bound.
        let start = Value::from(q.to_owned());
        ("{} >= lower(?) AND {} < lower(?) || char(1114111)", vec![start.clone(), start])
    };
    // Exact matches come first, so that they are not lost among many with the same beginning.
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    if let Some(id) = users.parse_key(q) {
        parts.push(format!("SELECT u.id, 0 AS place FROM {table} u WHERE u.id = ?"));
        values.push(Value::from(id));
    }
    for (at, lowered) in users.lower_texts(names).iter().enumerate() {
        let condition = condition.replace("{}", lowered);
        let exact = format!("SELECT u.id FROM {table} u WHERE {lowered} = lower(?) LIMIT {limit}");
        let part = format!("SELECT u.id FROM {table} u WHERE {condition} LIMIT {limit}");
        parts.push(format!("SELECT id, 0 AS place FROM ({exact}) AS same_{at}"));
        parts.push(format!("SELECT id, 1 AS place FROM ({part}) AS like_{at}"));
        values.push(q.to_owned().into());
        values.extend(of_one.iter().cloned());
    }
    let found = parts.join(" UNION ALL ");
    let text = format!("SELECT id FROM ({found}) AS found GROUP BY id ORDER BY min(place), id LIMIT {limit}");
    let rows: Vec<Row> = Sql::varying(&text, &values).load(conn)?;
    let cut_at = (rows.len() > most).then_some(most);
    Ok(UserMatches { ids: rows.into_iter().take(most).map(|row| row.id).collect(), cut_at })
}
