//! A user's own sessions: seen, named, ended; and nobody else's.

use serde_json::{Value, json};

use crate::harness::forge::{self, claims};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server};

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0";

fn list(server: &Server, access: &str) -> Vec<Value> {
    let answer = server.client.bearer("GET", "/api/sessions/", access, &Value::Null);
    answer.expect_status(200).json().as_array().unwrap().clone()
}

fn at(server: &Server, method: &str, id: &str, access: &str, body: &Value) -> Answer {
    server.client.bearer(method, &format!("/api/sessions/{id}/"), access, body)
}

fn sid(pair: &Pair) -> String {
    claims(&pair.access)["sid"].as_str().unwrap().to_owned()
}

fn nothing() -> Value {
    json!({"detail": "No Session matches the given query."})
}

/// Logs in with this `User-Agent`.
fn log_in_as(server: &Server, user_agent: &str) -> Pair {
    let headers = [("content-type", "application/json"), ("user-agent", user_agent)];
    let body = json!({"username": "alice", "password": PASSWORD}).to_string();
    Pair::of(&server.client.send("POST", "/api/token/", &headers, body))
}

both!(the_list_says_where_one_is_logged_in);
fn the_list_says_where_one_is_logged_in(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    server.add_user("bob");
    server.log_in("bob");
    let here = log_in_as(&server, FIREFOX);
    server.advance(1);
    let there = server.log_in("alice");
    let shown = list(&server, &here.access);
    assert_eq!(shown.len(), 2);
    let first = json!({
        "id": sid(&there), "current": false, "label": "", "device": "latchkey-tests", "ip": "127.0.0.1",
        "created_at": "2026-03-01T12:00:01.123456Z", "last_refreshed_at": null,
        "expires_at": "2026-03-02T12:00:01Z",
    });
    assert_eq!(shown[0], first);
    let second = json!({
        "id": sid(&here), "current": true, "label": "", "device": "Firefox on Windows", "ip": "127.0.0.1",
        "created_at": "2026-03-01T12:00:00.123456Z", "last_refreshed_at": null,
        "expires_at": "2026-03-02T12:00:00Z",
    });
    assert_eq!(shown[1], second);
    at(&server, "GET", &sid(&here), &here.access, &Value::Null).expect(200, second);
    server.refresh(&there.refresh).expect_status(200);
    assert_eq!(list(&server, &here.access)[0]["last_refreshed_at"], "2026-03-01T12:00:01.123456Z");
    let versioned = server.client.bearer("GET", "/api/v1/sessions", &here.access, &Value::Null);
    assert_eq!(versioned.expect_status(200).json().as_array().unwrap().len(), 2);
    server.client.get("/api/sessions/", &[]).expect_status(401);
}

both!(an_ended_session_is_gone_with_its_tokens);
fn an_ended_session_is_gone_with_its_tokens(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let (here, there) = (server.log_in("alice"), server.log_in("alice"));
    let ended = at(&server, "DELETE", &sid(&there), &here.access, &Value::Null);
    assert_eq!((ended.status, ended.text().as_str(), ended.header("content-type")), (204, "", None));
    server.refresh(&there.refresh).expect_status(401);
    server.refresh(&here.refresh).expect_status(200);
    assert_eq!(list(&server, &here.access).len(), 1);
    for method in ["GET", "PATCH", "DELETE"] {
        at(&server, method, &sid(&there), &here.access, &json!({"label": "x"})).expect(404, nothing());
    }
    let ended = "SELECT count(*) FROM latchkey_session WHERE end_reason = 'session_end' AND ended_by = 'alice'";
    assert_eq!(server.db.count(ended), 1);
    let noted = format!(
        "SELECT count(*) FROM latchkey_audit_log WHERE action = 'session.end' AND actor = 'alice' AND object = '{}'",
        sid(&there)
    );
    assert_eq!(server.db.count(&noted), 1);
    // One's own session may be ended too; the access token lives on where sessions are not checked.
    at(&server, "DELETE", &sid(&here), &here.access, &Value::Null).expect_status(204);
    assert_eq!(list(&server, &here.access), Vec::<Value>::new());
}

both!(what_is_not_ones_own_is_not_there);
fn what_is_not_ones_own_is_not_there(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    server.add_superuser("root");
    let (alice, root) = (server.log_in("alice"), server.log_in("root"));
    let unknown = "0".repeat(32);
    let long = "a".repeat(10_000);
    let hostile =
        ["%00", "a%00b", "%F0%9F%98%80", "%ff", "%27%20OR%201=1", "..", "%2e%2e", "-1", "a%2Fb", long.as_str()];
    for id in [sid(&alice).as_str(), unknown.as_str(), &sid(&root).to_uppercase()].into_iter().chain(hostile) {
        for method in ["GET", "PATCH", "DELETE"] {
            let answer = at(&server, method, id, &root.access, &json!({"label": ["bad"]}));
            assert_eq!(answer.status, 404, "{method} {id}: {}", answer.text());
            if !id.contains("%2") && id != ".." {
                assert_eq!(answer.json(), nothing(), "{method} {id}");
            }
        }
    }
    assert_eq!(list(&server, &alice.access).len(), 1);
}

both!(a_label_is_a_text_of_up_to_100_characters);
fn a_label_is_a_text_of_up_to_100_characters(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let set = |label: Value| at(&server, "PATCH", &sid(&pair), &pair.access, &json!({"label": label}));
    let label = |answer: &Answer| answer.expect_status(200).json()["label"].clone();
    for (given, kept) in [
        (json!("  my laptop\n"), "my laptop"),
        (json!("<script>alert('1')</script>"), "<script>alert('1')</script>"),
        (json!("ä".repeat(100)), &"ä".repeat(100)),
        (json!(7), "7"),
        (json!(" "), ""),
    ] {
        assert_eq!(label(&set(given)), kept);
        assert_eq!(list(&server, &pair.access)[0]["label"], kept);
    }
    for (given, fault) in [
        (json!("ä".repeat(101)), "Ensure this field has no more than 100 characters."),
        (json!("a\0b"), "Null characters are not allowed."),
        (Value::Null, "This field may not be null."),
        (json!(true), "Not a valid string."),
        (json!([]), "Not a valid string."),
    ] {
        set(given).expect(400, json!({"label": [fault]}));
    }
    // Nothing to change is no mistake, and nothing else can be changed.
    set(json!("kept"));
    let other = json!({"id": "0", "ip": "1.1.1.1"});
    assert_eq!(label(&at(&server, "PATCH", &sid(&pair), &pair.access, &other)), "kept");
    assert_eq!(list(&server, &pair.access)[0]["ip"], "127.0.0.1");
}

both!(methods_are_those_of_the_path);
fn methods_are_those_of_the_path(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let one = format!("/api/sessions/{}/", sid(&pair));
    for (path, allow) in [("/api/sessions/", "GET, HEAD, OPTIONS"), (one.as_str(), "GET, PATCH, DELETE, HEAD, OPTIONS")]
    {
        let put = server.client.bearer("PUT", path, &pair.access, &json!({}));
        assert_eq!(put.header("allow"), Some(allow));
        put.expect(405, json!({"detail": "Method \"PUT\" not allowed."}));
        let options = server.client.bearer("OPTIONS", path, &pair.access, &Value::Null);
        assert_eq!(options.header("allow"), Some(allow));
        assert!(options.expect_status(200).json().get("actions").is_none());
        server.client.bearer("HEAD", path, &pair.access, &Value::Null).expect_status(200);
        server.client.send("OPTIONS", path, &[], "").expect_status(401);
    }
    server.client.bearer("DELETE", "/api/sessions/", &pair.access, &Value::Null).expect_status(405);
}

both!(a_token_that_does_not_name_its_session_leaves_the_current_one_open);
fn a_token_that_does_not_name_its_session_leaves_the_current_one_open(backend: Backend) {
    let settings = [("JWT_SESSION_CLAIM", "none"), ("JWT_AUTH_TOKEN_CLASSES", "access,sliding")];
    let server = Server::with(backend, &settings);
    server.add_user("alice");
    let pair = server.log_in("alice");
    server.advance(1);
    let login = json!({"username": "alice", "password": PASSWORD});
    let sliding = server.client.post("/api/token/sliding/", &login).json()["token"].as_str().unwrap().to_owned();
    let current = |token: &str| list(&server, token).iter().map(|one| one["current"].clone()).collect::<Vec<_>>();
    assert_eq!(current(&pair.access), [Value::Null, Value::Null]);
    // A sliding token is on record, and so is its session.
    assert_eq!(current(&sliding), [json!(true), json!(false)]);
    let own = list(&server, &sliding)[0]["id"].as_str().unwrap().to_owned();
    at(&server, "DELETE", &own, &sliding, &Value::Null).expect_status(204);
    server.me(&sliding).expect_status(401);
}

both!(sessions_that_are_over_by_themselves_are_not_listed);
fn sessions_that_are_over_by_themselves_are_not_listed(backend: Backend) {
    let server = Server::with(backend, &[("SESSION_IDLE_TIMEOUT", "1h"), ("JWT_REFRESH_TOKEN_LIFETIME", "2h")]);
    let alice = server.add_user("alice");
    let old = server.log_in("alice");
    server.advance(3600);
    let access =
        forge::token("access", alice.id, |claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() + 9000));
    assert_eq!(list(&server, &access), Vec::<Value>::new());
    at(&server, "DELETE", &sid(&old), &access, &Value::Null).expect(404, nothing());
    server.log_in("alice");
    assert_eq!(list(&server, &access).len(), 1);
    server.advance(3599);
    assert_eq!(list(&server, &access)[0]["current"], Value::Null);
}

both!(the_pages_lead_from_the_list_to_each_session);
fn the_pages_lead_from_the_list_to_each_session(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    at(&server, "PATCH", &sid(&pair), &pair.access, &json!({"label": "<b>mine</b>"})).expect_status(200);
    let page = |path: &str, fields: &[(&str, &str)]| {
        let all: Vec<_> = [("_access_token", pair.access.as_str())].iter().chain(fields).copied().collect();
        let headers = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
        server.client.send("POST", path, &headers, crate::harness::http::form(&all))
    };
    let one = format!("/api/sessions/{}/", sid(&pair));
    let shown = page("/api/sessions/", &[("_method", "GET")]);
    let text = shown.expect_status(200).text();
    assert!(text.contains(&format!("action=\"{one}\"")) && !text.contains("<b>mine"), "{text}");
    let text = page(&one, &[("_method", "PATCH"), ("label", "yours")]).expect_status(200).text();
    assert!(text.contains("value=\"yours\"") && text.contains("value=\"DELETE\""), "{text}");
    assert_eq!(list(&server, &pair.access)[0]["label"], "yours");
    let text = page(&one, &[("_method", "DELETE"), ("label", "")]).expect_status(200).text();
    assert!(text.contains("204 No Content"), "{text}");
    page(&one, &[("_method", "GET")]).expect_status(404);
}
