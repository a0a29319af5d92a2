//! Writing users: only the columns that the user table has.

use diesel::prelude::*;
use uuid::Uuid;

use super::User;
use crate::config::{CreateDefault, UserField};
use crate::db::sql::{Sql, Value};
use crate::db::types::{EncodedPassword, Instant, UserId};
use crate::db::user_id::UserKey;
use crate::db::user_table::{Column, UserTable, quoted};
use crate::db::{Conn, DbError};

/// A new user.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct NewRow {
    pub password: EncodedPassword,
    pub is_superuser: bool,
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub is_staff: bool,
    pub is_active: bool,
    pub date_joined: Instant,
    /// Makes a random UUID, for keys and for `$uuid4`.
    pub uuid4: fn() -> Uuid,
}

#[derive(QueryableByName)]
struct Inserted {
    #[diesel(sql_type = UserKey)]
    id: UserId,
}

impl UserTable {
    /// Creates a user.
    ///
    /// # Errors
    /// `Unique` if another user has the name or the address.
    pub fn insert(&self, conn: &mut Conn, row: &NewRow) -> Result<User, DbError> {
        let values = self.new_values(row);
        let names: Vec<_> = values.iter().map(|(column, _)| quoted(&column.name)).collect();
        let marks: Vec<_> = values.iter().map(|(column, _)| column.placeholder()).collect();
        let key = quoted(&self.key.name);
        let text = format!(
            "INSERT INTO {} ({}) VALUES ({}) RETURNING {key} AS id",
            self.name.quoted(),
            names.join(", "),
            marks.join(", ")
        );
        let values: Vec<_> = values.into_iter().map(|(_, value)| value).collect();
        let Inserted { id } = Sql::fixed(&text, &values).get_result(conn)?;
        if row.is_superuser && !self.has(UserField::IsSuperuser) {
            update_superuser(conn, id, true)?;
        }
        self.find(conn, id)?.ok_or_else(|| DbError::Other("the new user is not there".to_owned()))
    }

    /// What a new row holds, column by column.
    fn new_values<'a>(&'a self, row: &NewRow) -> Vec<(&'a Column, Value<'static>)> {
        let mut values = Vec::new();
        let mut set = |column: Option<&'a Column>, value: Value<'static>| {
            values.extend(column.map(|column| (column, value)));
        };
        if self.key.is_uuid() {
            set(Some(&self.key), UserId::Uuid((row.uuid4)()).into());
        }
        set(Some(&self.password), row.password.0.clone().into());
        for field in UserField::ALL {
            let value = match field {
                UserField::Username => continue,
                UserField::Email => row.email.clone().into(),
                UserField::FirstName => row.first_name.clone().into(),
                UserField::LastName => row.last_name.clone().into(),
                // Django writes NULL, which is what an unset column gets.
                UserField::LastLogin if self.column(*field).is_some_and(|column| column.is_nullable) => continue,
                UserField::DateJoined | UserField::LastLogin => row.date_joined.into(),
                UserField::IsActive => row.is_active.into(),
                UserField::IsStaff => row.is_staff.into(),
                UserField::IsSuperuser => row.is_superuser.into(),
            };
            set(self.column(*field), value);
        }
        set(self.name_column(), row.username.clone().into());
        for (column, default) in &self.create_defaults {
            let value = match default {
                CreateDefault::Now => row.date_joined.into(),
                CreateDefault::Uuid4 => UserId::Uuid((row.uuid4)()).into(),
                CreateDefault::Constant(constant) => Value::constant(constant),
            };
            set(Some(column), value);
        }
        values
    }

    /// Writes `last_login`, where there is one.
    pub fn update_last_login(&self, conn: &mut Conn, id: UserId, at: Instant) -> Result<(), DbError> {
        let Some(column) = self.column(UserField::LastLogin) else { return Ok(()) };
        self.update(conn, id, &[(column, at.into())]).map(drop)
    }

    /// Replaces the password if it is still `old` (any, if `None`); `false` if it was not.
    pub fn update_password(
        &self,
        conn: &mut Conn,
        id: UserId,
        (old, new): (Option<&EncodedPassword>, &EncodedPassword),
    ) -> Result<bool, DbError> {
        let Some(old) = old else { return self.update(conn, id, &[(&self.password, new.0.clone().into())]) };
        let (table, key) = (self.name.quoted(), quoted(&self.key.name));
        let text = format!("UPDATE {table} SET password = ? WHERE {key} = ? AND password = ?");
        Ok(Sql::fixed(&text, &[new.0.clone().into(), id.into(), old.0.clone().into()]).run(conn)? > 0)
    }

    /// Replaces the address, where there is one.
    pub fn update_email(&self, conn: &mut Conn, id: UserId, email: &str) -> Result<(), DbError> {
        let Some(column) = self.column(UserField::Email) else { return Ok(()) };
        self.update(conn, id, &[(column, email.to_owned().into())]).map(drop)
    }

    /// Activates or deactivates; `false` if there is no such user, or no such column.
    pub fn update_active(&self, conn: &mut Conn, id: UserId, active: bool) -> Result<bool, DbError> {
        let Some(column) = self.column(UserField::IsActive) else { return Ok(false) };
        self.update(conn, id, &[(column, active.into())])
    }

    /// Sets columns of a user; `false` if there is no such user.
    pub(super) fn update(
        &self,
        conn: &mut Conn,
        id: UserId,
        changes: &[(&Column, Value<'static>)],
    ) -> Result<bool, DbError> {
        let set: Vec<_> =
            changes.iter().map(|(column, _)| format!("{} = {}", quoted(&column.name), column.placeholder())).collect();
        let (table, key) = (self.name.quoted(), quoted(&self.key.name));
        let text = format!("UPDATE {table} SET {} WHERE {key} = ?", set.join(", "));
        let mut values: Vec<_> = changes.iter().map(|(_, value)| value.clone()).collect();
        values.push(id.into());
        Ok(Sql::fixed(&text, &values).run(conn)? > 0)
    }

    /// Deletes a user, with the rows of Django's own apps, as Django does in code. The caller takes care of tokens.
    ///
    /// # Errors
    /// `Referenced` if another table refers to the user (on SQLite only at the end of the transaction).
    pub fn delete(&self, conn: &mut Conn, id: UserId) -> Result<bool, DbError> {
        let own = [(self.name.quoted(), quoted(&self.key.name))];
        let mut deleted = 0;
        for (table, column) in self.dependents.iter().map(|(table, column)| (quoted(table), quoted(column))).chain(own)
        {
            deleted = Sql::fixed(&format!("DELETE FROM {table} WHERE {column} = ?"), &[id.into()]).run(conn)?;
        }
        Ok(deleted > 0)
    }
}

/// Makes a user a superuser or not, where the user table does not say who is one.
pub(super) fn update_superuser(conn: &mut Conn, id: UserId, is_superuser: bool) -> Result<(), DbError> {
    let text = if is_superuser {
        "INSERT INTO latchkey_superuser (user_id) VALUES (?) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM latchkey_superuser WHERE user_id = ?"
    };
    Sql::fixed(text, &[id.into()]).run(conn).map(drop)
}
