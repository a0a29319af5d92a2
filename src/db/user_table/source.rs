//! The derived table that statements read users from: fixed columns, whatever the user table calls them. Both planners see
//! through it: a search by a column that is passed on unchanged uses the index of that column.

use std::fmt::Write;

use super::catalogue::quoted;
use super::table::{Identity, UserTable};
use crate::config::UserField;

/// `(SELECT "id" AS id, … FROM "auth_user")`
pub(super) fn derived_table(table: &UserTable, is_postgres: bool) -> String {
    let mut text = format!("(SELECT t.{} AS id, t.password", quoted(&table.key.name));
    for field in UserField::ALL {
        let _ = write!(text, ", {} AS {}", expression(table, *field, is_postgres), field.name());
    }
    for (at, column) in table.login.iter().enumerate() {
        let _ = write!(text, ", t.{} AS login_{at}", quoted(&column.name));
    }
    let reference = match &table.identity {
        Identity::Column(column) => format!("t.{}", quoted(&column.name)),
        Identity::Key | Identity::Uuid => "CAST(NULL AS text)".to_owned(),
    };
    let _ = write!(
        text,
        ", {reference} AS reference, {} AS meets_requirements FROM {} t)",
        requirements(table),
        table.name.quoted()
    );
    text
}

fn expression(table: &UserTable, field: UserField, is_postgres: bool) -> String {
    if let Some(column) = table.column(field) {
        return format!("t.{}", quoted(&column.name));
    }
    match field {
        UserField::Username => match table.name_column() {
            Some(column) if column.kind.is_text() => format!("t.{}", quoted(&column.name)),
            Some(column) => format!("CAST(t.{} AS text)", quoted(&column.name)),
            None => expression(table, UserField::Email, is_postgres),
        },
        UserField::Email | UserField::FirstName | UserField::LastName => "CAST('' AS text)".to_owned(),
        UserField::DateJoined | UserField::LastLogin if is_postgres => "CAST(NULL AS timestamptz)".to_owned(),
        UserField::DateJoined | UserField::LastLogin => "NULL".to_owned(),
        UserField::IsActive => "true".to_owned(),
        UserField::IsStaff => expression(table, UserField::IsSuperuser, is_postgres),
        UserField::IsSuperuser => {
            format!("EXISTS (SELECT 1 FROM latchkey_superuser s WHERE s.user_id = t.{})", quoted(&table.key.name))
        }
    }
}

/// `("is_verified" AND NOT "is_deleted")`
fn requirements(table: &UserTable) -> String {
    let each = table.requirements.iter().map(|(column, value)| {
        let name = format!("t.{}", quoted(&column.name));
        if *value { name } else { format!("NOT {name}") }
    });
    let all = each.collect::<Vec<_>>().join(" AND ");
    if all.is_empty() { "true".to_owned() } else { format!("coalesce({all}, false)") }
}

impl UserTable {
    /// The derived table, for `FROM`: `(SELECT …)`. It needs an alias.
    pub fn source(&self) -> &str {
        &self.source
    }
}
