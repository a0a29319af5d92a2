//! A database that is locked or gone: 503 with `Retry-After`, and everything works again when it is back.

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::harness::database::postgres_url;
use crate::harness::proxy::Proxy;
use crate::harness::{Answer, Backend, Pair, Server, TestDatabase};

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    let seconds: u32 = answer.header("retry-after").expect("Retry-After").parse().unwrap();
    assert!(seconds > 0);
    let body = answer.text().to_ascii_lowercase();
    for secret in ["postgres", "sqlite", "libpq", "127.0.0.1", "locked"] {
        assert!(!body.contains(secret), "{body}");
    }
}

#[test]
fn a_server_survives_losing_postgresql() {
    let database = TestDatabase::migrated(Backend::Postgres);
    let mut url = url::Url::parse(&database.url).unwrap();
    let target = url::Url::parse(&postgres_url()).unwrap();
    let proxy = Proxy::to((target.host_str().unwrap().to_owned(), target.port().unwrap_or(5432)));
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.port)).unwrap();

    let server = Server::on(database, &[("DATABASE_URL", url.as_str())]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    proxy.cut();
    assert_unavailable(&server.refresh(&pair.refresh));
    assert_unavailable(&server.obtain("alice", crate::harness::PASSWORD));
    assert_unavailable(&server.me(&pair.access));
    server.client.post("/api/token/verify/", &json!({"token": pair.access})).expect(200, json!({}));
    server.client.get("/healthz", &[]).expect_status(200);
    server.client.get("/readyz", &[]).expect_status(503);
    proxy.mend();
    Pair::of(&server.refresh(&pair.refresh));
    server.client.get("/readyz", &[]).expect_status(200);
}

#[test]
fn a_server_survives_a_locked_sqlite_file() {
    let server = Server::start(Backend::Sqlite);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let mut other = server.db.connect();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    assert_unavailable(&server.refresh(&pair.refresh));
    // Reading goes on beside a writer.
    server.me(&pair.access).expect_status(200);
    other.batch_execute("ROLLBACK").unwrap();
    Pair::of(&server.refresh(&pair.refresh));
}

#[test]
fn a_server_notices_that_its_sqlite_file_was_moved() {
    let server = Server::start(Backend::Sqlite);
    server.add_user("alice");
    let pair = server.log_in("alice");
    // What is still in the log of writes belongs to the file.
    server.db.connect().batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let folder = server.db.folder.path();
    let file = folder.join("latchkey.sqlite3");
    std::fs::rename(&file, folder.join("away")).unwrap();
    assert_unavailable(&server.refresh(&pair.refresh));
    assert_unavailable(&server.me(&pair.access));
    assert!(!file.exists(), "an empty file was made in its place");
    // A backup is another file with the same content.
    std::fs::copy(folder.join("away"), &file).unwrap();
    let next = Pair::of(&server.refresh(&pair.refresh));
    assert_eq!(server.db.count("SELECT count(*) FROM token_blacklist_blacklistedtoken"), 1);
    Pair::of(&server.refresh(&next.refresh));
}
