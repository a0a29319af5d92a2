//! What a form changes of a user: name, address and rights, together; and the lock on all superusers.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde::Serialize;

use super::super::schema::users;
use super::super::types::UserId;
use super::super::{Conn, DbError};
use super::User;

/// Everything about a user except password and times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, AsChangeset)]
#[diesel(table_name = users)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Profile {
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
}

impl From<&User> for Profile {
    fn from(user: &User) -> Self {
        Self {
            username: user.username.clone(),
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
        }
    }
}

/// Replaces all of these.
///
/// # Errors
/// `Unique` if another user has the name.
pub fn update(conn: &mut Conn, id: UserId, profile: &Profile) -> Result<(), DbError> {
    diesel::update(users::table.find(id)).set(profile.clone()).execute(conn)?;
    Ok(())
}

/// Locks all active superusers, in the order of their ids. SQLite has only one writer anyway.
pub fn lock_superusers(conn: &mut Conn) -> Result<Vec<UserId>, DbError> {
    // Without a comparison, because only then does SQLite use the partial index on superusers.
    let superusers = users::table.filter(sql::<Bool>("is_superuser").and(users::is_active)).order(users::id);
    let ids = superusers.select(users::id);
    Ok(match conn {
        Conn::Postgres(pg) => ids.for_no_key_update().load(pg)?,
        Conn::Sqlite(sqlite) => ids.load(sqlite)?,
    })
}
