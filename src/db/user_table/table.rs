//! `UserTable`: the columns of users, and what follows from them.

use super::catalogue::{Column, Kind, TableName};
use crate::config::{CreateDefault, FoundUserTable, UserField};
use crate::db::types::UserId;

/// Where users are stored.
#[derive(Debug, Clone)]
pub struct UserTable {
    /// The table.
    pub name: TableName,
    /// The primary key.
    pub key: Column,
    /// The column of the password.
    pub password: Column,
    /// Columns of the fields, in the order of `UserField::ALL`.
    pub(super) fields: Vec<Option<Column>>,
    /// The columns that a login is compared with, at least one.
    pub login: Vec<Column>,
    /// What identifies a user in tokens.
    pub identity: Identity,
    /// What must hold for a login: columns, and the value of each.
    pub(super) requirements: Vec<(Column, bool)>,
    /// Columns that a new row needs and that Latchkey cannot fill.
    pub(super) unfilled: Vec<String>,
    /// `USER_CREATE`
    pub(super) is_creation_on: bool,
    /// What a new row gets besides.
    pub(in crate::db) create_defaults: Vec<(Column, CreateDefault)>,
    /// Rows of Django's own apps that go with a user: table and column.
    pub(in crate::db) dependents: Vec<(String, String)>,
    /// Whether it is the table of Django's own user model.
    pub is_djangos_own: bool,
    /// The derived table that statements read from.
    pub(super) source: String,
}

/// What identifies a user in tokens: `JWT_USER_ID_FIELD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The primary key.
    Key,
    /// Our own random id.
    Uuid,
    /// A unique column.
    Column(Column),
}

impl Column {
    /// A placeholder for a value of this column, typed as the column is, so that its own comparison and index are used.
    pub fn placeholder(&self) -> String {
        match self.kind {
            Kind::CiText | Kind::Other => format!("CAST(? AS {})", self.sql_type),
            _ => "?".to_owned(),
        }
    }

    /// Whether it holds UUIDs.
    pub fn is_uuid(&self) -> bool {
        self.kind == Kind::Uuid
    }

    /// The text of this column in lower case; `name` is the column as it stands in the statement.
    pub(in crate::db) fn lower(&self, name: &str) -> String {
        // A collation that takes different texts for equal has no `LIKE`, and its `lower` no index for it.
        let collation = if self.kind == Kind::FoldedText { " COLLATE \"C\"" } else { "" };
        format!("lower({name}{collation})")
    }
}

impl UserTable {
    /// The column of a field, if it has one.
    pub fn column(&self, field: UserField) -> Option<&Column> {
        let at = UserField::ALL.iter().position(|one| *one == field)?;
        self.fields.get(at)?.as_ref()
    }

    /// Whether a field has a column.
    pub fn has(&self, field: UserField) -> bool {
        self.column(field).is_some()
    }

    /// The column that has the name of a user: the username, or what a login names where there is none. `None` where that
    /// is the email address.
    pub fn name_column(&self) -> Option<&Column> {
        let email = self.column(UserField::Email).map(|column| &column.name);
        self.column(UserField::Username).or_else(|| self.login.iter().find(|column| Some(&column.name) != email))
    }

    /// Whether users have a name besides their email address.
    pub fn has_names(&self) -> bool {
        self.name_column().is_some()
    }

    /// Whether a login names the email address and nothing else.
    pub fn is_login_by_email(&self) -> bool {
        let email = self.column(UserField::Email);
        matches!(self.login.as_slice(), [only] if email.is_some_and(|email| email.name == only.name))
    }

    /// The JSON field of a login: the column, or `username` where there are several.
    fn login_field(&self) -> &str {
        match self.login.as_slice() {
            [_] if self.is_login_by_email() => UserField::Email.name(),
            [only] => &only.name,
            _ => UserField::Username.name(),
        }
    }

    /// `Username or email address`
    fn login_label(&self) -> String {
        let email = self.column(UserField::Email).map(|column| column.name.as_str());
        let words = self.login.iter().map(|column| match column.name.as_str() {
            name if Some(name) == email => "email address".to_owned(),
            name => name.replace('_', " "),
        });
        let label = words.collect::<Vec<_>>().join(" or ");
        let mut letters = label.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// What forms and the API document have to know of it.
    pub fn found(&self) -> FoundUserTable {
        // Forms and views have names that live as long as the program; there is one such table in it.
        let keep = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let mut has_fields = [false; UserField::ALL.len()];
        for (has, column) in has_fields.iter_mut().zip(&self.fields) {
            *has = column.is_some();
        }
        FoundUserTable {
            login_field: keep(self.login_field().to_owned()),
            login_label: keep(self.login_label()),
            is_login_by_email: self.is_login_by_email(),
            has_uuid_keys: self.key.is_uuid(),
            has_fields,
        }
    }

    /// Why no users can be created here; `None` if they can.
    pub fn creation_obstacle(&self) -> Option<String> {
        let table = &self.name.name;
        if !self.unfilled.is_empty() {
            let columns = self.unfilled.join(", ");
            return Some(format!(
                "Users cannot be created here: a new row of {table} also needs {columns}. Create users with Django, or give \
                 these columns values in USER_CREATE_DEFAULTS."
            ));
        }
        (!self.is_creation_on).then(|| "Users cannot be created here: USER_CREATE is false.".to_owned())
    }

    /// The field that a text may be too long for, and how many characters its column takes.
    pub fn max_length(&self, field: UserField) -> Option<usize> {
        let column = if field == UserField::Username { self.name_column() } else { self.column(field) };
        column?.max_length
    }

    /// Whether a key is of the table's kind.
    pub fn is_key(&self, id: UserId) -> bool {
        match id {
            UserId::Integer(_) => self.key.kind == Kind::Integer,
            UserId::Uuid(_) => self.key.kind == Kind::Uuid,
        }
    }

    /// The key that a text stands for: digits without a sign or leading zeros, or a UUID.
    pub fn parse_key(&self, text: &str) -> Option<UserId> {
        match self.key.kind {
            Kind::Uuid => uuid::Uuid::parse_str(text).ok().map(UserId::Uuid),
            _ => text.parse().ok().filter(|id: &i64| id.to_string() == text).map(UserId::Integer),
        }
    }

    /// A key that no user has: for what takes the same time whether there is a user or not.
    pub fn no_user(&self) -> UserId {
        match self.key.kind {
            Kind::Uuid => UserId::Uuid(uuid::Uuid::nil()),
            _ => UserId::Integer(0),
        }
    }

    /// The email address in lower case, as an expression over the derived table `u`.
    pub(in crate::db) fn lower_email(&self) -> String {
        self.column(UserField::Email).map_or_else(|| "u.email".to_owned(), |column| column.lower("u.email"))
    }

    /// The texts that a search looks at, in lower case: name and address, and with `names` first and last name.
    pub(in crate::db) fn lower_texts(&self, names: bool) -> Vec<String> {
        let lower =
            |field| self.column(field).map(|column: &Column| column.lower(&format!("u.{}", UserField::name(field))));
        let name = self.name_column().map(|column| column.lower("u.username"));
        let others = if names { [lower(UserField::FirstName), lower(UserField::LastName)] } else { [None, None] };
        [name, lower(UserField::Email)].into_iter().chain(others).flatten().collect()
    }

    /// The user's name in lower case, as an expression over the derived table `u`.
    pub(in crate::db) fn lower_name(&self) -> String {
        self.name_column().map_or_else(|| self.lower_email(), |column| column.lower("u.username"))
    }
}
