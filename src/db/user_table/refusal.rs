//! Why a user table cannot be used. Each text names the column or setting that it is about.

/// What stands in the way. Found before anything is written.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum UserTableError {
    #[error(
        "token_blacklist_outstandingtoken.user_id has no foreign key, so nothing says which table has the users; run \
         Django's migrations first"
    )]
    NoForeignKey,
    #[error("token_blacklist_outstandingtoken.user_id refers to more than one table ({0}); it must be one")]
    SeveralTables(String),
    #[error("token_blacklist_outstandingtoken refers to {0} by several columns together, which is not supported")]
    CompositeKey(String),
    #[error("USER_TABLE is {setting}, but the stored tokens refer to {found}; remove USER_TABLE or correct it")]
    OtherTable { setting: String, found: String },
    #[error("the stored tokens refer to {0}, which is no table; a view cannot hold the users")]
    NoTable(String),
    #[error(
        "the primary key of {table}, {column}, is of type {sql_type}; supported are integer, bigint and UUID keys \
         (on SQLite integer and char(32))"
    )]
    KeyType { table: String, column: String, sql_type: String },
    #[error("the table {table} has no column {column}{}", hint(*.setting, .columns))]
    NoColumn { table: String, column: String, setting: Option<&'static str>, columns: String },
    #[error("{table}.{column} is of type {sql_type}; {expected} is needed{}", hint(*.setting, ""))]
    ColumnType {
        table: String,
        column: String,
        sql_type: String,
        expected: &'static str,
        setting: Option<&'static str>,
    },
    #[error("{table}.{column} has no unique index, so it cannot identify a user: set USERNAME_FIELD to {unique}")]
    NotUnique { table: String, column: String, unique: String },
    #[error("nothing says what a login names: {table} has no unique username or email; set USERNAME_FIELD to {unique}")]
    NoLoginColumn { table: String, unique: String },
    #[error(
        "JWT_UPDATE_LAST_LOGIN is true, but {0} has no last_login; remove the setting or name the column in USER_LAST_LOGIN_FIELD"
    )]
    NoLastLogin(String),
    #[error(
        "USER_CREATE is true, but a new row of {table} also needs {columns}; give them values in USER_CREATE_DEFAULTS"
    )]
    Unfilled { table: String, columns: String },
}

/// `; USER_EMAIL_FIELD names it. The columns are id, password`
fn hint(setting: Option<&'static str>, columns: &str) -> String {
    let columns = if columns.is_empty() { String::new() } else { format!("; its columns are {columns}") };
    setting.map(|setting| format!(" (named in {setting})")).unwrap_or_default() + &columns
}
