//! Headers of the answers: what browsers need to be safe, what proxies must not keep, what SimpleJWT sends.

use serde_json::json;

use crate::harness::{Backend, Server, wire};

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

#[test]
fn a_host_in_the_address_must_be_ours_as_well_as_the_header() {
    let server = Server::start(Backend::Sqlite);
    for (address, host, status) in [
        ("http://localhost/nothing", "localhost", "404"),
        ("http://evil.example/nothing", "localhost", "400"),
        ("http://localhost/nothing", "evil.example", "400"),
    ] {
        let request = format!("GET {address} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = wire(server.port, request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{address} {host}: {answer}");
    }
}

#[test]
fn pages_outside_the_panel_may_not_load_or_be_framed_either() {
    let server = Server::start(Backend::Sqlite);
    for headers in [&[("host", "evil.example")][..], &[]] {
        let answer = server.client.get("/nothing", headers);
        assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn an_encoded_address_does_not_share_the_panel_with_other_origins() {
    let server = Server::with(Backend::Sqlite, &[("CORS_ALLOWED_ORIGINS", "https://app.example.com")]);
    let shared = |path: &str| {
        let answer = server.client.get(path, &[("origin", "https://app.example.com")]);
        answer.header("access-control-allow-origin").is_some()
    };
    assert!(shared("/api/token/"));
    assert!(!shared("/admin/login/") && !shared("/%61dmin/login/") && !shared("/%61dmin/%6cogin/"));
}
