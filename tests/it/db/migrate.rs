//! Migrations on an empty database, on a Django's, twice, and on one that is not supported.

use latchkey::db::migrations::{self, DatabaseContents, MigrateError};

use crate::harness::{Backend, TestDatabase};

const CORE: [&str; 3] = ["auth_user", "token_blacklist_outstandingtoken", "token_blacklist_blacklistedtoken"];

/// Columns of a table: name, type, whether null is allowed.
fn columns(database: &TestDatabase, table: &str) -> Vec<Option<String>> {
    database.texts(&database.backend.pick(
        format!("SELECT name || ' ' || type || ' ' || \"notnull\" || ' ' || pk AS t FROM pragma_table_info('{table}') ORDER BY name"),
        format!(
            "SELECT column_name || ' ' || data_type || ' ' || coalesce(character_maximum_length, 0) || ' ' || is_nullable || ' ' \
             || is_identity AS t FROM information_schema.columns WHERE table_name = '{table}' ORDER BY column_name"
        ),
    ))
}

/// Everything in Django's three tables.
fn content(database: &TestDatabase) -> Vec<Vec<Option<String>>> {
    [
        "SELECT concat_ws(' ', id, username, password, last_login, date_joined) AS t FROM auth_user ORDER BY id",
        "SELECT concat_ws(' ', id, jti, token, expires_at, created_at, user_id) AS t FROM token_blacklist_outstandingtoken \
         ORDER BY id",
        "SELECT concat_ws(' ', id, blacklisted_at, token_id) AS t FROM token_blacklist_blacklistedtoken ORDER BY id",
    ]
    .map(|query| database.texts(query))
    .to_vec()
}

both!(an_empty_database_gets_django_s_tables_column_for_column);
fn an_empty_database_gets_django_s_tables_column_for_column(backend: Backend) {
    let (ours, djangos) = (TestDatabase::empty(backend), TestDatabase::django(backend));
    assert!(matches!(ours.migrate().unwrap(), DatabaseContents::Empty));
    for table in CORE {
        let columns_of_ours = columns(&ours, table);
        assert!(columns_of_ours.len() >= 3, "{table}");
        assert_eq!(columns_of_ours, columns(&djangos, table), "{table}");
    }
}

both!(a_django_database_gets_only_our_tables);
fn a_django_database_gets_only_our_tables(backend: Backend) {
    let database = TestDatabase::django(backend);
    let (schema, rows) = (database.schema(), content(&database));
    assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [3, 6, 3]);
    assert!(database.migrate().unwrap().is_django());

    assert_eq!(content(&database), rows);
    let after = database.schema();
    let lost: Vec<_> = schema.iter().filter(|entry| !after.contains(entry)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let ours = |entry: &&Option<String>| {
        ["latchkey_", "__diesel", "sqlite_autoindex_latchkey_", "sqlite_autoindex___diesel"]
            .iter()
            .any(|prefix| entry.as_deref().is_some_and(|entry| entry.starts_with(prefix)))
    };
    let foreign: Vec<_> = after.iter().filter(|entry| !schema.contains(entry) && !ours(entry)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

both!(a_second_migrate_changes_nothing);
fn a_second_migrate_changes_nothing(backend: Backend) {
    for (database, is_django) in [(TestDatabase::empty(backend), false), (TestDatabase::django(backend), true)] {
        database.migrate().unwrap();
        let schema = database.schema();
        assert!(database.pending().is_empty());
        assert_eq!(database.migrate().unwrap().is_django(), is_django);
        assert_eq!(database.schema(), schema);
    }
}

both!(looking_for_pending_migrations_writes_nothing);
fn looking_for_pending_migrations_writes_nothing(backend: Backend) {
    let database = TestDatabase::empty(backend);
    assert!(!database.pending().is_empty());
    assert!(database.schema().is_empty(), "{:?}", database.schema());
}

#[track_caller]
fn assert_refused(database: &TestDatabase, words: &[&str]) {
    let schema = database.schema();
    match database.migrate() {
        Err(MigrateError::Refused(text)) => {
            for word in words {
                assert!(text.contains(word), "{word} is not in: {text}");
            }
        }
        other => panic!("not refused: {other:?}"),
    }
    assert_eq!(database.schema(), schema);
}

both!(users_without_a_password_are_refused_and_nothing_changes);
fn users_without_a_password_are_refused_and_nothing_changes(backend: Backend) {
    let database = TestDatabase::django(backend);
    let id = backend.pick("char(32)", "uuid");
    database.execute(&format!(
        "DROP TABLE token_blacklist_blacklistedtoken; DROP TABLE token_blacklist_outstandingtoken; \
         CREATE TABLE people_person (id {id} NOT NULL PRIMARY KEY, email varchar(254) NOT NULL); \
         CREATE TABLE token_blacklist_outstandingtoken (id bigint NOT NULL PRIMARY KEY, token text NOT NULL, \
         created_at timestamp NULL, expires_at timestamp NOT NULL, jti varchar(255) NOT NULL UNIQUE, \
         user_id {id} NULL REFERENCES people_person (id) DEFERRABLE INITIALLY DEFERRED); \
         CREATE TABLE token_blacklist_blacklistedtoken (id bigint NOT NULL PRIMARY KEY, blacklisted_at timestamp NOT NULL, \
         token_id bigint NOT NULL UNIQUE REFERENCES token_blacklist_outstandingtoken (id) DEFERRABLE INITIALLY DEFERRED)"
    ));
    assert_refused(&database, &["people_person", "password"]);
}

both!(a_django_without_the_token_blacklist_is_refused_and_nothing_changes);
fn a_django_without_the_token_blacklist_is_refused_and_nothing_changes(backend: Backend) {
    let database = TestDatabase::django(backend);
    database.execute("DROP TABLE token_blacklist_blacklistedtoken; DROP TABLE token_blacklist_outstandingtoken");
    assert_refused(&database, &["token_blacklist_outstandingtoken", "INSTALLED_APPS"]);
}

both!(lost_indexes_are_reported_and_made_again);
fn lost_indexes_are_reported_and_made_again(backend: Backend) {
    let database = TestDatabase::migrated(backend);
    let missing = || latchkey::db::indexes::missing(&mut database.connect(), &database.users()).unwrap();
    assert!(missing().is_empty());
    database.execute("DROP INDEX latchkey_user_lower_email");
    assert_eq!(missing(), ["latchkey_user_lower_email"]);
    database.migrate().unwrap();
    assert!(missing().is_empty());
}

both!(the_migrations_can_be_undone_and_made_again);
fn the_migrations_can_be_undone_and_made_again(backend: Backend) {
    let database = TestDatabase::django(backend);
    database.migrate().unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/");
    let mut folders: Vec<_> = std::fs::read_dir(format!("{folder}{}", backend.pick("sqlite", "postgres")))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    folders.sort_by_key(std::fs::DirEntry::file_name);
    // Ours alone: the first migration is Django's own tables, which no undo of ours may drop from under a Django.
    for folder in folders[1..].iter().rev() {
        database.execute(&std::fs::read_to_string(folder.path().join("down.sql")).unwrap());
    }
    let left = database.backend.pick(
        "SELECT name AS t FROM sqlite_master WHERE type = 'table' AND name LIKE 'latchkey!_%' ESCAPE '!'",
        "SELECT relname AS t FROM pg_class WHERE relkind = 'r' AND relname LIKE 'latchkey!_%' ESCAPE '!'",
    );
    assert_eq!(database.texts(left), []);
    database.execute("DELETE FROM __diesel_schema_migrations");
    assert_eq!(migrations::pending(&mut database.connect()).unwrap().len(), folders.len());
    database.migrate().unwrap();
}
