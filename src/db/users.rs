//! `auth_user`: Django's users. The panel's list of them is in `list`, what a form changes of one in `profile`, how
//! many tokens one has in `token_counts`.

pub mod list;
pub mod profile;
mod token_counts;

pub use token_counts::{TokenCounts, count_tokens};

use diesel::dsl::{exists, select, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::page::{self, Total};
use super::schema::{latchkey_user, users};
use super::sql::Sql;
use super::types::{EncodedPassword, Instant, Key, UserId};
use super::{Conn, DbError};

/// A row of `auth_user`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct User {
    pub id: UserId,
    #[diesel(deserialize_as = String)]
    pub password: EncodedPassword,
    pub last_login: Option<Instant>,
    pub is_superuser: bool,
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub is_staff: bool,
    pub is_active: bool,
    pub date_joined: Instant,
}

/// A new row of `auth_user`.
#[derive(Clone, Insertable)]
#[diesel(table_name = users)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct NewRow {
    pub password: String,
    pub is_superuser: bool,
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub is_staff: bool,
    pub is_active: bool,
    pub date_joined: Instant,
}

/// How a token identifies its user: `JWT_USER_ID_FIELD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRef {
    /// Django's key.
    Id(UserId),
    /// Our own random id.
    Uuid(String),
    /// The username.
    Username(String),
    /// The email address.
    Email(String),
}

/// What a transaction is going to do with a user's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Issue them: others may issue at the same time, but nobody may revoke.
    Issue,
    /// Revoke them or change the user: alone.
    Revoke,
}

/// One user.
pub fn find(conn: &mut Conn, id: UserId) -> Result<Option<User>, DbError> {
    Ok(users::table.find(id).select(User::as_select()).first(conn).optional()?)
}

/// The user that a token identifies; nobody if several users have the address.
pub fn find_by_ref(conn: &mut Conn, user: &UserRef) -> Result<Option<User>, DbError> {
    match user {
        UserRef::Id(id) => find(conn, *id),
        UserRef::Username(name) => find_by_username(conn, name),
        UserRef::Email(email) => Ok(only(find_by_email(conn, email)?)),
        UserRef::Uuid(uuid) => Ok(users::table
            .inner_join(latchkey_user::table)
            .filter(latchkey_user::uuid.eq(uuid))
            .select(User::as_select())
            .first(conn)
            .optional()?),
    }
}

/// The user with this name, compared exactly.
pub fn find_by_username(conn: &mut Conn, username: &str) -> Result<Option<User>, DbError> {
    Ok(users::table.filter(users::username.eq(username)).select(User::as_select()).first(conn).optional()?)
}

/// Up to two users with this address, compared exactly, as Django's `get_by_natural_key` does.
pub fn find_by_email(conn: &mut Conn, email: &str) -> Result<Vec<User>, DbError> {
    // The second condition follows from the first; it makes the database use our index on lower(email).
    Ok(users::table
        .filter(users::email.eq(email).and(sql::<Bool>("lower(email) = lower(").bind::<Text, _>(email).sql(")")))
        .select(User::as_select())
        .limit(2)
        .load(conn)?)
}

/// Up to `limit` active users with this address (ignoring case) and a usable password.
pub fn list_by_address(conn: &mut Conn, email: &str, limit: i64) -> Result<Vec<User>, DbError> {
    let same = sql::<Bool>("lower(email) = lower(").bind::<Text, _>(email).sql(")");
    let usable = users::is_active.eq(true).and(users::password.not_like("!%"));
    let found = users::table.filter(same.and(usable)).order(users::id).limit(limit);
    Ok(found.select(User::as_select()).load(conn)?)
}

/// The user, if there is exactly one.
pub fn only(mut found: Vec<User>) -> Option<User> {
    if found.len() == 1 { found.pop() } else { None }
}

/// Locks the user's row and reads it: the first statement of every transaction that issues or revokes tokens, so that a refresh
/// cannot overtake a logout of all sessions. SQLite has only one writer anyway.
pub fn lock(conn: &mut Conn, user: &UserRef, intent: Intent) -> Result<Option<User>, DbError> {
    let Conn::Postgres(pg) = conn else { return find_by_ref(conn, user) };
    let query = users::table.into_boxed();
    let query = match user {
        UserRef::Id(id) => query.filter(users::id.eq(*id)),
        UserRef::Username(name) => query.filter(users::username.eq(name)),
        UserRef::Email(email) => query.filter(users::email.eq(email)),
        UserRef::Uuid(uuid) => query.filter(
            users::id.eq_any(latchkey_user::table.filter(latchkey_user::uuid.eq(uuid)).select(latchkey_user::user_id)),
        ),
    };
    // Diesel cannot lock with a boxed query, but it can by id; the other fields cost one more statement.
    let id = match user {
        UserRef::Id(id) => *id,
        _ => match query.select(users::id).limit(2).load::<UserId>(pg)?.as_slice() {
            [id] => *id,
            _ => return Ok(None),
        },
    };
    let row = users::table.find(id).select(User::as_select());
    Ok(match intent {
        Intent::Issue => row.for_share().first(pg).optional()?,
        Intent::Revoke => row.for_no_key_update().first(pg).optional()?,
    })
}

/// Creates a user.
pub fn insert(conn: &mut Conn, row: &NewRow) -> Result<User, DbError> {
    let id = diesel::insert_into(users::table).values(row.clone()).returning(users::id).get_result(conn)?;
    let NewRow { password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined } =
        row.clone();
    Ok(User {
        id,
        password: EncodedPassword(password),
        last_login: None,
        is_superuser,
        username,
        first_name,
        last_name,
        email,
        is_staff,
        is_active,
        date_joined,
    })
}

/// Writes `last_login`.
pub fn update_last_login(conn: &mut Conn, id: UserId, at: Instant) -> Result<(), DbError> {
    Sql::fixed("UPDATE auth_user SET last_login = ? WHERE id = ?", &[at.into(), id.into()]).run(conn).map(drop)
}

/// Replaces the password if it is still `old` (any, if `None`); `false` if it was not.
pub fn update_password(
    conn: &mut Conn,
    id: UserId,
    old: Option<&EncodedPassword>,
    new: &EncodedPassword,
) -> Result<bool, DbError> {
    let change = users::password.eq(&new.0);
    let changed = match old {
        Some(old) => diesel::update(users::table.find(id).filter(users::password.eq(&old.0))).set(change).execute(conn),
        None => diesel::update(users::table.find(id)).set(change).execute(conn),
    }?;
    Ok(changed > 0)
}

/// Replaces the address.
pub fn update_email(conn: &mut Conn, id: UserId, email: &str) -> Result<(), DbError> {
    diesel::update(users::table.find(id)).set(users::email.eq(email)).execute(conn)?;
    Ok(())
}

/// Activates or deactivates; `false` if there is no such user.
pub fn update_active(conn: &mut Conn, id: UserId, active: bool) -> Result<bool, DbError> {
    Ok(diesel::update(users::table.find(id)).set(users::is_active.eq(active)).execute(conn)? > 0)
}

/// Deletes a user, with the rows of Django's own apps, as Django does in code. The caller takes care of tokens.
///
/// # Errors
/// `Referenced` if another table refers to the user (on SQLite only at the end of the transaction).
pub fn delete(conn: &mut Conn, id: UserId) -> Result<bool, DbError> {
    const DJANGOS: [&str; 3] = ["auth_user_groups", "auth_user_user_permissions", "django_admin_log"];
    let tables = super::migrations::tables(conn)?;
    for table in DJANGOS.into_iter().filter(|name| tables.iter().any(|table| table == name)) {
        diesel::sql_query(format!("DELETE FROM {table} WHERE user_id = $1")).bind::<Key, _>(id).execute(conn)?;
    }
    Ok(diesel::delete(users::table.find(id)).execute(conn)? > 0)
}

/// Whether anybody is a superuser.
pub fn has_superuser(conn: &mut Conn) -> Result<bool, DbError> {
    Ok(select(exists(users::table.filter(users::is_superuser.eq(true)))).get_result(conn)?)
}

/// Whether a user other than `except` has this email address, ignoring case.
pub fn has_address(conn: &mut Conn, text: &str, except: Option<UserId>) -> Result<bool, DbError> {
    let same = sql::<Bool>("lower(email) = lower(").bind::<Text, _>(text).sql(")");
    let others = users::table.filter(same.and(users::id.ne(except.unwrap_or(UserId(-1)))));
    Ok(select(exists(others)).get_result(conn)?)
}

/// Whether a user other than `except` has this username, ignoring case.
pub fn has_name(conn: &mut Conn, text: &str, except: Option<UserId>) -> Result<bool, DbError> {
    let same = sql::<Bool>("lower(username) = lower(").bind::<Text, _>(text).sql(")");
    let others = users::table.filter(same.and(users::id.ne(except.unwrap_or(UserId(-1)))));
    Ok(select(exists(others)).get_result(conn)?)
}

/// Addresses (in lower case) that several users have: none of them can log in with it.
pub fn list_shared_addresses(conn: &mut Conn, limit: i64) -> Result<Vec<String>, DbError> {
    let query = "SELECT lower(email) AS text FROM auth_user WHERE email <> '' GROUP BY lower(email) \
                 HAVING count(*) > 1 ORDER BY 1 LIMIT ";
    Ok(texts(conn, &format!("{query}{limit}"))?)
}

/// An example of each scheme and cost among the stored passwords (`scheme$cost$…`), for the timing of failed logins.
pub fn list_password_examples(conn: &mut Conn) -> Result<Vec<EncodedPassword>, DbError> {
    // As many characters as scheme and cost take, without the salt.
    let query = "SELECT min(password) AS text FROM auth_user WHERE password NOT LIKE '!%' GROUP BY substr(password, 1, \
                 CASE WHEN password LIKE 'bcrypt$%' THEN 13 WHEN password LIKE 'scrypt$%' THEN 7 ELSE 20 END) LIMIT 16";
    Ok(texts(conn, query)?.into_iter().map(EncodedPassword).collect())
}

fn texts(conn: &mut Conn, query: &str) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        text: String,
    }
    Ok(diesel::sql_query(query).load::<Row>(conn)?.into_iter().map(|row| row.text).collect())
}

/// These users, by name; those that no longer exist are left out.
pub fn list_by_id(conn: &mut Conn, ids: &[UserId]) -> Result<Vec<User>, DbError> {
    let these = users::table.filter(users::id.eq_any(ids));
    Ok(these.order(users::username).select(User::as_select()).load(conn)?)
}

/// Users in the order in which they joined, after this one.
pub fn list_after(conn: &mut Conn, after: UserId, limit: i64) -> Result<Vec<User>, DbError> {
    let behind = users::table.filter(users::id.gt(after));
    Ok(behind.order(users::id).limit(limit).select(User::as_select()).load(conn)?)
}

/// Up to two users with this id, username or email address, ignoring case. One statement.
pub fn list_named(conn: &mut Conn, text: &str) -> Result<Vec<UserId>, DbError> {
    let same =
        |column: &str| sql::<Bool>(&format!("lower({column}) = lower(")).bind::<Text, _>(text.to_owned()).sql(")");
    let id = UserId(text.parse().unwrap_or(-1));
    let named = users::id.eq(id).or(same("username")).or(same("email"));
    Ok(users::table.filter(named).select(users::id).limit(2).load(conn)?)
}

/// How many users there are, exactly or approximately.
pub fn count(conn: &mut Conn) -> Result<Total, DbError> {
    page::total(conn, "auth_user")
}
