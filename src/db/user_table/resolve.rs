//! Works out where users are stored: from the catalogue, and from the settings where it leaves a choice.

use super::catalogue::{self, Column, ForeignKey, Kind, TableName};
use super::refusal::UserTableError;
use super::source;
use super::table::{Identity, UserTable};
use crate::config::{ColumnChoice, Config, CreateDefault, UserField, UserIdField, UserTableSettings};
use crate::db::{Conn, DbError};

const TOKENS: &str = "token_blacklist_outstandingtoken";

/// Why there is no `UserTable`.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// It cannot be used.
    #[error(transparent)]
    Refused(#[from] UserTableError),
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl UserTable {
    /// Finds the user table of a database, which it only reads.
    pub fn resolve(conn: &mut Conn, config: &Config) -> Result<Self, ResolveError> {
        let settings = &config.user_table;
        let keys = catalogue::foreign_keys(conn)?;
        let owner = owner(&keys, settings)?;
        let columns = catalogue::columns(conn, &owner.name)?;
        let is_postgres = conn.is_postgres();
        Ok(Found { owner, columns, keys, settings, config, is_postgres }.resolve()?)
    }
}

impl UserTable {
    /// The user table that the migrations create in an empty database: Django's own.
    pub fn planned(config: &Config, is_postgres: bool) -> Result<Self, UserTableError> {
        let column = |name: &str, kind, sql_type: &str, is_unique| Column {
            name: name.to_owned(),
            kind,
            sql_type: sql_type.to_owned(),
            is_nullable: name == "last_login",
            has_default: name == "id",
            is_unique,
            max_length: None,
        };
        let fields = UserField::ALL.iter().map(|field| match field {
            UserField::IsActive | UserField::IsStaff | UserField::IsSuperuser => (field, Kind::Boolean, "boolean"),
            UserField::DateJoined | UserField::LastLogin => (field, Kind::Moment, "timestamp with time zone"),
            _ => (field, Kind::Text, "character varying"),
        });
        let fields =
            fields.map(|(field, kind, sql_type)| column(field.name(), kind, sql_type, *field == UserField::Username));
        let key = column("id", Kind::Integer, "integer", true);
        let columns = [key, column("password", Kind::Text, "character varying", false)].into_iter().chain(fields);
        let owner = Owner { name: TableName { schema: None, name: "auth_user".to_owned() }, key: "id".to_owned() };
        let settings = &config.user_table;
        Found { owner, columns: columns.collect(), keys: Vec::new(), settings, config, is_postgres }.resolve()
    }
}

/// The table that the tokens refer to, and its key.
#[derive(Debug, PartialEq, Eq)]
struct Owner {
    name: TableName,
    key: String,
}

/// The table that has the users: the one that tokens refer to, or, where there are no token tables yet, Django's log.
fn owner(keys: &[ForeignKey], settings: &UserTableSettings) -> Result<Owner, UserTableError> {
    let of = |table: &str| keys.iter().filter(|key| key.table == table && key.column == "user_id").collect::<Vec<_>>();
    let found = Some(of(TOKENS)).filter(|found| !found.is_empty()).unwrap_or_else(|| of("django_admin_log"));
    let [key] = found.as_slice() else {
        let tables: Vec<_> = found.iter().map(|key| key.target.as_str()).collect();
        let none = tables.is_empty();
        return Err(if none { UserTableError::NoForeignKey } else { UserTableError::SeveralTables(tables.join(", ")) });
    };
    if key.width != 1 {
        return Err(UserTableError::CompositeKey(key.target.clone()));
    }
    let name = TableName { schema: key.target_schema.clone(), name: key.target.clone() };
    if let Some(setting) = settings.table.as_ref().filter(|table| **table != name.name) {
        return Err(UserTableError::OtherTable { setting: setting.clone(), found: name.name });
    }
    Ok(Owner { name, key: key.target_column.clone() })
}

/// What the catalogue says, beside the settings.
struct Found<'a> {
    owner: Owner,
    columns: Vec<Column>,
    keys: Vec<ForeignKey>,
    settings: &'a UserTableSettings,
    config: &'a Config,
    is_postgres: bool,
}

impl Found<'_> {
    fn resolve(self) -> Result<UserTable, UserTableError> {
        if self.columns.is_empty() {
            return Err(UserTableError::NoTable(self.table()));
        }
        let key = self.required(&self.owner.key, None)?;
        if !matches!(key.kind, Kind::Integer | Kind::Uuid) {
            let (table, column, sql_type) = (self.table(), key.name, key.sql_type);
            return Err(UserTableError::KeyType { table, column, sql_type });
        }
        let password = self.text("password", None)?;
        let fields: Vec<_> = UserField::ALL.iter().map(|field| self.field(*field)).collect::<Result<_, _>>()?;
        let login = self.login(&fields)?;
        let identity = self.identity()?;
        self.check_last_login(&fields)?;
        let requirements = self.requirements()?;
        let create_defaults = self.create_defaults()?;
        let unfilled = self.unfilled(&key, (&fields, &login), &create_defaults);
        if self.settings.create == Some(true) && !unfilled.is_empty() {
            return Err(UserTableError::Unfilled { table: self.table(), columns: unfilled.join(", ") });
        }
        let mut table = UserTable {
            is_djangos_own: self.is_djangos_own(&key, &fields),
            dependents: self.dependents(),
            name: self.owner.name,
            key,
            password,
            fields,
            login,
            identity,
            requirements,
            unfilled,
            is_creation_on: self.settings.create.unwrap_or(true),
            create_defaults,
            source: String::new(),
        };
        table.source = source::derived_table(&table, self.is_postgres);
        Ok(table)
    }

    fn table(&self) -> String {
        self.owner.name.name.clone()
    }

    fn find(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// A column that must be there.
    fn required(&self, name: &str, setting: Option<&'static str>) -> Result<Column, UserTableError> {
        self.find(name).cloned().ok_or_else(|| UserTableError::NoColumn {
            table: self.table(),
            column: name.to_owned(),
            setting,
            columns: self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    fn text(&self, name: &str, setting: Option<&'static str>) -> Result<Column, UserTableError> {
        let column = self.required(name, setting)?;
        self.typed(column, Kind::is_text, ("a text", setting))
    }

    fn boolean(&self, name: &str, setting: Option<&'static str>) -> Result<Column, UserTableError> {
        let column = self.required(name, setting)?;
        self.typed(column, |kind| kind == Kind::Boolean, ("a boolean", setting))
    }

    /// The column, if its kind is right.
    fn typed(
        &self,
        column: Column,
        is_right: fn(Kind) -> bool,
        (expected, setting): (&'static str, Option<&'static str>),
    ) -> Result<Column, UserTableError> {
        if is_right(column.kind) {
            return Ok(column);
        }
        let (table, sql_type) = (self.table(), column.sql_type);
        Err(UserTableError::ColumnType { table, column: column.name, sql_type, expected, setting })
    }

    fn is_name(&self) -> bool {
        self.find(UserField::Username.name()).is_some_and(|column| column.is_unique && !column.is_nullable)
    }

    fn field(&self, field: UserField) -> Result<Option<Column>, UserTableError> {
        let (name, setting) = match self.settings.column(field) {
            ColumnChoice::None => return Ok(None),
            ColumnChoice::Default if self.find(field.name()).is_none() => return Ok(None),
            // A name that is not there, or not unique, identifies nobody: the login column is shown instead.
            ColumnChoice::Default if field == UserField::Username && !self.is_name() => return Ok(None),
            ColumnChoice::Default => (field.name(), field.setting()),
            ColumnChoice::Column(name) => (name.as_str(), field.setting()),
        };
        match field {
            UserField::Username | UserField::Email | UserField::FirstName | UserField::LastName => {
                self.text(name, setting)
            }
            UserField::IsActive | UserField::IsStaff | UserField::IsSuperuser => self.boolean(name, setting),
            UserField::DateJoined | UserField::LastLogin => {
                let column = self.required(name, setting)?;
                self.typed(column, |kind| kind == Kind::Moment, ("a time with a time zone", setting))
            }
        }
        .map(Some)
    }

    /// The columns that a login is compared with.
    fn login(&self, fields: &[Option<Column>]) -> Result<Vec<Column>, UserTableError> {
        let setting = Some("USERNAME_FIELD");
        if self.settings.username_fields.is_empty() {
            return self.default_login().map(|column| vec![column]);
        }
        let named = self.settings.username_fields.iter().map(|name| {
            // `email` means the field, whatever its column is called.
            let field = UserField::ALL.iter().position(|field| *field == UserField::Email && field.name() == name);
            let mapped = field.and_then(|at| fields.get(at)?.as_ref());
            let column = mapped.map_or_else(|| self.required(name, setting), |column| Ok(column.clone()))?;
            // In Django's own table addresses are not unique; a shared one then logs nobody in.
            let may_repeat = mapped.is_some() && has_all_fields(fields);
            if column.is_unique || may_repeat {
                return self.typed(column, |kind| kind.is_text() || kind == Kind::Integer, ("a text", setting));
            }
            Err(UserTableError::NotUnique { table: self.table(), column: column.name, unique: self.candidates() })
        });
        named.collect()
    }

    /// `username` where it is unique, else `email` where that is, else the only unique text that there is.
    fn default_login(&self) -> Result<Column, UserTableError> {
        let unique = |name: &str| self.find(name).filter(|column| column.is_unique && column.kind.is_text());
        if let Some(column) = unique("username").or_else(|| unique("email")) {
            return Ok(column.clone());
        }
        match self.unique_texts().as_slice() {
            [only] => Ok((*only).clone()),
            _ => Err(UserTableError::NoLoginColumn { table: self.table(), unique: self.candidates() }),
        }
    }

    fn unique_texts(&self) -> Vec<&Column> {
        self.columns.iter().filter(|column| column.is_unique && column.kind.is_text()).collect()
    }

    /// `email or phone`
    fn candidates(&self) -> String {
        let names: Vec<_> = self.unique_texts().iter().map(|column| column.name.as_str()).collect();
        if names.is_empty() { "a unique column".to_owned() } else { names.join(" or ") }
    }

    /// What identifies a user in tokens.
    fn identity(&self) -> Result<Identity, UserTableError> {
        let setting = Some("JWT_USER_ID_FIELD");
        let name = match &self.config.jwt.user_id_field {
            UserIdField::Id => return Ok(Identity::Key),
            UserIdField::Column(name) if *name == self.owner.key => return Ok(Identity::Key),
            UserIdField::Column(name) if name == "uuid" && self.find(name).is_none() => return Ok(Identity::Uuid),
            UserIdField::Column(name) => name,
        };
        let column = self.required(name, setting)?;
        self.typed(column, |kind| kind.is_text() || matches!(kind, Kind::Integer | Kind::Uuid), ("a text", setting))
            .map(Identity::Column)
    }

    /// `JWT_UPDATE_LAST_LOGIN` is true by default; only who asks for it is told that there is no such column.
    fn check_last_login(&self, fields: &[Option<Column>]) -> Result<(), UserTableError> {
        let is_there =
            UserField::ALL.iter().zip(fields).any(|(field, column)| *field == UserField::LastLogin && column.is_some());
        if is_there || !self.config.jwt.update_last_login || !self.config.is_set("JWT_UPDATE_LAST_LOGIN") {
            return Ok(());
        }
        Err(UserTableError::NoLastLogin(self.table()))
    }

    fn requirements(&self) -> Result<Vec<(Column, bool)>, UserTableError> {
        let setting = Some("LOGIN_REQUIRES");
        let all = self.settings.login_requires.iter();
        all.map(|one| Ok((self.boolean(&one.column, setting)?, one.value))).collect()
    }

    fn create_defaults(&self) -> Result<Vec<(Column, CreateDefault)>, UserTableError> {
        let setting = Some("USER_CREATE_DEFAULTS");
        let all = self.settings.create_defaults.iter();
        all.map(|(name, value)| Ok((self.required(name, setting)?, value.clone()))).collect()
    }

    /// Columns that a new row needs and that neither the database nor we fill.
    fn unfilled(
        &self,
        key: &Column,
        (fields, login): (&[Option<Column>], &[Column]),
        defaults: &[(Column, CreateDefault)],
    ) -> Vec<String> {
        let is_filled = |column: &Column| {
            column.is_nullable
                || column.has_default
                || column.name == "password"
                || column.name == key.name && key.kind == Kind::Uuid
                || login.first().is_some_and(|login| login.name == column.name)
                || fields.iter().flatten().any(|field| field.name == column.name)
                || defaults.iter().any(|(default, _)| default.name == column.name)
        };
        self.columns.iter().filter(|column| !is_filled(column)).map(|column| column.name.clone()).collect()
    }

    /// Whether the columns are those of Django's own model, and the name is.
    fn is_djangos_own(&self, key: &Column, fields: &[Option<Column>]) -> bool {
        let is_its_key = key.name == "id" && key.kind == Kind::Integer;
        self.owner.name.name == "auth_user"
            && is_its_key
            && has_all_fields(fields)
            && self.columns.len() == UserField::ALL.len() + 2
    }

    /// Rows of Django's own apps that refer to a user and go with it, as Django deletes them in code.
    fn dependents(&self) -> Vec<(String, String)> {
        let table = &self.owner.name.name;
        let names = [format!("{table}_groups"), format!("{table}_user_permissions"), "django_admin_log".to_owned()];
        let of_user = self.keys.iter().filter(|key| key.target == *table && names.contains(&key.table));
        of_user.map(|key| (key.table.clone(), key.column.clone())).collect()
    }
}

/// Whether every field has the column of Django's name.
fn has_all_fields(fields: &[Option<Column>]) -> bool {
    let names = fields.iter().map(|column| column.as_ref().map(|column| column.name.as_str()));
    names.eq(UserField::ALL.iter().map(|field| Some(field.name())))
}
