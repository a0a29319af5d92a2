//! A separate database for every test: a copy of a template that is made once per process.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use latchkey::config::{Config, Database, DatabaseUrl};
use latchkey::db::migrations::{self, DatabaseContents, MigrateError, blacklist};
use latchkey::db::types::Instant;
use latchkey::db::user_table::UserTable;
use latchkey::db::{Conn, Db};
use tempfile::TempDir;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// What differs between the two.
    pub fn pick<T>(self, sqlite: T, postgres: T) -> T {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}

const FILE: &str = "latchkey.sqlite3";

/// A database that is deleted after its test.
pub struct TestDatabase {
    pub backend: Backend,
    /// As in `DATABASE_URL`.
    pub url: String,
    /// The folder of the SQLite file; a test may store other files in it.
    pub folder: TempDir,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);
/// The bytes of a migrated file. Made once per process, so it outlives every test's folder.
static SQLITE_TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
/// The name of a migrated database. It is deleted with the server that `scripts/test` started.
static POSTGRES_TEMPLATE: OnceLock<String> = OnceLock::new();

impl TestDatabase {
    /// A database without tables.
    pub fn empty(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match backend {
            Backend::Sqlite => format!("sqlite:///{}", folder.path().join(FILE).display()),
            Backend::Postgres => with_name(&postgres_url(), &create("template0")),
        };
        Self { backend, url, folder }
    }

    /// A database with Latchkey's tables and no users.
    pub fn migrated(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let template = SQLITE_TEMPLATE.get_or_init(|| {
                    let template = Self::empty(backend);
                    template.migrate().unwrap();
                    std::fs::read(template.file()).unwrap()
                });
                let database = Self::empty(backend);
                std::fs::write(database.file(), template).unwrap();
                database
            }
            Backend::Postgres => {
                let template = POSTGRES_TEMPLATE.get_or_init(|| {
                    let template = Self::empty(backend);
                    template.migrate().unwrap();
                    create(template.name())
                });
                let url = with_name(&postgres_url(), &create(template));
                Self { backend, url, folder: tempfile::tempdir().unwrap() }
            }
        }
    }

    /// A database as Django and SimpleJWT leave it, with users and tokens (see `data/record_django.py`).
    pub fn django(backend: Backend) -> Self {
        let database = Self::empty(backend);
        let dump = backend.pick(include_str!("../data/django_sqlite.sql"), include_str!("../data/django_postgres.sql"));
        // The dump creates tables in the order of their names, so a row may come before the one that it refers to.
        database.execute(&format!("{}{dump}", backend.pick("PRAGMA foreign_keys = OFF;", "")));
        database
    }

    /// The SQLite file.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// The name of the PostgreSQL database.
    pub fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }

    /// A connection for the test, separate from the server's.
    pub fn connect(&self) -> Conn {
        match self.backend {
            Backend::Sqlite => {
                let mut conn = SqliteConnection::establish(self.file().to_str().unwrap()).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
                Conn::Sqlite(conn)
            }
            Backend::Postgres => Conn::Postgres(PgConnection::establish(&self.url).unwrap()),
        }
    }

    /// The server's access to this database, without the rest of the server.
    pub fn doors(&self) -> Db {
        let url = match self.backend {
            Backend::Sqlite => DatabaseUrl::Sqlite(self.file()),
            Backend::Postgres => DatabaseUrl::Postgres(self.url.clone().into()),
        };
        Db::new(&Database { url, pool_size: 4, auto_migrate: false }).unwrap()
    }

    /// Runs what `latchkey migrate` runs.
    pub fn migrate(&self) -> Result<DatabaseContents, MigrateError> {
        migrations::run(&mut self.doors().open().unwrap(), &config(), &mut |_| ())
    }

    /// Creates SimpleJWT's tables where a Django database lacks them; `false` if it does not.
    pub fn create_blacklist_tables(&self, now: Instant) -> bool {
        blacklist::create(&mut self.doors().open().unwrap(), &config(), now).unwrap()
    }

    /// Where this database has its users.
    pub fn users(&self) -> UserTable {
        UserTable::resolve(&mut self.connect(), &config()).unwrap()
    }

    /// Lists what `latchkey migrate --plan` shows.
    pub fn pending(&self) -> Vec<String> {
        migrations::pending(&mut self.doors().open().unwrap()).unwrap()
    }

    /// Executes statements.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        self.connect().batch_execute(sql).unwrap();
    }

    /// Runs a query that returns one number.
    #[track_caller]
    pub fn count(&self, sql: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let query = diesel::sql_query(format!("SELECT CAST(({sql}) AS bigint) AS n"));
        query.get_result::<Row>(&mut self.connect()).unwrap().n
    }

    /// Returns the first column of a query's rows, as text.
    #[track_caller]
    pub fn texts(&self, sql: &str) -> Vec<Option<String>> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Nullable<Text>)]
            t: Option<String>,
        }
        let query = diesel::sql_query(format!("SELECT CAST(t AS TEXT) AS t FROM ({sql}) AS rows(t)"));
        let query = match self.backend {
            Backend::Postgres => query,
            // SQLite does not let the columns of a subquery be renamed from outside: the query itself has to say `AS
            // t`.
            Backend::Sqlite => diesel::sql_query(format!("SELECT CAST(t AS TEXT) AS t FROM ({sql})")),
        };
        query.load::<Row>(&mut self.connect()).unwrap().into_iter().map(|row| row.t).collect()
    }

    /// Runs a query that returns one text, named `AS t`.
    #[track_caller]
    pub fn text(&self, sql: &str) -> Option<String> {
        self.texts(sql).into_iter().next().expect("a row")
    }

    /// The definitions of all tables, indexes and columns, to check that nothing changed.
    pub fn schema(&self) -> Vec<Option<String>> {
        self.texts(self.backend.pick(
            "SELECT name || ': ' || coalesce(sql, '') AS t FROM sqlite_master ORDER BY name",
            "SELECT relname || ' ' || relkind::text || ' ' || coalesce(string_agg(attname || ' ' || atttypid::regtype || ' ' \
             || attnotnull, ', ' ORDER BY attnum), '') AS t FROM pg_class c LEFT JOIN pg_attribute a ON attrelid = c.oid \
             WHERE relnamespace = 'public'::regnamespace GROUP BY c.oid, relname, relkind ORDER BY relname",
        ))
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.backend == Backend::Postgres && !std::thread::panicking() {
            server_wide(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name()));
        }
    }
}

/// The server that `scripts/test` started.
#[expect(clippy::disallowed_methods, reason = "the tests have no settings but this one")]
pub fn postgres_url() -> String {
    std::env::var("LATCHKEY_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("these tests need a PostgreSQL in LATCHKEY_TEST_POSTGRES_URL; run scripts/test, which starts one")
    })
}

/// Creates a PostgreSQL database and returns its name.
fn create(template: &str) -> String {
    let name = format!("latchkey_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    server_wide(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
    name
}

/// Runs one statement on the PostgreSQL server's own database.
fn server_wide(sql: &str) {
    PgConnection::establish(&postgres_url()).unwrap().batch_execute(sql).unwrap();
}

fn with_name(url: &str, name: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    url.set_path(name);
    url.into()
}

/// The settings as they are by default.
fn config() -> Config {
    Config::load(&|name| (name == "SECRET_KEY").then(|| "k".repeat(32))).unwrap()
}
