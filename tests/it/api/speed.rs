//! How many statements a request may cost. A number is raised only with a reason.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use latchkey::db::Event;
use serde_json::{Value, json};

use crate::harness::server::SECRET;
use crate::harness::{Backend, Server};

#[track_caller]
fn assert_at_most<T>(server: &Server, budget: u64, what: &str, request: impl FnOnce() -> T) {
    let before = server.app.db.statements();
    request();
    let spent = server.app.db.statements() - before;
    assert!(spent <= budget, "{what}: {spent} statements, {budget} allowed");
}

both!(requests_keep_to_their_budget_of_statements);
fn requests_keep_to_their_budget_of_statements(backend: Backend) {
    let client = [("INTROSPECTION_CLIENT_ID", "api"), ("INTROSPECTION_CLIENT_SECRET", SECRET)];
    let server = Server::with(backend, &client);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let verify = |token: &str| {
        server.client.post("/api/token/verify/", &json!({"token": token})).expect_status(200);
    };
    assert_at_most(&server, 0, "verify of an access token", || verify(&pair.access));
    assert_at_most(&server, 1, "verify of a refresh token", || verify(&pair.refresh));
    assert_at_most(&server, 1, "me", || server.me(&pair.access).expect_status(200).status);
    let introspect = |token: &str| {
        let body = json!({"token": token, "client_id": "api", "client_secret": SECRET});
        assert_eq!(server.client.post("/api/token/introspect/", &body).json()["active"], true);
    };
    assert_at_most(&server, 2, "introspection of an access token", || introspect(&pair.access));
    assert_at_most(&server, 2, "introspection of a refresh token", || introspect(&pair.refresh));
    let sessions = || server.client.bearer("GET", "/api/sessions/", &pair.access, &Value::Null).json();
    assert_at_most(&server, 2, "sessions", sessions);
    let one = format!("/api/sessions/{}/", sessions()[0]["id"].as_str().unwrap());
    let rename = || server.client.bearer("PATCH", &one, &pair.access, &json!({"label": "x"})).expect_status(200).status;
    assert_at_most(&server, 4, "name of a session", rename);
    let other = server.log_in("alice");
    let revoke =
        || server.client.post("/api/token/revoke/", &json!({"token": other.refresh})).expect_status(200).status;
    assert_at_most(&server, 10, "revocation", revoke);
    assert_at_most(&server, 8, "refresh", || server.refresh(&pair.refresh).expect_status(200).status);
    server.advance(3600);
    // Of these, two count the try before the hash, two take it back after it, one asks whether the address is known, one
    // notes the device, and one asks whether there is a second factor or must be: beside a hash of a quarter of a second.
    assert_at_most(&server, 15, "login", || server.log_in("alice"));
    server.advance(3600);
    let app = server.enrol_totp("alice");
    // A login that waits: no session and no token, but the challenge, and what the user has.
    assert_at_most(&server, 12, "login that waits", || server.challenge("alice"));
    let (challenge, code) = (server.challenge("alice"), server.totp(&app));
    // Found and counted before it is looked at; then spent, and the rest of the login.
    let finish = || server.answer(&challenge, "totp", &code).expect_status(200).status;
    assert_at_most(&server, 20, "second factor", finish);
    assert_at_most(&server, 6, "login by nobody", || server.obtain("nobody", "x").expect_status(401).status);
}

both!(list_pages_keep_to_four_statements_beside_the_session);
fn list_pages_keep_to_four_statements_beside_the_session(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    for name in ["alice", "bob", "carol"] {
        server.add_user(name);
        let pair = server.log_in(name);
        server.refresh(&pair.refresh).expect_status(200);
    }
    let mut panel = server.panel_of("root");
    for path in [
        "/admin/auth/user/",
        "/admin/auth/user/?q=ali",
        "/admin/token_blacklist/outstandingtoken/",
        "/admin/token_blacklist/outstandingtoken/?q=alice",
        "/admin/token_blacklist/blacklistedtoken/",
        "/admin/token_blacklist/blacklistedtoken/?q=alice",
    ] {
        assert_at_most(&server, 4 + 1, path, || panel.get(path).expect_status(200).status);
    }
}

both!(a_refresh_and_a_login_prepare_each_statement_once);
fn a_refresh_and_a_login_prepare_each_statement_once(backend: Backend) {
    let server = Server::start(backend);
    let seen = Arc::new(Mutex::new((BTreeSet::new(), BTreeSet::new())));
    let shared = Arc::clone(&seen);
    server.app.db.observe(Box::new(move |event| {
        let mut seen = shared.lock().unwrap();
        match event {
            Event::Starts(sql) => drop(seen.0.insert(sql.to_owned())),
            Event::Keeps(sql) => drop(seen.1.insert(sql.to_owned())),
            Event::Ends(_) => {}
        }
    }));
    server.add_user("alice");
    seen.lock().unwrap().0.clear();
    let pair = server.log_in("alice");
    server.refresh(&pair.refresh).expect_status(200);
    let seen = seen.lock().unwrap();
    let is_frame = |sql: &str| ["BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"].iter().any(|word| sql.starts_with(word));
    let parsed_anew: Vec<_> = seen.0.difference(&seen.1).filter(|sql| !is_frame(sql)).collect();
    assert!(parsed_anew.is_empty(), "{parsed_anew:#?}");
}
