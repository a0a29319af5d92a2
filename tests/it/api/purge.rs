//! What has expired goes away by itself, and nothing that still means something goes with it.

use latchkey::db::exclusive::{self, Task};
use latchkey::tokens::purge::{Purged, purge};
use serde_json::json;

use crate::harness::{Backend, PASSWORD, Pair, Server};

const DAY: i64 = 24 * 3600;

fn purged(server: &Server) -> Purged {
    server.wait(purge(&server.app)).unwrap()
}

fn count(server: &Server, table: &str) -> i64 {
    server.db.count(&format!("SELECT count(*) FROM {table}"))
}

both!(expired_tokens_and_sessions_are_deleted);
fn expired_tokens_and_sessions_are_deleted(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let first = server.log_in("alice");
    let second = Pair::of(&server.refresh(&first.refresh));
    server.advance(DAY - 1);
    assert_eq!(purged(&server), Purged::default());
    let third = Pair::of(&server.refresh(&second.refresh));
    server.advance(1);
    assert_eq!(purged(&server), Purged { tokens: 2, sessions: 0 });
    assert_eq!(count(&server, "latchkey_token"), 1);
    Pair::of(&server.refresh(&third.refresh));
    server.advance(DAY);
    assert_eq!(purged(&server), Purged { tokens: 2, sessions: 1 });
    for table in ["token_blacklist_outstandingtoken", "token_blacklist_blacklistedtoken", "latchkey_session"] {
        assert_eq!(count(&server, table), 0, "{table}");
    }
}

both!(an_ended_session_is_remembered_as_long_as_a_copy_of_its_token_could_live);
fn an_ended_session_is_remembered_as_long_as_a_copy_of_its_token_could_live(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    server.advance(DAY - 1);
    server
        .client
        .bearer("POST", "/api/logout/", &server.log_in("alice").access, &json!({"all": true}))
        .expect_status(200);
    server.advance(2);
    assert_eq!(purged(&server), Purged { tokens: 1, sessions: 0 }, "{}", pair.refresh);
    server.advance(DAY);
    assert_eq!(purged(&server), Purged { tokens: 1, sessions: 2 });
}

both!(a_revoked_sliding_token_is_not_forgotten_while_it_could_still_be_used);
fn a_revoked_sliding_token_is_not_forgotten_while_it_could_still_be_used(backend: Backend) {
    let server = Server::with(backend, &[("JWT_AUTH_TOKEN_CLASSES", "sliding")]);
    server.add_user("alice");
    let login = json!({"username": "alice", "password": PASSWORD});
    let token = server.client.post("/api/token/sliding/", &login).json()["token"].as_str().unwrap().to_owned();
    // As Django records it: with its first `exp`.
    let first_exp = if backend == Backend::Sqlite { "'2026-03-01 12:05:00'" } else { "'2026-03-01 12:05:00+00'" };
    server.db.execute(&format!("UPDATE token_blacklist_outstandingtoken SET expires_at = {first_exp}"));
    server.advance(200);
    let later = server.client.post("/api/token/sliding/refresh/", &json!({"token": token})).json();
    let later = later["token"].as_str().unwrap();
    server.client.bearer("POST", "/api/logout/", later, &json!({"all": true})).expect_status(200);
    server.advance(200);
    assert_eq!(purged(&server).tokens, 0);
    server.me(later).expect_status(401);
    server.client.post("/api/token/sliding/refresh/", &json!({"token": later})).expect_status(401);
    server.advance(2 * DAY);
    assert_eq!(purged(&server).tokens, 1);
}

#[test]
fn one_instance_purges_at_a_time() {
    let server = Server::start(Backend::Postgres);
    server.add_user("alice");
    server.log_in("alice");
    server.advance(DAY);
    let other = server.db.doors();
    let (taken, is_taken) = std::sync::mpsc::channel();
    let (go_on, may_end) = std::sync::mpsc::channel::<()>();
    let may_end = std::sync::Mutex::new(may_end);
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(other.write(move |conn| {
                let free = exclusive::try_start(conn, Task::Purge)?;
                taken.send(free).unwrap();
                may_end.lock().unwrap().recv().unwrap();
                Ok::<_, latchkey::db::DbError>(())
            }))
        });
        assert!(is_taken.recv().unwrap());
        assert_eq!(purged(&server), Purged::default());
        go_on.send(()).unwrap();
        holder.join().unwrap().unwrap();
    });
    assert_eq!(purged(&server), Purged { tokens: 1, sessions: 1 });
}
