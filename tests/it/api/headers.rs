//! Headers of the answers: what browsers need to be safe, what proxies must not keep, what SimpleJWT sends.

use serde_json::json;

use crate::harness::{Backend, Server};

const ON_EVERY_ANSWER: [(&str, &str); 4] = [
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

both!(security_headers_are_on_every_answer);
fn security_headers_are_on_every_answer(backend: Backend) {
    let server = Server::start(backend);
    for path in
        ["/api/token/", "/api/me/", "/api/nothing/", "/nothing", "/admin/", "/admin/login/", "/healthz", "/readyz"]
    {
        let answer = server.client.get(path, &[]);
        for (name, value) in ON_EVERY_ANSWER {
            assert_eq!(answer.header(name), Some(value), "{name} of {path}: {}", answer.status);
        }
    }
}

both!(answers_with_tokens_are_not_stored_by_anybody);
fn answers_with_tokens_are_not_stored_by_anybody(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let obtained = server.obtain("alice", crate::harness::PASSWORD);
    assert_eq!(obtained.expect_status(200).header("cache-control"), Some("no-store"));
    let refreshed = server.refresh(obtained.json()["refresh"].as_str().unwrap());
    assert_eq!(refreshed.expect_status(200).header("cache-control"), Some("no-store"));
    assert!(obtained.header("set-cookie").is_none());
}

both!(simplejwt_s_headers_are_there);
fn simplejwt_s_headers_are_there(backend: Backend) {
    let server = Server::start(backend);
    let answer = server.client.post("/api/token/", &json!({}));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
    assert_eq!(answer.header("vary"), Some("Accept, origin"));
    let answer = server.client.get("/api/token/", &[]);
    answer.expect(405, json!({"detail": "Method \"GET\" not allowed."}));
}

both!(other_hosts_are_not_answered_except_by_the_health_checks);
fn other_hosts_are_not_answered_except_by_the_health_checks(backend: Backend) {
    let server = Server::start(backend);
    let with_host = |path: &str| server.client.get(path, &[("host", "evil.example")]).status;
    assert_eq!(with_host("/api/me/"), 400);
    assert_eq!(with_host("/admin/login/"), 400);
    assert_eq!(with_host("/healthz"), 200);
    assert_eq!(with_host("/readyz"), 200);
}
