//! What no client should send: each gets SimpleJWT's own error, never a 500, and the server goes on as before.

use serde_json::{Value, json};

use crate::harness::forge;
use crate::harness::server::{NOW, SECRET};
use crate::harness::{Backend, PASSWORD, Server, wire};

const JSON: &str = "application/json";
const NO_ACCOUNT: &str = "No active account found with the given credentials";

/// A body that a table row expects; `"…"` at the end of a text stands for any rest.
#[track_caller]
fn assert_like(what: &str, actual: (u16, &Value), expected: (u16, &Value)) {
    let prefix = expected.1["detail"].as_str().and_then(|detail| detail.strip_suffix('…'));
    if let (Some(prefix), Some(detail)) = (prefix, actual.1["detail"].as_str()) {
        assert!(actual.0 == expected.0 && detail.starts_with(prefix), "{what}: {actual:?}");
    } else {
        assert_eq!(actual, expected, "{what}");
    }
}

both!(malformed_bodies_get_the_errors_of_the_rest_framework);
fn malformed_bodies_get_the_errors_of_the_rest_framework(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let parse_error = || json!({"detail": "JSON parse error - …"});
    let both_required = || json!({"username": ["This field is required."], "password": ["This field is required."]});
    let no_object =
        |kind: &str| json!({"non_field_errors": [format!("Invalid data. Expected a dictionary, but got {kind}.")]});
    let unsupported = |kind: &str| json!({"detail": format!("Unsupported media type \"{kind}\" in request.")});
    let table: Vec<(&str, &[u8], u16, Value)> = vec![
        (JSON, b"{\"username\": \"alice\"", 400, parse_error()),
        (JSON, b"not json", 400, parse_error()),
        (JSON, b"{} {}", 400, parse_error()),
        (JSON, b"{'username': 'alice'}", 400, parse_error()),
        (JSON, b"{\"username\": NaN}", 400, parse_error()),
        (JSON, b"\xff\xfe{\0}\0", 400, parse_error()),
        (JSON, b"{\"username\": \"\xff\", \"password\": \"x\"}", 400, parse_error()),
        (JSON, b"\xef\xbb\xbf{}", 400, parse_error()),
        (JSON, b"   ", 400, parse_error()),
        (JSON, b"", 400, both_required()),
        ("text/plain", b"", 400, both_required()),
        (JSON, b"{}", 400, both_required()),
        (JSON, b"[]", 400, no_object("list")),
        (JSON, b"\"alice\"", 400, no_object("str")),
        (JSON, b"true", 400, no_object("bool")),
        (JSON, b"null", 400, json!({"non_field_errors": ["No data provided"]})),
        (
            JSON,
            br#"{"username": true, "password": []}"#,
            400,
            json!({"username": ["Not a valid string."], "password": ["Not a valid string."]}),
        ),
        (JSON, br#"{"username": {"a": 1}, "password": "x"}"#, 400, json!({"username": ["Not a valid string."]})),
        (JSON, br#"{"username": null, "password": "x"}"#, 400, json!({"username": ["This field may not be null."]})),
        (JSON, br#"{"username": " ", "password": "x"}"#, 400, json!({"username": ["This field may not be blank."]})),
        (
            JSON,
            br#"{"username": "a\u0000b", "password": "x"}"#,
            400,
            json!({"username": ["Null characters are not allowed."]}),
        ),
        (JSON, br#"{"username": 1e400, "password": "x"}"#, 401, json!({"detail": NO_ACCOUNT})),
        (JSON, br#"{"username": "' OR 1=1 --", "password": "x"}"#, 401, json!({"detail": NO_ACCOUNT})),
        ("text/plain", b"{}", 415, unsupported("text/plain")),
        ("json", b"{}", 415, unsupported("json")),
        (
            "application/x-www-form-urlencoded",
            b"username=%00&password=x",
            400,
            json!({"username": ["Null characters are not allowed."]}),
        ),
        ("application/x-www-form-urlencoded", b"username=%FF%FE&password=x", 401, json!({"detail": NO_ACCOUNT})),
    ];
    for (kind, body, status, expected) in table {
        let answer = server.client.send("POST", "/api/token/", &[("content-type", kind)], body);
        let what = format!("{kind}: {}", String::from_utf8_lossy(body));
        assert!(answer.status < 500, "{what}: {answer:?}");
        assert_like(&what, (answer.status, &answer.json()), (status, &expected));
    }
    server.log_in("alice");
}

both!(huge_and_deep_bodies_are_refused);
fn huge_and_deep_bodies_are_refused(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let long = "z".repeat(100 * 1024);
    server.obtain(&long, "x").expect(401, json!({"detail": NO_ACCOUNT}));
    server.obtain("alice", &long).expect(401, json!({"detail": NO_ACCOUNT}));
    let nested = "[".repeat(100_000);
    let answer = server.client.send("POST", "/api/token/", &[("content-type", JSON)], nested);
    answer.expect_status(400);
    // Over 128 KiB, for each kind of body and with and without a declared length.
    for kind in [JSON, "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let head =
            format!("POST /api/token/ HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\nconnection: close\r\n");
        let body = "z".repeat(130 * 1024);
        let declared = wire(server.port, format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
        let chunk = format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        for answer in [declared, wire(server.port, chunk.as_bytes())] {
            let status = answer.split(' ').nth(1);
            assert!(matches!(status, Some("400" | "413")), "{kind}: {answer}");
        }
    }
    server.log_in("alice");
}

both!(forged_tokens_are_refused_in_the_words_of_simplejwt);
fn forged_tokens_are_refused_in_the_words_of_simplejwt(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("alice").id;
    let good = server.log_in("alice").refresh;
    let (unsigned, signature) = good.rsplit_once('.').unwrap();
    let claims = forge::claims(&good);
    let with_header = |header: Value| forge::sign(&header, &claims, SECRET);
    let with = |name: &str, value: Value| forge::token("refresh", user, |claims| claims[name] = value);
    let without =
        |name: &str| forge::token("refresh", user, |claims| drop(claims.as_object_mut().unwrap().remove(name)));
    let raw = |payload: &[u8]| forge::sign_raw(br#"{"alg":"HS256","typ":"JWT"}"#, payload, SECRET);
    let table: Vec<(&str, String, &str)> = vec![
        ("garbage", "garbage".into(), "Token is invalid"),
        ("dots", "..".into(), "Token is invalid"),
        ("cyrillic", "ключ.токен.подпись".into(), "Token is invalid"),
        ("truncated", good[..good.len() - 5].into(), "Token is invalid"),
        ("unsigned", unsigned.into(), "Token is invalid"),
        ("empty signature", format!("{unsigned}."), "Token is invalid"),
        ("four parts", format!("{good}.{signature}"), "Token is invalid"),
        ("wrong key", forge::sign(&json!({"alg": "HS256", "typ": "JWT"}), &claims, &SECRET[1..]), "Token is invalid"),
        (
            "alg none",
            format!("{}.", with_header(json!({"alg": "none"})).rsplit_once('.').unwrap().0),
            "Token is invalid",
        ),
        ("alg none, signed", with_header(json!({"alg": "none"})), "Token is invalid"),
        ("alg HS512", with_header(json!({"alg": "HS512"})), "Token is invalid"),
        ("alg RS256", with_header(json!({"alg": "RS256"})), "Token is invalid"),
        ("alg lower", with_header(json!({"alg": "hs256"})), "Token is invalid"),
        ("alg list", with_header(json!({"alg": ["HS256"]})), "Token is invalid"),
        ("no alg", with_header(json!({"typ": "JWT"})), "Token is invalid"),
        ("header is a list", with_header(json!([])), "Token is invalid"),
        ("crit", with_header(json!({"alg": "HS256", "crit": ["x"]})), "Token is invalid"),
        ("kid number", with_header(json!({"alg": "HS256", "kid": 1})), "Token is invalid"),
        ("payload is a list", raw(b"[]"), "Token is invalid"),
        ("payload is text", raw(b"hello"), "Token is invalid"),
        ("payload is not UTF-8", raw(b"{\"exp\":\"\xff\"}"), "Token is invalid"),
        ("payload is empty", raw(b""), "Token is invalid"),
        ("no claims", raw(b"{}"), "Token has no 'exp' claim"),
        ("no exp", without("exp"), "Token has no 'exp' claim"),
        ("exp null", with("exp", Value::Null), "Token is invalid"),
        ("exp word", with("exp", json!("soon")), "Token is invalid"),
        ("exp past", with("exp", json!(NOW - 1)), "Token is expired"),
        ("exp negative", with("exp", json!(-1)), "Token is expired"),
        ("iat future", with("iat", json!(NOW + 60)), "Token is invalid"),
        ("nbf word", with("nbf", json!("x")), "Token is invalid"),
        ("sub number", with("sub", json!(5)), "Token is invalid"),
        ("jti number", with("jti", json!(5)), "Token is invalid"),
        ("jti null", with("jti", Value::Null), "Token is invalid"),
        ("no type", without("token_type"), "Token has no type"),
        ("other type", with("token_type", json!("other")), "Token has wrong type"),
        ("access token", forge::token("access", user, |_| {}), "Token has wrong type"),
        ("sliding token", forge::token("sliding", user, |_| {}), "Token has wrong type"),
    ];
    for path in ["/api/token/refresh/", "/api/token/blacklist/"] {
        for (what, token, detail) in &table {
            let answer = server.client.post(path, &json!({"refresh": token}));
            assert_eq!(
                (answer.status, answer.json()),
                (401, json!({"detail": detail, "code": "token_not_valid"})),
                "{what} at {path}"
            );
        }
    }
    server.refresh(&good).expect_status(200);
}

both!(what_makes_the_original_fail_is_refused_here);
fn what_makes_the_original_fail_is_refused_here(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("alice").id;
    let access = server.log_in("alice").access;
    let with = |kind: &str, name: &str, value: Value| forge::token(kind, user, |claims| claims[name] = value);
    let mut tokens = Vec::new();
    for kind in ["refresh", "access", "sliding"] {
        tokens.push(forge::token(kind, user, |claims| drop(claims.as_object_mut().unwrap().remove("jti"))));
        let user_ids = [
            json!([1]),
            json!({"id": 1}),
            json!("abc"),
            json!("9".repeat(30)),
            json!(1.5),
            json!(true),
            json!("\u{661}"),
        ];
        let jtis = [json!(""), json!("j".repeat(300)), json!("nul\0")];
        let exps = [json!((NOW + 60).to_string()), json!(253_402_300_800_i64), json!(1e30), json!(i64::MAX)];
        tokens.extend(user_ids.into_iter().map(|value| with(kind, "user_id", value)));
        tokens.extend(jtis.into_iter().map(|value| with(kind, "jti", value)));
        tokens.extend(exps.into_iter().map(|value| with(kind, "exp", value)));
        tokens.push(with(kind, "iss", json!(7)));
    }
    for token in &tokens {
        let answers = [
            server.refresh(token),
            server.client.post("/api/token/blacklist/", &json!({"refresh": token})),
            server.client.post("/api/token/verify/", &json!({"token": token})),
            server.client.post("/api/token/sliding/refresh/", &json!({"token": token})),
            server.client.bearer("POST", "/api/logout/", &access, &json!({"refresh_token": token})),
            server.me(token),
        ];
        for answer in answers {
            assert!(answer.status < 500, "{}: {answer:?}", forge::claims(token));
        }
    }
    for body in [
        json!([]),
        json!([1]),
        Value::from("text"),
        json!(5),
        json!({"refresh_token": [1]}),
        json!({"refresh_token": 5}),
    ] {
        let answer = server.client.bearer("POST", "/api/logout/", &access, &body);
        assert!((400..500).contains(&answer.status), "{body}: {answer:?}");
    }
}

both!(authorization_headers_that_are_no_tokens_are_told_apart);
fn authorization_headers_that_are_no_tokens_are_told_apart(backend: Backend) {
    let server = Server::start(backend);
    let missing = json!({"detail": "Authentication credentials were not provided."});
    let parts = json!({
        "detail": "Authorization header must contain two space-delimited values",
        "code": "bad_authorization_header",
    });
    server.client.get("/api/me/", &[]).expect(401, missing.clone());
    for (value, expected) in
        [("Basic YWxpY2U6eA==", &missing), ("bearer x", &missing), ("Bearer", &parts), ("Bearer a b", &parts)]
    {
        let answer = server.client.get("/api/me/", &[("authorization", value)]);
        assert_eq!((answer.status, &answer.json()), (401, expected), "{value}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"api\""));
    }
}

both!(broken_http_does_not_disturb_anybody);
fn broken_http_does_not_disturb_anybody(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let messages: [&[u8]; 9] = [
        b"\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /api/me/ HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"GET /api/me/ HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
        b"GET /api/me/ HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \xff\xfe\r\nconnection: close\r\n\r\n",
        b"POST /api/token/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: nonsense\r\nconnection: close\r\n\r\n",
        b"GET /%00/%ff HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        b"GET /admin/login/?next=%ff%00 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    ];
    for message in messages {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.write_all(message).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.starts_with("HTTP/1.1 5"), "{}: {answer}", String::from_utf8_lossy(message));
    }
    server.log_in("alice");
}

both!(refused_requests_leave_nothing_behind);
fn refused_requests_leave_nothing_behind(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("alice").id;
    server.obtain("alice", "wrong").expect_status(401);
    server.refresh(&forge::token("refresh", user, |claims| claims["jti"] = json!("nul\0"))).expect_status(401);
    server.refresh(&forge::token("refresh", 999, |_| {})).expect_status(401);
    server.obtain("alice", &format!("{PASSWORD}x")).expect_status(401);
    assert_eq!(server.db.count("SELECT count(*) FROM token_blacklist_outstandingtoken"), 0);
}
