//! `latchkey runserver`: the first start, the second, the refusals, the stop, and what it logs.

use serde_json::json;

use crate::harness::binary::Latchkey;
use crate::harness::{Backend, Pair, TestDatabase};

fn printed_password(said: &str) -> Option<&str> {
    said.lines().find_map(|line| line.trim().strip_prefix("Password: "))
}

#[test]
fn the_first_start_on_sqlite_makes_everything_and_says_the_password_once() {
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite)).set("SECRET_KEY", "");
    let serving = latchkey.serve();
    let password =
        printed_password(&serving.said).unwrap_or_else(|| panic!("no password: {}", serving.said)).to_owned();
    let pair = Pair::of(&serving.client.post("/api/token/", &json!({"username": "admin", "password": password})));
    serving.stop().expect(0);

    let serving = latchkey.serve();
    assert_eq!(printed_password(&serving.said), None, "{}", serving.said);
    // The key was kept: a token of before is still good.
    Pair::of(&serving.client.post("/api/token/refresh/", &json!({"refresh": pair.refresh})));
    let said = serving.stop().expect(0);
    assert_eq!(printed_password(&said.out), None);
}

#[test]
fn the_secret_key_is_kept_in_a_file_that_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite)).set("SECRET_KEY", "");
    latchkey.serve().stop().expect(0);
    let files = std::fs::read_dir(latchkey.database.folder.path()).unwrap().map(Result::unwrap);
    let key =
        files.into_iter().find(|file| file.file_name().to_string_lossy().contains("secret_key")).expect("a key file");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let key = std::fs::read_to_string(key.path()).unwrap();
    assert!(key.trim().len() >= 32);
    let said = latchkey.serve().stop().expect(0);
    assert!(!said.out.contains(key.trim()) && !said.err.contains(key.trim()));
}

#[test]
fn what_is_made_at_the_first_start_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite)).set("SECRET_KEY", "");
    let serving = latchkey.serve();
    let files: Vec<_> = std::fs::read_dir(latchkey.database.folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.iter().any(|file| file.file_name().to_string_lossy().ends_with("-wal")), "{files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{file:?}");
    }
    serving.stop().expect(0);
}

#[test]
fn postgresql_is_not_migrated_unasked_and_gets_no_user() {
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Postgres));
    latchkey.run(&["runserver", "127.0.0.1:0"]).expect(1).expect_words(&["latchkey migrate"]);
    latchkey.run(&["migrate"]).expect(0);
    let serving = latchkey.serve();
    assert!(serving.said.contains("createsuperuser"), "{}", serving.said);
    assert_eq!(latchkey.database.count("SELECT count(*) FROM auth_user"), 0);
    serving.stop().expect(0);
}

both!(beside_a_django_no_user_is_made);
fn beside_a_django_no_user_is_made(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::django(backend)).set("AUTO_MIGRATE", "true");
    latchkey.database.execute("UPDATE auth_user SET is_superuser = false");
    let serving = latchkey.serve();
    assert_eq!(printed_password(&serving.said), None, "{}", serving.said);
    assert_eq!(latchkey.database.count("SELECT count(*) FROM auth_user"), 3);
    serving.stop().expect(0);
}

both!(a_stop_finishes_what_was_begun);
fn a_stop_finishes_what_was_begun(backend: Backend) {
    use std::io::{Read, Write};
    let latchkey = Latchkey::on(TestDatabase::migrated(backend));
    latchkey.run_with(&["users", "create", "alice", "--password-stdin"], "violet-harbour-17").expect(0);
    let serving = latchkey.serve();
    let body = r#"{"username":"alice","password":"violet-harbour-17"}"#;
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
    // The request is on its way when the signal comes: its last byte follows after it.
    let (begin, end) = body.split_at(body.len() - 1);
    let head = "POST /api/token/ HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\nconnection: close";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n", body.len()).unwrap();
    // The server asks for the body: it has begun with this request.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&go_on));
    stream.write_all(begin.as_bytes()).unwrap();
    let stopped = std::thread::spawn(move || serving.stop());
    stream.write_all(end.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stopped.join().unwrap().expect(0);
}

#[test]
fn a_taken_port_is_said_and_ends_with_1() {
    let latchkey = Latchkey::on(TestDatabase::migrated(Backend::Sqlite));
    let serving = latchkey.serve();
    latchkey.run(&["runserver", &serving.port.to_string()]).expect(1).expect_words(&["already in use"]);
    serving.stop().expect(0);
}

#[test]
fn all_wrong_settings_are_told_at_once() {
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite))
        .set("PORT", "high")
        .set("JWT_ALGORITHM", "HS1")
        .set("JWT_ACCESS_TOKEN_LIFETIME", "soon")
        .set("SECRET_KEY", "short");
    let said = latchkey.run(&["runserver"]).expect(1);
    let said = said.expect_words(&["PORT", "JWT_ALGORITHM", "JWT_ACCESS_TOKEN_LIFETIME", "SECRET_KEY"]);
    assert!(!said.err.contains("panicked"), "{said:?}");
    assert!(!latchkey.database.file().exists());
}

#[test]
fn an_unknown_kind_of_database_is_refused() {
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite)).set("DATABASE_URL", "mysql://root@localhost/app");
    latchkey.run(&["runserver"]).expect(1).expect_words(&["DATABASE_URL", "postgres://"]);
}

both!(the_log_names_no_secret_and_no_search);
fn the_log_names_no_secret_and_no_search(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::migrated(backend)).set("RUST_LOG", "debug");
    latchkey.run_with(&["users", "create", "alice", "--superuser", "--password-stdin"], "violet-harbour-17").expect(0);
    let serving = latchkey.serve();
    let login =
        |password: &str| serving.client.post("/api/token/", &json!({"username": "alice", "password": password}));
    login("wrong-guess-99").expect_status(401);
    let pair = Pair::of(&login("violet-harbour-17"));
    let pair = Pair::of(&serving.client.post("/api/token/refresh/", &json!({"refresh": pair.refresh})));
    serving.client.bearer("GET", "/api/me/", &pair.access, &json!(null)).expect_status(200);
    serving.client.get(&format!("/admin/token_blacklist/outstandingtoken/?q={}", pair.refresh), &[]);
    serving.client.get("/admin/?q=who-is-looked-for", &[]);
    let said = serving.stop().expect(0);
    assert!(said.err.contains("/api/token/refresh/"), "requests are logged: {}", said.err);
    let secrets =
        [pair.access.as_str(), pair.refresh.as_str(), "violet-harbour-17", "wrong-guess-99", "who-is-looked-for"];
    for secret in secrets {
        let (out, err) = (said.out.contains(secret), said.err.contains(secret));
        assert!(!out && !err, "{secret} was said");
    }
}

#[test]
fn a_log_on_a_full_disk_does_not_stop_the_answers() {
    let latchkey = Latchkey::on(TestDatabase::migrated(Backend::Sqlite));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let serving = latchkey.serve_logging_to(full.into());
    for _ in 0..8 {
        serving.client.post("/api/token/verify/", &json!({"token": "x"})).expect_status(401);
    }
    serving.stop().expect(0);
}
