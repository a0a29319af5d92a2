//! The migrations of `migrations/{sqlite,postgres}`, compiled in. They are written for Django's own `auth_user`; for another
//! user table its name, its key and the type of its key are put in their place.

use diesel::backend::Backend;
use diesel::connection::BoxableConnection;
use diesel::migration::{self, Migration, MigrationMetadata, MigrationName, MigrationSource, MigrationVersion};

use crate::db::user_table::{UserTable, quoted};

/// A migration: its folder, and its statements for each database.
struct Files {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        &[$(Files {
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, "/up.sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, "/up.sql")),
        }),+]
    };
}

/// Creates Django's three tables.
const DJANGO_TABLES: &str = "2026-11-22-000001_django_tables";

const ALL: &[Files] = migrations![
    "2026-11-22-000001_django_tables",
    "2026-11-22-000002_latchkey_tables",
    "2026-11-22-000003_sessions",
    "2026-11-22-000004_panel",
    "2026-11-22-000005_mail",
    "2026-11-22-000006_second_factors",
    "2026-11-29-000007_account_sessions",
    "2026-11-29-000008_superusers",
];

/// All migrations, for the user table of a database; `None` for an empty database, which gets Django's tables.
#[derive(Clone, Copy)]
pub struct Rendered<'a> {
    /// The user table.
    pub users: Option<&'a UserTable>,
    /// Whether for PostgreSQL.
    pub is_postgres: bool,
}

impl Rendered<'_> {
    /// The names of all migrations, with their versions as Diesel records them.
    pub fn names() -> impl Iterator<Item = (String, &'static str)> {
        ALL.iter().map(|files| (version(files.name), files.name))
    }

    /// The statements of a migration.
    pub fn sql(&self, name: &str) -> String {
        let Some(files) = ALL.iter().find(|files| files.name == name) else { return String::new() };
        let text = if self.is_postgres { files.postgres } else { files.sqlite };
        match self.users {
            None => text.to_owned(),
            // They are there.
            Some(_) if name == DJANGO_TABLES => String::new(),
            Some(users) => self.adapt(text, users),
        }
    }

    /// SimpleJWT's two tables, for a Django database that lacks them.
    pub fn blacklist_tables(&self) -> String {
        let Some(files) = ALL.iter().find(|files| files.name == DJANGO_TABLES) else { return String::new() };
        let text = if self.is_postgres { files.postgres } else { files.sqlite };
        let begin = text.find("CREATE TABLE IF NOT EXISTS token_blacklist_outstandingtoken").unwrap_or_default();
        let text = &text[begin..];
        match self.users {
            None => text.to_owned(),
            // The column has exactly the type of the key.
            Some(users) if !users.key.is_uuid() => {
                self.adapt(text, users).replace("user_id integer", &format!("user_id {}", users.key.sql_type))
            }
            Some(users) => self.adapt(text, users),
        }
    }

    fn adapt(&self, text: &str, users: &UserTable) -> String {
        let key = format!("{} ({})", users.name.quoted(), quoted(&users.key.name));
        let text = text.replace("auth_user (id)", &key);
        if !users.key.is_uuid() {
            return text;
        }
        let uuid = if self.is_postgres { "uuid" } else { "char(32)" };
        ["user_id integer", "user_id bigint", "actor_id integer", "actor_id bigint"].iter().fold(
            text,
            |text, column| {
                let (name, _) = column.split_once(' ').unwrap_or_default();
                text.replace(column, &format!("{name} {uuid}"))
            },
        )
    }
}

/// `20261122000001`, as Diesel derives it from the name of the folder.
fn version(name: &str) -> String {
    name.split('_').next().unwrap_or_default().replace('-', "")
}

impl<DB: Backend> MigrationSource<DB> for Rendered<'_> {
    fn migrations(&self) -> migration::Result<Vec<Box<dyn Migration<DB>>>> {
        let one = |files: &Files| Box::new(One { name: Name(files.name), sql: self.sql(files.name) }) as Box<_>;
        Ok(ALL.iter().map(one).collect())
    }
}

struct One {
    name: Name,
    sql: String,
}

struct Name(&'static str);

struct InTransaction;

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl MigrationName for Name {
    fn version(&self) -> MigrationVersion<'_> {
        version(self.0).into()
    }
}

impl MigrationMetadata for InTransaction {}

impl<DB: Backend> Migration<DB> for One {
    fn run(&self, conn: &mut dyn BoxableConnection<DB>) -> migration::Result<()> {
        if self.sql.is_empty() { Ok(()) } else { Ok(conn.batch_execute(&self.sql)?) }
    }

    fn revert(&self, _: &mut dyn BoxableConnection<DB>) -> migration::Result<()> {
        Err("migrations are reverted by hand: see docs/django.md".into())
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        &InTransaction
    }

    fn name(&self) -> &dyn MigrationName {
        &self.name
    }
}
