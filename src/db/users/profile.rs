//! What a form changes of a user: name, address and rights, together; and the lock on all superusers.

use diesel::prelude::*;
use serde::Serialize;

use super::User;
use super::write::update_superuser;
use crate::config::UserField;
use crate::db::sql::{Sql, Value};
use crate::db::types::UserId;
use crate::db::user_id::UserKey;
use crate::db::user_table::UserTable;
use crate::db::{Conn, DbError};

/// Everything about a user except password and times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = UserKey)]
    id: UserId,
}

impl UserTable {
    /// Replaces all of these, as far as the user table has them.
    ///
    /// # Errors
    /// `Unique` if another user has the name.
    pub fn update_profile(&self, conn: &mut Conn, id: UserId, profile: &Profile) -> Result<(), DbError> {
        let texts = [
            (self.column(UserField::Email), &profile.email),
            (self.column(UserField::FirstName), &profile.first_name),
            (self.column(UserField::LastName), &profile.last_name),
            (self.name_column(), &profile.username),
        ];
        let flags = [
            (self.column(UserField::IsActive), profile.is_active),
            (self.column(UserField::IsStaff), profile.is_staff),
            (self.column(UserField::IsSuperuser), profile.is_superuser),
        ];
        let texts = texts.into_iter().filter_map(|(column, text)| Some((column?, Value::from(text.clone()))));
        let flags = flags.into_iter().filter_map(|(column, flag)| Some((column?, Value::from(flag))));
        let changes: Vec<_> = texts.chain(flags).collect();
        if !changes.is_empty() {
            self.update(conn, id, &changes)?;
        }
        if !self.has(UserField::IsSuperuser) {
            update_superuser(conn, id, profile.is_superuser)?;
        }
        Ok(())
    }

    /// Locks all active superusers, in the order of their ids. SQLite has only one writer anyway.
    pub fn lock_superusers(&self, conn: &mut Conn) -> Result<Vec<UserId>, DbError> {
        let lock = if conn.is_postgres() { " FOR NO KEY UPDATE OF u" } else { "" };
        // Without a comparison, because only then does SQLite use the partial index on superusers.
        let text =
            format!("SELECT u.id FROM {} u WHERE u.is_superuser AND u.is_active ORDER BY u.id{lock}", self.source());
        Ok(Sql::fixed(&text, &[]).load::<Locked>(conn)?.into_iter().map(|row| row.id).collect())
    }
}
