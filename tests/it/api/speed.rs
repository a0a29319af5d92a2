//! How many statements a request may cost. A number is raised only with a reason.

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
    assert_at_most(&server, 8, "revocation", revoke);
    assert_at_most(&server, 7, "refresh", || server.refresh(&pair.refresh).expect_status(200).status);
    server.advance(3600);
    assert_at_most(&server, 6, "login", || server.log_in("alice"));
    assert_at_most(&server, 1, "login by nobody", || server.obtain("nobody", "x").expect_status(401).status);
}

both!(list_pages_keep_to_three_statements_beside_the_session);
fn list_pages_keep_to_three_statements_beside_the_session(backend: Backend) {
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
        assert_at_most(&server, 3 + 1, path, || panel.get(path).expect_status(200).status);
    }
}
