//! Users found by their names and addresses, ignoring case.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::config::UserField;
use crate::db::sql::{Sql, Value};
use crate::db::types::{EncodedPassword, UserId};
use crate::db::user_id::UserKey;
use crate::db::user_table::UserTable;
use crate::db::{Conn, DbError};

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = UserKey)]
    id: UserId,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

impl UserTable {
    /// Whether there is a superuser.
    pub fn has_superuser(&self, conn: &mut Conn) -> Result<bool, DbError> {
        self.exists(conn, "u.is_superuser", &[])
    }

    /// Whether a user other than `except` has this email address, ignoring case.
    pub fn has_address(&self, conn: &mut Conn, text: &str, except: Option<UserId>) -> Result<bool, DbError> {
        self.has_text(conn, (&self.lower_email(), text), except)
    }

    /// Whether a user other than `except` has this username, ignoring case.
    pub fn has_name(&self, conn: &mut Conn, text: &str, except: Option<UserId>) -> Result<bool, DbError> {
        self.has_text(conn, (&self.lower_name(), text), except)
    }

    fn has_text(
        &self,
        conn: &mut Conn,
        (lowered, text): (&str, &str),
        except: Option<UserId>,
    ) -> Result<bool, DbError> {
        let condition = format!("{lowered} = lower(?)");
        match except {
            None => self.exists(conn, &condition, &[text.into()]),
            Some(id) => self.exists(conn, &format!("{condition} AND u.id <> ?"), &[text.into(), id.into()]),
        }
    }

    fn exists(&self, conn: &mut Conn, condition: &str, values: &[Value<'_>]) -> Result<bool, DbError> {
        let text = format!("SELECT EXISTS (SELECT 1 FROM {} u WHERE {condition}) AS answer", self.source());
        Ok(Sql::fixed(&text, values).get_result::<Answer>(conn)?.answer)
    }

    /// Up to two users with this id, username or email address, ignoring case. One statement.
    pub fn list_named(&self, conn: &mut Conn, text: &str) -> Result<Vec<UserId>, DbError> {
        let mut condition = format!("{} = lower(?)", self.lower_name());
        let mut values: Vec<Value<'_>> = vec![text.into()];
        if self.has(UserField::Email) {
            condition = format!("{condition} OR {} = lower(?)", self.lower_email());
            values.push(text.into());
        }
        if let Some(id) = self.parse_key(text) {
            condition += " OR u.id = ?";
            values.push(id.into());
        }
        let text = format!("SELECT u.id FROM {} u WHERE {condition} LIMIT 2", self.source());
        let found: Vec<Found> = Sql::varying(&text, &values).load(conn)?;
        Ok(found.into_iter().map(|row| row.id).collect())
    }

    /// Addresses (in lower case) that several users have: none of them can log in with it.
    pub fn list_shared_addresses(&self, conn: &mut Conn, limit: i64) -> Result<Vec<String>, DbError> {
        let (email, table) = (self.lower_email(), self.source());
        let text = format!(
            "SELECT {email} AS text FROM {table} u WHERE u.email <> '' GROUP BY {email} HAVING count(*) > 1 \
             ORDER BY 1 LIMIT {limit}"
        );
        texts(conn, &text)
    }

    /// An example of each scheme and cost among the stored passwords (`scheme$cost$…`), for the timing of failed logins.
    pub fn list_password_examples(&self, conn: &mut Conn) -> Result<Vec<EncodedPassword>, DbError> {
        // As many characters as scheme and cost take, without the salt.
        let text = format!(
            "SELECT min(password) AS text FROM {} u WHERE password NOT LIKE '!%' GROUP BY substr(password, 1, \
             CASE WHEN password LIKE 'bcrypt$%' THEN 13 WHEN password LIKE 'scrypt$%' THEN 7 ELSE 20 END) LIMIT 16",
            self.source()
        );
        Ok(texts(conn, &text)?.into_iter().map(EncodedPassword).collect())
    }
}

fn texts(conn: &mut Conn, text: &str) -> Result<Vec<String>, DbError> {
    Ok(Sql::fixed(text, &[]).load::<Row>(conn)?.into_iter().map(|row| row.text).collect())
}
