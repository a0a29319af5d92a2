//! Users, wherever the database keeps them (`user_table`). Rows are written in `write`, found by parts of their names in
//! `search`; the panel's list is in `list`, what a form changes of a user in `profile`, how many tokens one has in
//! `token_counts`.

pub mod list;
pub mod profile;
mod search;
mod token_counts;
pub mod write;

pub use token_counts::{TokenCounts, count_tokens};

use diesel::deserialize::FromSqlRow;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use uuid::Uuid;

use super::page::{self, Total};
use super::sql::{Sql, Value};
use super::types::{EncodedPassword, Instant, Moment, UserId};
use super::user_id::UserKey;
use super::user_table::{Column, Identity, Kind, UserTable};
use super::{Conn, DbError};
use crate::config::UserField;

/// A user.
#[derive(Debug, Clone, QueryableByName)]
#[allow(missing_docs, reason = "Django's columns")]
#[expect(clippy::struct_excessive_bools, reason = "Django's columns")]
pub struct User {
    #[diesel(sql_type = UserKey)]
    pub id: UserId,
    #[diesel(sql_type = Text, deserialize_as = String)]
    pub password: EncodedPassword,
    #[diesel(sql_type = Nullable<Moment>)]
    pub last_login: Option<Instant>,
    #[diesel(sql_type = Bool)]
    pub is_superuser: bool,
    /// The username, or the login column where the user table has no username.
    #[diesel(sql_type = Nullable<Text>, deserialize_as = TextOrEmpty)]
    pub username: String,
    #[diesel(sql_type = Nullable<Text>, deserialize_as = TextOrEmpty)]
    pub first_name: String,
    #[diesel(sql_type = Nullable<Text>, deserialize_as = TextOrEmpty)]
    pub last_name: String,
    #[diesel(sql_type = Nullable<Text>, deserialize_as = TextOrEmpty)]
    pub email: String,
    #[diesel(sql_type = Bool)]
    pub is_staff: bool,
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
    /// `None` where the user table does not say it.
    #[diesel(sql_type = Nullable<Moment>)]
    pub date_joined: Option<Instant>,
    /// Whether `LOGIN_REQUIRES` holds.
    #[diesel(sql_type = Bool)]
    pub meets_requirements: bool,
    /// What identifies the user in tokens, where `JWT_USER_ID_FIELD` names a column.
    #[diesel(sql_type = Nullable<Text>)]
    pub reference: Option<String>,
}

/// A text that may be NULL, which is read as empty.
#[derive(Debug, Clone, FromSqlRow)]
pub struct TextOrEmpty(Option<String>);

impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<Nullable<Text>, DB> for TextOrEmpty
where
    Option<String>: diesel::deserialize::FromSql<Nullable<Text>, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        diesel::deserialize::FromSql::from_sql(value).map(Self)
    }

    fn from_nullable_sql(value: Option<DB::RawValue<'_>>) -> diesel::deserialize::Result<Self> {
        diesel::deserialize::FromSql::from_nullable_sql(value).map(Self)
    }
}

impl From<TextOrEmpty> for String {
    fn from(text: TextOrEmpty) -> Self {
        text.0.unwrap_or_default()
    }
}

/// The columns of a `User`, of the derived table `u`.
pub(super) const COLUMNS: &str = "u.id, u.password, u.last_login, u.is_superuser, u.username, u.first_name, u.last_name, \
    u.email, u.is_staff, u.is_active, u.date_joined, u.meets_requirements, CAST(u.reference AS text) AS reference";

/// How a token identifies its user: `JWT_USER_ID_FIELD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRef {
    /// The primary key.
    Id(UserId),
    /// Our own random id.
    Uuid(String),
    /// The value of a column of the user table.
    Column(String),
}

/// What a transaction is going to do with a user's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Issue them: others may issue at the same time, but nobody may revoke.
    Issue,
    /// Revoke them or change the user: alone.
    Revoke,
}

impl User {
    /// Whether the user may log in: active, and with all that `LOGIN_REQUIRES` asks for.
    pub fn may_log_in(&self) -> bool {
        self.is_active && self.meets_requirements
    }
}

/// The user, if there is exactly one.
pub fn only(mut found: Vec<User>) -> Option<User> {
    if found.len() == 1 { found.pop() } else { None }
}

impl UserTable {
    /// One user.
    pub fn find(&self, conn: &mut Conn, id: UserId) -> Result<Option<User>, DbError> {
        self.find_by_ref(conn, &UserRef::Id(id))
    }

    /// The user that a token identifies; none if several users have the value.
    pub fn find_by_ref(&self, conn: &mut Conn, user: &UserRef) -> Result<Option<User>, DbError> {
        self.read_by_ref(conn, user, "")
    }

    /// Locks the user's row and reads it: the first statement of every transaction that issues or revokes tokens, so that
    /// a refresh cannot overtake a logout of all sessions. SQLite has only one writer anyway.
    pub fn lock(&self, conn: &mut Conn, user: &UserRef, intent: Intent) -> Result<Option<User>, DbError> {
        let lock = match intent {
            _ if !conn.is_postgres() => "",
            Intent::Issue => " FOR SHARE OF u",
            Intent::Revoke => " FOR NO KEY UPDATE OF u",
        };
        self.read_by_ref(conn, user, lock)
    }

    fn read_by_ref(&self, conn: &mut Conn, user: &UserRef, lock: &str) -> Result<Option<User>, DbError> {
        let (condition, values) = match user {
            // A key of the other kind, which only a forged token or a mistyped address has.
            UserRef::Id(id) if !self.is_key(*id) => return Ok(None),
            UserRef::Id(id) => ("u.id = ?".to_owned(), vec![(*id).into()]),
            UserRef::Uuid(uuid) => {
                let of_uuid = "u.id = (SELECT user_id FROM latchkey_user WHERE uuid = ?)";
                (of_uuid.to_owned(), vec![uuid.as_str().into()])
            }
            UserRef::Column(text) => {
                let Identity::Column(column) = &self.identity else { return Ok(None) };
                let Some(condition) = equals("u.reference", column, text) else { return Ok(None) };
                condition
            }
        };
        Ok(only(self.select(conn, &format!("WHERE {condition} LIMIT 2{lock}"), &values)?))
    }

    /// The user who logs in with this text: the first of the login columns that has it decides. In the table of
    /// a custom user model an address also matches with its domain in lower case, which is how Django stores it. One that
    /// several users have matches none of them.
    pub fn find_by_login(&self, conn: &mut Conn, text: &str) -> Result<Option<User>, DbError> {
        for (place, column) in self.login.iter().enumerate() {
            let name = format!("u.login_{place}");
            if let Some(user) = self.find_by_text(conn, (&name, column), text)? {
                return Ok(Some(user));
            }
            let normal = normalize_domain(text);
            if !self.is_djangos_own
                && normal != text
                && let Some(user) = self.find_by_text(conn, (&name, column), &normal)?
            {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// The user of this name, compared as the column does.
    pub fn find_by_name(&self, conn: &mut Conn, name: &str) -> Result<Option<User>, DbError> {
        match self.name_column().or_else(|| self.column(UserField::Email)) {
            Some(column) => self.find_by_text(conn, ("u.username", column), name),
            None => Ok(None),
        }
    }

    fn find_by_text(
        &self,
        conn: &mut Conn,
        (name, column): (&str, &Column),
        text: &str,
    ) -> Result<Option<User>, DbError> {
        let Some((condition, values)) = equals(name, column, text) else { return Ok(None) };
        Ok(only(self.select(conn, &format!("WHERE {condition} LIMIT 2"), &values)?))
    }

    /// Up to `limit` users who may log in, have this address (ignoring case) and a usable password.
    pub fn list_by_address(&self, conn: &mut Conn, email: &str, limit: i64) -> Result<Vec<User>, DbError> {
        let rest = format!(
            "WHERE {} = lower(?) AND u.is_active AND u.meets_requirements AND u.password NOT LIKE '!%' \
             ORDER BY u.id LIMIT {limit}",
            self.lower_email()
        );
        self.select(conn, &rest, &[email.into()])
    }

    /// These users, by name; those that no longer exist are left out.
    pub fn list_by_id(&self, conn: &mut Conn, ids: &[UserId]) -> Result<Vec<User>, DbError> {
        let ids: Vec<Value<'_>> = ids.iter().filter(|id| self.is_key(**id)).map(|id| (*id).into()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let marks = vec!["?"; ids.len()].join(", ");
        let text = format!("SELECT {COLUMNS} FROM {} u WHERE u.id IN ({marks}) ORDER BY u.username", self.source());
        Ok(Sql::varying(&text, &ids).load(conn)?)
    }

    /// Users in the order of their keys, after this one.
    pub fn list_after(&self, conn: &mut Conn, after: Option<UserId>, limit: i64) -> Result<Vec<User>, DbError> {
        let order = format!("ORDER BY u.id LIMIT {limit}");
        match after {
            None => self.select(conn, &order, &[]),
            Some(after) => self.select(conn, &format!("WHERE u.id > ? {order}"), &[after.into()]),
        }
    }

    /// How many users there are, exactly or approximately.
    pub fn count(&self, conn: &mut Conn) -> Result<Total, DbError> {
        page::total_by(conn, &self.name.quoted(), "rowid")
    }

    /// Users of the derived table `u`; the text after it is always the same for a function and its settings.
    pub(super) fn select(&self, conn: &mut Conn, rest: &str, values: &[Value<'_>]) -> Result<Vec<User>, DbError> {
        let text = format!("SELECT {COLUMNS} FROM {} u {rest}", self.source());
        Ok(Sql::fixed(&text, values).load(conn)?)
    }
}

/// The condition that a column of the derived table equals a text, compared as the column does; `None` if no value can.
fn equals(name: &str, column: &Column, text: &str) -> Option<(String, Vec<Value<'static>>)> {
    // PostgreSQL has no texts with a null character.
    if text.contains('\0') {
        return None;
    }
    let value: Value<'_> = match column.kind {
        Kind::Integer => text.parse::<i64>().ok()?.into(),
        Kind::Uuid => UserId::Uuid(Uuid::parse_str(text).ok()?).into(),
        _ => text.to_owned().into(),
    };
    let mark = column.placeholder();
    if column.is_unique {
        return Some((format!("{name} = {mark}"), vec![value]));
    }
    // The second condition follows from the first; it makes the database use our index on lower(email).
    let condition = format!("{name} = {mark} AND lower({name}) = lower(?)");
    Some((condition, vec![value, text.to_owned().into()]))
}

/// `Rob@Example.ORG` as `Rob@example.org`, as Django's `normalize_email` does.
fn normalize_domain(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((name, domain)) => format!("{name}@{}", domain.to_lowercase()),
        None => address.to_owned(),
    }
}
