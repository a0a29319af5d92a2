//! The user table, where the database cannot say it by itself: which table, which columns, and who may log in.

use strum::VariantArray;

use super::parse::{self, ValueError};
use super::reader::Reader;
use super::vocabulary::column_name;

/// A field of Django's `AbstractUser` besides the key and the password, which every user table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum UserField {
    /// `username`; without it the login column is shown as the user's name.
    Username,
    /// `email`
    Email,
    /// `first_name`
    FirstName,
    /// `last_name`
    LastName,
    /// `date_joined`
    DateJoined,
    /// `last_login`
    LastLogin,
    /// `is_active`; without it every user is active.
    IsActive,
    /// `is_staff`; without it superusers are staff.
    IsStaff,
    /// `is_superuser`; without it `latchkey_superuser` lists the superusers.
    IsSuperuser,
}

/// Where a field is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnChoice {
    /// In the column of Django's name, if there is one.
    Default,
    /// Nowhere.
    None,
    /// In this column.
    Column(String),
}

/// A boolean column that must hold for a login: `is_verified`, or `!is_deleted`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The column.
    pub column: String,
    /// The value that it must have.
    pub value: bool,
}

/// `USER_TABLE`, `USERNAME_FIELD`, `USER_*_FIELD`, `LOGIN_REQUIRES`, `USER_CREATE`, `USER_CREATE_DEFAULTS`.
#[derive(Debug, Clone)]
pub struct UserTableSettings {
    /// The table; unset, the one that the stored tokens refer to.
    pub table: Option<String>,
    /// The columns that a login is compared with; none: worked out.
    pub username_fields: Vec<String>,
    /// Where each field is stored, in the order of `UserField::ALL`.
    columns: Vec<ColumnChoice>,
    /// What must hold for a login.
    pub login_requires: Vec<Requirement>,
    /// Whether users can be created. Unset: where no column stands in the way.
    pub create: Option<bool>,
    /// Values of columns that Latchkey does not know, for new users.
    pub create_defaults: Vec<(String, CreateDefault)>,
    /// What the user table turned out to be. Until the database is opened, Django's own.
    pub found: FoundUserTable,
}

/// What forms and the API document have to know of the user table.
#[derive(Debug, Clone, Copy)]
pub struct FoundUserTable {
    /// The JSON field of a login.
    pub login_field: &'static str,
    /// Its label in forms.
    pub login_label: &'static str,
    /// Whether a login takes the email address and nothing else.
    pub is_login_by_email: bool,
    /// Whether keys are UUIDs.
    pub has_uuid_keys: bool,
    /// Whether each field of `UserField::ALL` has a column.
    pub has_fields: [bool; UserField::ALL.len()],
}

impl FoundUserTable {
    /// Whether a field has a column.
    pub fn has(&self, field: UserField) -> bool {
        UserField::ALL.iter().zip(self.has_fields).any(|(one, has)| *one == field && has)
    }
}

impl Default for FoundUserTable {
    fn default() -> Self {
        Self {
            login_field: UserField::Username.name(),
            login_label: "Username",
            is_login_by_email: false,
            has_uuid_keys: false,
            has_fields: [true; UserField::ALL.len()],
        }
    }
}

/// What a new user gets in a column that Latchkey does not know.
#[derive(Debug, Clone, PartialEq)]
pub enum CreateDefault {
    /// `$now`: the time.
    Now,
    /// `$uuid4`: a random UUID.
    Uuid4,
    /// A constant.
    Constant(serde_json::Value),
}

impl UserField {
    /// All of them.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Django's name of the column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Email => "email",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::DateJoined => "date_joined",
            Self::LastLogin => "last_login",
            Self::IsActive => "is_active",
            Self::IsStaff => "is_staff",
            Self::IsSuperuser => "is_superuser",
        }
    }

    /// The setting that renames it. The username has none: `USERNAME_FIELD` is what a login names.
    pub fn setting(self) -> Option<&'static str> {
        match self {
            Self::Username => None,
            Self::Email => Some("USER_EMAIL_FIELD"),
            Self::FirstName => Some("USER_FIRST_NAME_FIELD"),
            Self::LastName => Some("USER_LAST_NAME_FIELD"),
            Self::DateJoined => Some("USER_DATE_JOINED_FIELD"),
            Self::LastLogin => Some("USER_LAST_LOGIN_FIELD"),
            Self::IsActive => Some("USER_IS_ACTIVE_FIELD"),
            Self::IsStaff => Some("USER_IS_STAFF_FIELD"),
            Self::IsSuperuser => Some("USER_IS_SUPERUSER_FIELD"),
        }
    }
}

impl UserTableSettings {
    /// Where a field is stored.
    pub fn column(&self, field: UserField) -> &ColumnChoice {
        let at = UserField::ALL.iter().position(|one| *one == field).unwrap_or_default();
        self.columns.get(at).unwrap_or(&ColumnChoice::Default)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let table = reader.optional("USER_TABLE", column_name);
        let username_fields = reader.optional("USERNAME_FIELD", username_fields).unwrap_or_default();
        let columns = UserField::ALL.iter().map(|field| match field.setting() {
            None => ColumnChoice::Default,
            Some(name) => reader.optional(name, column_choice).unwrap_or(ColumnChoice::Default),
        });
        let columns = columns.collect();
        Self {
            table,
            username_fields,
            columns,
            login_requires: reader.optional("LOGIN_REQUIRES", parse::some(requirement)).unwrap_or_default(),
            create: reader.optional("USER_CREATE", parse::boolean),
            create_defaults: reader.optional("USER_CREATE_DEFAULTS", create_defaults).unwrap_or_default(),
            found: FoundUserTable::default(),
        }
    }
}

/// A column, or `none`.
fn column_choice(value: &str) -> Result<ColumnChoice, ValueError> {
    if value.eq_ignore_ascii_case("none") {
        Ok(ColumnChoice::None)
    } else {
        column_name(value).map(ColumnChoice::Column)
    }
}

/// One column, several with commas, or `username_or_email`.
fn username_fields(value: &str) -> Result<Vec<String>, ValueError> {
    if value.eq_ignore_ascii_case("username_or_email") {
        return Ok(["username", "email"].map(str::to_owned).into());
    }
    parse::some(|name| match name {
        "password" => Err("is no name to log in with".to_owned()),
        name => column_name(name),
    })(value)
}

/// `is_verified`, or `!is_deleted`.
fn requirement(value: &str) -> Result<Requirement, ValueError> {
    let (name, wanted) = value.strip_prefix('!').map_or((value, true), |name| (name.trim(), false));
    Ok(Requirement { column: column_name(name)?, value: wanted })
}

/// A JSON object of columns and values; `$now` and `$uuid4` stand for what is made for each user.
fn create_defaults(value: &str) -> Result<Vec<(String, CreateDefault)>, ValueError> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(value).map_err(|_| "is not a JSON object".to_owned())?;
    object
        .into_iter()
        .map(|(name, value)| {
            let default = match value.as_str() {
                Some("$now") => CreateDefault::Now,
                Some("$uuid4") => CreateDefault::Uuid4,
                Some(word) if word.starts_with('$') => {
                    return Err(format!("has {word}, which is neither $now nor $uuid4"));
                }
                _ => CreateDefault::Constant(value),
            };
            Ok((column_name(&name)?, default))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_names_one_column_or_several() {
        assert_eq!(username_fields("phone"), Ok(vec!["phone".to_owned()]));
        assert_eq!(username_fields("username_or_email"), Ok(vec!["username".to_owned(), "email".to_owned()]));
        assert_eq!(username_fields("username, email, phone").unwrap().len(), 3);
        for bad in ["", ",", "password", "a\"b", "a?"] {
            assert!(username_fields(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_requirement_may_be_negated() {
        assert_eq!(requirement("is_verified"), Ok(Requirement { column: "is_verified".to_owned(), value: true }));
        assert_eq!(requirement("!is_deleted"), Ok(Requirement { column: "is_deleted".to_owned(), value: false }));
    }

    #[test]
    fn defaults_of_new_users_are_json() {
        let defaults = create_defaults(r#"{"role": "Customer", "created_at": "$now", "id": "$uuid4"}"#).unwrap();
        assert_eq!(defaults[1], ("created_at".to_owned(), CreateDefault::Now));
        for bad in ["", "[]", "{", r#"{"a": "$later"}"#, r#"{"a\"b": 1}"#] {
            assert!(create_defaults(bad).is_err(), "{bad}");
        }
    }
}
