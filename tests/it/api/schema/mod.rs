//! The API document against the server that it describes: each example of an error is provoked and compared, so that none
//! can drift. A new error fails here until `Stage::provoke` knows how it comes about; one called `no_such_…` is provoked by
//! an id that no row has.

mod factors;

use latchkey::guard::throttle::ADDRESS;
use serde_json::{Value, json};

use crate::harness::server::{NOW, SECRET};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server, Smtp, forge};

/// Provoked elsewhere: they need a database that is away, and a body that takes 20 seconds.
const ELSEWHERE: [&str; 2] = ["unavailable", "too_slow"];

/// `api` and the secret of every test.
const CLIENT: &str = "Basic YXBpOmRqYW5nby1pbnNlY3VyZS1yZWNvcmRlZC1rZXktb2YtdGhlLXRlc3RzLTAxMjM0NTY3ODk=";

fn document(server: &Server) -> Value {
    server.client.get("/api/schema/?format=json", &[]).expect_status(200).json()
}

/// Follows `$ref`, where the value is one.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Each operation: method, path, and what the document says of it.
fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
    let items = document["paths"].as_object().unwrap().iter();
    let operations = items.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, it)| (method.to_uppercase(), path.as_str(), it))
    });
    operations.collect()
}

/// A server with two users, and tokens of theirs.
struct Stage {
    server: Server,
    alice: i64,
    caller: String,
    bob: Pair,
    smtp: Smtp,
}

/// A token of the kind that the path takes, but for what `change` does to its claims.
fn forged(path: &str, user: i64, change: impl FnOnce(&mut Value)) -> String {
    let kind = if path.contains("sliding") { "sliding" } else { "refresh" };
    forge::token(kind, user, |claims| {
        if kind == "sliding" {
            claims["refresh_exp"] = json!(NOW + 3600);
        }
        change(claims);
    })
}

impl Stage {
    fn set(backend: Backend) -> Self {
        let smtp = Smtp::start();
        let url = smtp.url();
        let client = [("INTROSPECTION_CLIENT_ID", "api"), ("INTROSPECTION_CLIENT_SECRET", SECRET)];
        let rest = [("EMAIL_URL", url.as_str()), ("PASSWORD_RULES", "nist"), ("JWT_ACCESS_TOKEN_LIFETIME", "1 day")];
        let server = Server::with(backend, &[&client[..], &rest].concat());
        let alice = server.add_user("alice").id.to_string().parse().unwrap();
        server.add_user("bob");
        let inactive = server.add_user("carol");
        server.set_active(inactive.id, false);
        let (caller, bob) = (server.log_in("alice").access, server.log_in("bob"));
        Self { server, alice, caller, bob, smtp }
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.caller);
        let authorization = if path.contains("introspect") { CLIENT.to_owned() } else { bearer };
        let mut all = vec![("authorization", authorization.as_str())];
        if !body.is_empty() {
            all.push(("content-type", "application/json"));
        }
        all.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
        all.extend(headers.iter().filter(|(_, value)| !value.is_empty()));
        self.server.client.send(method, path, &all, body)
    }

    /// A token of alice, who then logs out everywhere.
    fn blacklisted(&self, path: &str) -> String {
        let credentials = json!({"username": "alice", "password": PASSWORD});
        let token = if path.contains("sliding") {
            self.server.client.post("/api/token/sliding/", &credentials).json()["token"].as_str().unwrap().to_owned()
        } else {
            self.server.log_in("alice").refresh
        };
        self.server.client.bearer("POST", "/api/logout/", &self.caller, &json!({"all": true})).expect_status(200);
        token
    }

    /// The same request from a caller with another token.
    fn as_caller(&self, method: &str, path: &str, user: i64, change: impl FnOnce(&mut Value)) -> Answer {
        let token = forge::token("access", user, change);
        self.send(method, path, &[("authorization", &format!("Bearer {token}"))], "")
    }

    /// The path of a session of alice, where one stands in it.
    fn at(&self, path: &str) -> String {
        if !path.contains("sessions/{id}") {
            return path.to_owned();
        }
        let session = forge::claims(&self.server.log_in("alice").access)["sid"].clone();
        path.replace("{id}", session.as_str().unwrap())
    }

    /// The token of a link in a mail, where the path takes one.
    fn link(&self, path: &str) -> String {
        self.server.deliver_mail();
        if path.contains("/email/") {
            let body = json!({"email": "alice@example.org", "password": PASSWORD});
            self.server.client.bearer("POST", "/api/email/change/", &self.caller, &body).expect_status(200);
        } else {
            // The address of alice changes on the way.
            self.server.ask_for_reset("bob@example.com").expect_status(200);
        }
        self.server.deliver_mail();
        self.smtp.last_token()
    }

    /// Brings a documented error about.
    fn provoke(&self, method: &str, path: &str, operation: &Value, name: &str) -> Answer {
        if let Some(answer) = self.provoke_factor(method, path, name) {
            return answer;
        }
        let path = &if name.starts_with("no_such_") { path.to_owned() } else { self.at(path) };
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        let fields: Vec<&String> = example.as_object().map(|fields| fields.keys().collect()).unwrap_or_default();
        let with_all = |value: &str| {
            let body: serde_json::Map<_, _> = fields.iter().map(|&name| (name.clone(), json!(value))).collect();
            self.send(method, path, &[], &Value::Object(body).to_string())
        };
        let with_fields = |values: &[(&str, &str)]| {
            let known = values.iter().filter(|(name, _)| fields.iter().any(|field| field == name));
            let body: serde_json::Map<_, _> = known.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            self.send(method, path, &[], &Value::Object(body).to_string())
        };
        let with_headers = |headers: &[(&str, &str)], body: &str| self.send(method, path, headers, body);
        let expired = |claims: &mut Value| claims["exp"] = json!(NOW - 1);
        match name {
            "malformed_json" => with_headers(&[], "{'token': 1}"),
            "not_an_object" => with_headers(&[], "[1]"),
            "missing_field" | "missing_token" | "no_oauth_token" => with_headers(&[], "{}"),
            "blank_field" => with_all(" "),
            "too_large" => with_headers(&[], &"x".repeat(128 * 1024 + 1)),
            "unsupported_media_type" => with_headers(&[("content-type", "text/plain")], "x"),
            "not_acceptable" => with_headers(&[("accept", "application/xml")], ""),
            "unknown_format" => self.send(method, &format!("{path}?format=xml"), &[], ""),
            "no_account" if fields.len() == 2 => with_all("nobody"),
            "throttled" => {
                let body = match path.as_str() {
                    "/api/password/reset/" => json!({"email": "nobody@example.com"}),
                    "/api/email/change/" => json!({"email": "nobody@example.com", "password": "wrong"}),
                    _ => fields.iter().map(|name| ((*name).clone(), json!(format!("nobody at {path}")))).collect(),
                };
                // As many as the rule with the most lets through.
                let send = |_| self.send(method, path, &[], &body.to_string());
                let refused = (0..=ADDRESS.free).map(send).find(|answer| answer.status == 429);
                self.server.db.execute("DELETE FROM latchkey_throttle");
                refused.unwrap_or_else(|| panic!("{path} is not throttled"))
            }
            "no_account" => with_all(&forged(path, 999, |_| {})),
            "token_invalid" => with_all("x"),
            "token_expired" => with_all(&forged(path, self.alice, expired)),
            "token_blacklisted" => with_all(&self.blacklisted(path)),
            "token_wrong_type" => with_all(&self.caller),
            "refresh_expired" => with_all(&forged(path, self.alice, |claims| claims["refresh_exp"] = json!(NOW - 1))),
            "no_superuser" => with_headers(&[("authorization", &format!("Bearer {}", self.caller))], ""),
            "invalid_client" => with_headers(&[("authorization", "Basic eDp4")], ""),
            "unsupported_token_type" => {
                with_headers(&[], &json!({"token": forge::token("access", self.alice, |_| {})}).to_string())
            }
            // No row has `{id}` for its id.
            name if name.starts_with("no_such_") => {
                with_headers(&[], &if example.is_null() { String::new() } else { example.to_string() })
            }
            "no_session" => {
                let nameless = format!("Bearer {}", forge::token("access", self.alice, |_| {}));
                with_headers(&[("authorization", &nameless)], r#"{"others": true}"#)
            }
            "bad_idempotency_key" => {
                with_headers(&[("idempotency-key", "\u{e9}")], &json!({"refresh": "x"}).to_string())
            }
            "bad_email" => with_fields(&[("email", "x"), ("password", PASSWORD)]),
            "bad_link" => with_fields(&[("token", "x"), ("password", "quiet-lantern-23")]),
            "wrong_password" => with_fields(&[
                ("email", "a@example.org"),
                ("kind", "totp"),
                ("password", "wrong"),
                ("old_password", "wrong"),
                ("new_password", "quiet-lantern-23"),
            ]),
            "weak_password" => with_fields(&[
                ("token", &self.link(path)),
                ("password", "letmein1"),
                ("old_password", PASSWORD),
                ("new_password", "letmein1"),
            ]),
            "not_yours" => with_all(&self.bob.refresh),
            "not_authenticated" => with_headers(&[("authorization", "")], ""),
            "bad_header" => with_headers(&[("authorization", "Bearer")], ""),
            "caller_token_invalid" => with_headers(&[("authorization", "Bearer x")], ""),
            "caller_token_expired" => self.as_caller(method, path, self.alice, expired),
            "caller_nobody" => {
                self.as_caller(method, path, 0, |claims| drop(claims.as_object_mut().unwrap().remove("user_id")))
            }
            "caller_deleted" => self.as_caller(method, path, 999, |_| {}),
            "caller_inactive" => self.as_caller(method, path, self.alice + 2, |_| {}),
            _ => panic!("{path} documents the error {name}: say here how it comes about"),
        }
    }
}

both!(every_documented_error_is_what_the_server_answers);
fn every_documented_error_is_what_the_server_answers(backend: Backend) {
    let stage = Stage::set(backend);
    let document = document(&stage.server);
    let mut count = 0;
    for (method, path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = resolved(&document, response);
            let Some(examples) = response["content"]["application/json"]["examples"].as_object() else { continue };
            for (name, example) in examples.iter().filter(|(name, _)| !ELSEWHERE.contains(&name.as_str())) {
                let answer = stage.provoke(&method, path, operation, name);
                let mut body = answer.json();
                if body["challenge"].is_string() {
                    // Each is another one.
                    body["challenge"] = example["value"]["challenge"].clone();
                }
                let found = (answer.status.to_string(), body);
                assert_eq!(found, (status.clone(), example["value"].clone()), "{path}: {name}");
                for header in response["headers"].as_object().unwrap().keys() {
                    assert!(answer.header(header).is_some(), "{path}: {name}: no {header}");
                }
                count += 1;
            }
        }
    }
    assert!(count > 90, "{count}");
}

both!(every_documented_success_looks_like_the_server_s);
fn every_documented_success_looks_like_the_server_s(backend: Backend) {
    let stage = Stage::set(backend);
    let document = document(&stage.server);
    for (method, path, operation) in operations(&document) {
        let response = &operation["responses"]["200"];
        if let Some(answer) = stage.succeed_factor(&method, path) {
            match response["content"]["application/json"].get("example") {
                Some(example) => assert_looks_like(&answer, example, path),
                None => drop(answer.expect_status(204)),
            }
            continue;
        }
        if operation["responses"]["204"].is_object() {
            stage.send(&method, &stage.at(path), &[], "").expect_status(204);
        }
        let Some(example) = response["content"]["application/json"].get("example") else { continue };
        // The newest session is the first of the list.
        stage.server.advance(1);
        let pair = stage.server.log_in("alice");
        let sliding = json!({"username": "alice", "password": PASSWORD});
        let body = match path {
            "/api/token/" | "/api/token/sliding/" => sliding,
            "/api/token/sliding/refresh/" => stage.server.client.post("/api/token/sliding/", &sliding).json(),
            "/api/token/verify/" => json!({"token": pair.access}),
            "/api/logout/" | "/logout_token/" => json!({"refresh_token": pair.refresh}),
            "/api/token/refresh/" | "/api/token/blacklist/" => json!({"refresh": pair.refresh}),
            "/api/token/introspect/" | "/api/token/revoke/" => json!({"token": pair.refresh}),
            "/api/password/reset/confirm/" => json!({"token": stage.link(path), "password": PASSWORD}),
            "/api/password/change/" => json!({"old_password": PASSWORD, "new_password": PASSWORD}),
            "/api/email/change/" => json!({"email": "alice@example.org", "password": PASSWORD}),
            "/api/email/confirm/" => json!({"token": stage.link(path)}),
            // Whatever takes a body takes its example; say here how the endpoint succeeds if that is not enough.
            _ => operation["requestBody"]["content"]["application/json"]["example"].clone(),
        };
        let sent = if body.is_null() { String::new() } else { body.to_string() };
        let session = forge::claims(&pair.access)["sid"].clone();
        if path.contains("sessions") {
            stage.server.refresh(&pair.refresh).expect_status(200);
        }
        let answer = stage.send(&method, &path.replace("{id}", session.as_str().unwrap()), &[], &sent);
        assert_looks_like(&answer, example, path);
    }
}

#[track_caller]
fn assert_looks_like(answer: &Answer, example: &Value, path: &str) {
    let found = answer.expect_status(200).json();
    assert_eq!(kinds(object(&found)), kinds(object(example)), "{path}");
}

/// An object, or the first of a list.
fn object(value: &Value) -> &serde_json::Map<String, Value> {
    value.get(0).unwrap_or(value).as_object().unwrap()
}

/// The names and JSON types of an object's members.
fn kinds(object: &serde_json::Map<String, Value>) -> Vec<(&str, u8)> {
    let kind = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    };
    object.iter().map(|(name, value)| (name.as_str(), kind(value))).collect()
}

#[test]
fn the_document_follows_the_settings() {
    let settings = [
        ("USERNAME_FIELD", "email"),
        ("JWT_ROTATE_REFRESH_TOKENS", "false"),
        ("JWT_AUTH_HEADER_NAME", "X-Access-Token"),
        ("JWT_USER_ID_FIELD", "uuid"),
        ("JWT_CHECK_REVOKE_TOKEN", "true"),
        ("PUBLIC_URL", "https://login.example.com"),
    ];
    let server = Server::with(Backend::Sqlite, &settings);
    let document = document(&server);
    let at = |pointer: &str| document.pointer(pointer).unwrap_or(&Value::Null).clone();
    let json = "content/application~1json";
    let required = at(&format!("/paths/~1api~1token~1/post/requestBody/{json}/schema/required"));
    assert_eq!(required, json!(["email", "password"]));
    let refreshed = format!("/paths/~1api~1token~1refresh~1/post/responses/200/{json}/example");
    assert!(at(&refreshed)["access"].is_string() && at(&refreshed)["refresh"].is_null());
    assert_eq!(at("/components/securitySchemes/jwt/name"), "x-access-token");
    assert_eq!(at("/components/securitySchemes/jwt/in"), "header");
    let id = at(&format!("/paths/~1api~1me~1/get/responses/200/{json}/schema/properties/id/type"));
    assert_eq!(id, json!(["string", "null"]));
    let refused = at(&format!("/paths/~1api~1me~1/get/responses/401/{json}/examples"));
    assert_eq!(refused["caller_password_changed"]["value"]["code"], "password_changed");
    assert_eq!(at("/servers/0/url"), "https://login.example.com");
}

#[test]
fn the_document_is_yaml_unless_json_is_asked_for() {
    let server = Server::start(Backend::Sqlite);
    for path in ["/api/schema/", "/api/schema", "/api/v1/schema/"] {
        let answer = server.client.get(path, &[("accept", "*/*")]);
        assert_eq!(answer.expect_status(200).header("content-type"), Some("application/vnd.oai.openapi"));
        assert!(answer.text().starts_with("openapi: \"3.1.0\"\n"));
        assert_eq!(answer.header("content-disposition"), Some("inline; filename=\"latchkey.yaml\""));
    }
    let answer = server.client.get("/api/schema/", &[("accept", "application/json")]);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json()["openapi"], "3.1.0");
    assert_eq!(server.client.send("HEAD", "/api/schema/", &[], "").status, 200);
    let answer = server.client.post("/api/schema/", &json!({}));
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    answer.expect(405, json!({"detail": "Method \"POST\" not allowed."}));
}

#[test]
fn a_document_that_is_known_is_not_sent_again() {
    let server = Server::start(Backend::Sqlite);
    let tag = |path: &str| server.client.get(path, &[]).header("etag").unwrap().to_owned();
    let (yaml, json) = (tag("/api/schema/"), tag("/api/schema/?format=json"));
    assert_ne!(yaml, json);
    let again = |tag: &str| server.client.get("/api/schema/", &[("if-none-match", tag)]);
    assert_eq!(again(&yaml).expect_status(304).body, b"");
    assert_eq!(again(&json).status, 200);
}

#[test]
fn the_page_shows_every_endpoint_and_loads_nothing_from_elsewhere() {
    let server = Server::start(Backend::Sqlite);
    let page = server.client.get("/api/docs/", &[]);
    let html = page.expect_status(200).text();
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'; style-src 'self'"));
    let document = document(&server);
    for (_, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(html.contains(&format!("id=\"{id}\"")) && html.contains(&format!("href=\"#{id}\"")), "{id}");
        assert!(html.contains(&format!("<code>{path}</code>")), "{path}");
    }
    for text in ["Token is blacklisted", "No active account found with the given credentials", "two space-delimited"] {
        assert!(html.contains(text), "{text}");
    }
    for foreign in ["<script", "style=", "href=\"http", "src=\"http", "url("] {
        assert!(!html.contains(foreign), "{foreign}");
    }
}

#[test]
fn without_browsable_pages_there_is_no_page_but_still_a_document() {
    let server = Server::with(Backend::Sqlite, &[("JWT_BROWSABLE_API", "false")]);
    assert_eq!(server.client.get("/api/docs/", &[]).status, 404);
    assert_eq!(server.client.get("/api/schema/", &[]).status, 200);
}
