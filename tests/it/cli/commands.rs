//! The commands that Django users know, and `check`.

use serde_json::json;

use crate::harness::binary::Latchkey;
use crate::harness::key_source::{KeySource, Signer, nobody};
use crate::harness::server::SECRET;
use crate::harness::{Backend, Pair, Server, TestDatabase};

both!(migrate_makes_the_tables_and_then_has_nothing_to_do);
fn migrate_makes_the_tables_and_then_has_nothing_to_do(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::empty(backend));
    latchkey.run(&["migrate", "--check"]).expect(1);
    latchkey.run(&["migrate", "--plan"]).expect(0).expect_words(&["Planned operations"]);
    latchkey.run(&["migrate"]).expect(0).expect_words(&["Applying", "OK"]);
    latchkey.run(&["migrate", "--check"]).expect(0);
    latchkey.run(&["migrate"]).expect(0).expect_words(&["No migrations to apply."]);
    assert_eq!(latchkey.database.count("SELECT count(*) FROM auth_user"), 0);
}

both!(migrate_refuses_a_database_without_users_with_1);
fn migrate_refuses_a_database_without_users_with_1(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::django(backend));
    let drop = backend.pick("PRAGMA foreign_keys = OFF; DROP TABLE auth_user", "DROP TABLE auth_user CASCADE");
    latchkey.database.execute(drop);
    let schema = latchkey.database.schema();
    // PostgreSQL dropped the foreign key with the table.
    let said = backend.pick("auth_user, which is no table", "user_id has no foreign key");
    latchkey.run(&["migrate"]).expect(1).expect_words(&[said]);
    latchkey.run(&["runserver", "127.0.0.1:0"]).expect(1).expect_words(&[said]);
    assert_eq!(latchkey.database.schema(), schema);
}

both!(createsuperuser_takes_everything_from_the_environment);
fn createsuperuser_takes_everything_from_the_environment(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::migrated(backend));
    latchkey.run(&["createsuperuser"]).expect(1).expect_words(&["TTY"]);
    latchkey.run(&["createsuperuser", "--noinput"]).expect(1).expect_words(&["--username"]);
    let latchkey = latchkey
        .set("DJANGO_SUPERUSER_PASSWORD", "from-django-1")
        .set("LATCHKEY_SUPERUSER_PASSWORD", "violet-harbour-17");
    let arguments = ["createsuperuser", "--noinput", "--username", "root", "--email", "root@EXAMPLE.com"];
    latchkey.run(&arguments).expect(0).expect_words(&["Superuser created successfully."]);
    latchkey.run(&arguments).expect(1).expect_words(&["already"]);
    let row = latchkey.database.text("SELECT email || is_staff || is_superuser || is_active AS t FROM auth_user");
    assert_eq!(row.as_deref(), Some(backend.pick("root@example.com111", "root@example.comtruetruetrue")));
    let server = Server::on(latchkey.database, &[]);
    Pair::of(&server.obtain("root", "violet-harbour-17"));
}

both!(makesuperuser_makes_one_and_does_nothing_the_second_time);
fn makesuperuser_makes_one_and_does_nothing_the_second_time(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::migrated(backend));
    let said = latchkey.run(&["makesuperuser"]).expect(0);
    let password = said.out.lines().find_map(|line| line.strip_prefix("Password: ")).expect("a password").to_owned();
    let again = latchkey.run(&["makesuperuser"]).expect(0);
    assert!(!again.out.contains("Password"), "{again:?}");
    assert_eq!(latchkey.database.count("SELECT count(*) FROM auth_user"), 1);
    let server = Server::on(latchkey.database, &[]);
    Pair::of(&server.obtain("admin", &password));
}

both!(changepassword_reads_the_new_one_from_stdin);
fn changepassword_reads_the_new_one_from_stdin(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let latchkey = Latchkey::on(TestDatabase::empty(backend)).set("DATABASE_URL", &server.db.url);
    latchkey
        .run(&["changepassword", "nobody", "--password-stdin"])
        .expect(1)
        .expect_words(&["nobody", "does not exist"]);
    latchkey.run(&["changepassword", "alice"]).expect(1).expect_words(&["--password-stdin"]);
    latchkey.run_with(&["changepassword", "alice", "--password-stdin"], "\n").expect(1);
    latchkey.run_with(&["changepassword", "alice", "--password-stdin"], "quiet-lantern-23\n").expect(0);
    Pair::of(&server.obtain("alice", "quiet-lantern-23"));
    server.refresh(&pair.refresh).expect(401, json!({"detail": "Token is blacklisted", "code": "token_not_valid"}));
}

both!(flushexpiredtokens_deletes_the_expired_ones_and_their_blacklist_entries);
fn flushexpiredtokens_deletes_the_expired_ones_and_their_blacklist_entries(backend: Backend) {
    // These commands have the machine's clock; the tokens of the recorded Django are long expired by it.
    let latchkey = Latchkey::on(TestDatabase::django(backend));
    latchkey.run(&["migrate"]).expect(0);
    latchkey
        .database
        .execute("UPDATE token_blacklist_outstandingtoken SET expires_at = '2999-01-01 00:00:00' WHERE id IN (5, 6)");
    latchkey.run(&["flushexpiredtokens"]).expect(0).expect_words(&["4 expired tokens"]);
    let left = |table: &str| latchkey.database.count(&format!("SELECT count(*) FROM token_blacklist_{table}token"));
    assert_eq!((left("outstanding"), left("blacklisted")), (2, 1));
    latchkey.run(&["flushexpiredtokens"]).expect(0).expect_words(&["no expired tokens"]);
}

both!(check_shows_every_setting_and_no_secret);
fn check_shows_every_setting_and_no_secret(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::empty(backend))
        .set("JWT_SIGNING_KEY", "another-key-that-must-not-be-shown-0123456789")
        .set("AUTO_MIGRATE", "false");
    latchkey.run(&["check"]).expect(1).expect_words(&["latchkey migrate"]);
    latchkey.run(&["migrate"]).expect(0);
    let said = latchkey.run(&["check"]).expect(0);
    for setting in latchkey::config::SETTINGS {
        assert!(said.out.contains(&format!("{}=", setting.name)), "{} is missing: {}", setting.name, said.out);
    }
    for secret in [SECRET, "another-key-that-must-not-be-shown-0123456789"] {
        assert!(!said.out.contains(secret) && !said.err.contains(secret), "{said:?}");
    }
}

#[test]
fn the_readme_the_example_file_and_check_name_the_same_settings_and_defaults() {
    let latchkey = Latchkey::on(TestDatabase::migrated(Backend::Sqlite));
    let said = latchkey.run(&["check"]).expect(0).out;
    let check: Vec<(&str, &str)> = said.lines().filter_map(|line| line.get(2..)?.split_once('=')).collect();
    let readme = include_str!("../../../README.md").split("<!-- settings:").nth(1).unwrap();
    let readme: Vec<(&str, &str)> = readme
        .lines()
        .filter_map(|row| row.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, rest)| (name, rest.split(" | ").next().unwrap()))
        .collect();
    let example = include_str!("../../../.env.example").lines();
    let example: Vec<(&str, &str)> = example
        .filter_map(|line| line.strip_prefix("# ")?.split_once('='))
        .filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'))
        .collect();
    let names = |settings: &[(&'static str, &str)]| settings.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(names(&readme), names(&example));
    assert_eq!(names(&readme), check.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let is_set = |name: &str| ["DATABASE_URL", "SECRET_KEY", "BCRYPT_ROUNDS"].contains(&name);
    for (((name, shown), (_, example)), (_, checked)) in readme.iter().zip(&example).zip(&check) {
        // What is worked out stands in words in the README, and the example file leaves it empty.
        let Some(default) = shown.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) else {
            assert_eq!(*example, "", "{name}");
            continue;
        };
        assert_eq!(example.trim_matches('\''), default, "{name}");
        assert!(is_set(name) || *checked == default, "{name}: check says {checked}");
    }
}

both!(check_lists_addresses_that_several_users_have);
fn check_lists_addresses_that_several_users_have(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::django(backend));
    latchkey.run(&["migrate"]).expect(0);
    latchkey.database.execute("UPDATE auth_user SET email = 'Alice@example.com' WHERE username = 'carol'");
    latchkey.run(&["check"]).expect(0).expect_words(&["alice@example.com"]);
}

#[test]
fn a_database_password_is_never_shown() {
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite))
        .set("DATABASE_URL", "postgres://latchkey:hush-hush-hush@127.0.0.1:1/nothing");
    for command in ["check", "runserver", "migrate", "makesuperuser"] {
        let said = latchkey.run(&[command]).expect(1);
        assert!(!said.out.contains("hush-hush") && !said.err.contains("hush-hush"), "{said:?}");
    }
}

#[test]
fn wrong_use_ends_with_2_and_help_with_0() {
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite));
    for wrong in [&["fly"][..], &["migrate", "--loud"], &["changepassword"], &["users"], &["runserver", "here"]] {
        latchkey.run(wrong).expect(2);
    }
    let commands = [
        "runserver",
        "migrate",
        "createsuperuser",
        "makesuperuser",
        "changepassword",
        "flushexpiredtokens",
        "check",
        "users",
    ];
    latchkey.run(&["--help"]).expect(0).expect_words(&commands);
    for command in commands {
        let said = latchkey.run(&[command, "--help"]).expect(0);
        assert!(said.out.contains("Usage: latchkey") && said.out.lines().count() > 5, "{}", said.out);
    }
    latchkey.run(&["--version"]).expect(0).expect_words(&[env!("CARGO_PKG_VERSION")]);
    assert!(!latchkey.database.file().exists());
}

#[test]
fn commands_need_a_migrated_database_and_do_not_make_one() {
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite));
    for command in [&["makesuperuser"][..], &["users", "list"], &["flushexpiredtokens"]] {
        latchkey.run(command).expect(1).expect_words(&["latchkey migrate"]);
    }
    assert!(!latchkey.database.file().exists());
}

#[test]
fn check_fetches_the_key_set_over_tls_from_a_private_authority() {
    let key = Signer::new("2026-a");
    let source = KeySource::with_tls(&[&key]);
    let latchkey = Latchkey::on(TestDatabase::migrated(Backend::Sqlite))
        .set("JWT_ALGORITHM", "EdDSA")
        .set("JWT_SIGNING_KEY", &key.pem().replace('\n', "\\n"))
        .set("JWT_JWK_URL", &format!("https://localhost:{}/jwks.json", source.port));
    latchkey.run(&["check"]).expect(0).expect_words(&["warning  key set: JWT_JWK_URL could not be fetched"]);
    let latchkey = latchkey.set("SSL_CERT_FILE", &KeySource::ca_file());
    latchkey.run(&["check"]).expect(0).expect_words(&["ok       key set: 1 key, \"2026-a\""]);
    // For another name the certificate is none.
    let latchkey = latchkey.set("JWT_JWK_URL", &format!("https://127.0.0.1:{}/jwks.json", source.port));
    latchkey.run(&["check"]).expect(0).expect_words(&["could not be fetched"]);
    let latchkey = latchkey.set("JWT_JWK_URL", &nobody());
    latchkey.run(&["check"]).expect(0).expect_words(&["could not be fetched: it cannot be reached"]);
    latchkey.set("JWT_JWK_URL", "http://example.com/").run(&["check"]).expect(1).expect_words(&["https://"]);
}
