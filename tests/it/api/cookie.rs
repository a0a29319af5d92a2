//! The refresh token in a cookie: who gets it, who may use it, and that it never shows anywhere else.

use serde_json::{Value, json};

use crate::harness::forge::{self, claims};
use crate::harness::{Answer, Backend, PASSWORD, Server};

const REFRESH: &str = "/api/token/refresh/";
const ASK: (&str, &str) = ("x-refresh-cookie", "1");
const JSON: (&str, &str) = ("content-type", "application/json");

fn server(backend: Backend, settings: &[(&str, &str)]) -> Server {
    let all: Vec<_> = settings.iter().copied().chain([("JWT_COOKIE", "refresh")]).collect();
    let server = Server::with(backend, &all);
    server.add_user("alice");
    server
}

/// Sends a request that asks for the cookie, and brings this one.
fn send(server: &Server, path: &str, cookie: &str, more: &[(&str, &str)], body: &Value) -> Answer {
    let cookie = format!("theme=dark; {cookie}");
    let headers: Vec<_> = [ASK, JSON, ("cookie", &cookie)].iter().chain(more).copied().collect();
    server.client.send("POST", path, &headers, body.to_string())
}

fn refresh(server: &Server, cookie: &str) -> Answer {
    send(server, REFRESH, cookie, &[], &json!({}))
}

fn log_in(server: &Server) -> (String, String) {
    let answer = send(server, "/api/token/", "", &[], &json!({"username": "alice", "password": PASSWORD}));
    (cookie(&answer), access(&answer))
}

/// The cookie as it is sent back. Its token is nowhere else in the answer.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let set = answer.expect_status(200).header("set-cookie").expect("a cookie");
    let (pair, _) = set.split_once(';').unwrap();
    let (_, token) = pair.split_once('=').unwrap();
    assert!(token.len() > 100 && !answer.text().contains("refresh"), "{}", answer.text());
    pair.to_owned()
}

fn access(answer: &Answer) -> String {
    answer.json()["access"].as_str().unwrap().to_owned()
}

fn bearer(access: &str) -> String {
    format!("Bearer {access}")
}

fn is_taken_back(answer: &Answer) -> bool {
    answer.header("set-cookie").is_some_and(|set| {
        assert_eq!(set, "latchkey_refresh=; HttpOnly; SameSite=Strict; Path=/api/; Max-Age=0");
        true
    })
}

fn blacklisted() -> Value {
    json!({"detail": "Token is blacklisted", "code": "token_not_valid"})
}

both!(a_client_that_asks_gets_the_refresh_token_in_a_cookie_alone);
fn a_client_that_asks_gets_the_refresh_token_in_a_cookie_alone(backend: Backend) {
    let server = server(backend, &[("SESSION_MAX_AGE", "1h")]);
    let obtained = send(&server, "/api/token/", "", &[], &json!({"username": "alice", "password": PASSWORD}));
    let set = obtained.expect_status(200).header("set-cookie").unwrap().to_owned();
    assert!(set.starts_with("latchkey_refresh=ey"), "{set}");
    assert!(set.ends_with("; HttpOnly; SameSite=Strict; Path=/api/; Max-Age=3600"), "{set}");
    let first = cookie(&obtained);
    assert_eq!(obtained.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["access"]);
    server.me(&access(&obtained)).expect_status(200);
    // A refresh takes it from there and replaces it; its time is what the session has left.
    server.advance(600);
    let refreshed = refresh(&server, &first);
    let second = cookie(&refreshed);
    assert_ne!(first, second);
    assert!(refreshed.header("set-cookie").unwrap().ends_with("; Max-Age=3000"));
    let body = json!({"access": access(&refreshed)});
    refreshed.expect(200, body);
    // The cookie itself opens nothing.
    server.client.get("/api/me/", &[ASK, ("cookie", &second)]).expect_status(401);
}

both!(who_does_not_ask_is_answered_as_ever);
fn who_does_not_ask_is_answered_as_ever(backend: Backend) {
    let server = server(backend, &[]);
    let obtained = server.obtain("alice", PASSWORD);
    assert!(obtained.header("set-cookie").is_none());
    let token = obtained.json()["refresh"].as_str().unwrap().to_owned();
    let refreshed = server.refresh(&token);
    assert!(refreshed.header("set-cookie").is_none() && refreshed.json()["refresh"].is_string());
    server.refresh("").expect(400, json!({"refresh": ["This field may not be blank."]}));
    server.client.post(REFRESH, &json!({})).expect(400, json!({"refresh": ["This field is required."]}));
    // A token of the body goes on in the cookie where the client asks for that: so a front end moves.
    let token = refreshed.json()["refresh"].as_str().unwrap().to_owned();
    let moved = send(&server, REFRESH, "", &[], &json!({"refresh": token}));
    refresh(&server, &cookie(&moved)).expect_status(200);
}

both!(without_the_setting_the_header_means_nothing);
fn without_the_setting_the_header_means_nothing(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let evil = [("origin", "https://evil.example.com")];
    let login = json!({"username": "alice", "password": PASSWORD});
    let obtained = send(&server, "/api/token/", "", &evil, &login);
    assert!(obtained.header("set-cookie").is_none() && obtained.json()["refresh"].is_string());
    let cookie = format!("latchkey_refresh={}", obtained.json()["refresh"].as_str().unwrap());
    refresh(&server, &cookie).expect(400, json!({"refresh": ["This field is required."]}));
}

both!(a_cookie_is_worth_nothing_without_the_header_or_from_a_stranger);
fn a_cookie_is_worth_nothing_without_the_header_or_from_a_stranger(backend: Backend) {
    let settings = [("CORS_ALLOWED_ORIGINS", "https://app.example.com"), ("CORS_ALLOW_CREDENTIALS", "true")];
    let server = server(backend, &settings);
    let (first, access) = log_in(&server);
    for path in [REFRESH, "/api/token/blacklist/", "/api/logout/"] {
        let headers = [JSON, ("cookie", first.as_str()), ("authorization", &bearer(&access))];
        let forged = server.client.send("POST", path, &headers, "{}");
        forged.expect(403, json!({"detail": "The refresh cookie needs the header x-refresh-cookie."}));
    }
    let stranger = json!({"detail": "The refresh cookie is not for this origin."});
    for origin in ["https://evil.example.com", "http://app.example.com", "null"] {
        send(&server, REFRESH, &first, &[("origin", origin)], &json!({})).expect(403, stranger.clone());
        let login = json!({"username": "alice", "password": PASSWORD});
        send(&server, "/api/token/", "", &[("origin", origin)], &login).expect(403, stranger.clone());
    }
    // What a listed front end of another origin sends, and needs to see.
    let front_end = [("origin", "https://app.example.com"), ("sec-fetch-site", "same-site")];
    let answer = send(&server, REFRESH, &first, &front_end, &json!({}));
    assert_eq!(answer.expect_status(200).header("access-control-allow-credentials"), Some("true"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.com"));
    let preflight = [("origin", "https://app.example.com"), ("access-control-request-method", "POST")];
    let allowed = server.client.send("OPTIONS", REFRESH, &preflight, "");
    assert!(allowed.header("access-control-allow-headers").unwrap().ends_with(", x-refresh-cookie"));
}

both!(no_cookie_or_several_are_told_apart_from_a_bad_one);
fn no_cookie_or_several_are_told_apart_from_a_bad_one(backend: Backend) {
    let server = server(backend, &[]);
    let (first, _) = log_in(&server);
    let none = refresh(&server, "");
    assert!(!is_taken_back(&none));
    none.expect(401, json!({"detail": "The request has no refresh cookie."}));
    // Somebody under the same domain may have set one of them.
    let several = refresh(&server, &format!("latchkey_refresh=x; {first}"));
    assert!(!is_taken_back(&several));
    several.expect(403, json!({"detail": "The request has more than one refresh cookie."}));
    let bad = refresh(&server, "latchkey_refresh=x.y.z");
    assert!(is_taken_back(&bad));
    bad.expect(401, json!({"detail": "Token is invalid", "code": "token_not_valid"}));
    cookie(&refresh(&server, &first));
}

both!(a_second_tab_does_not_lose_the_cookie_of_the_first);
fn a_second_tab_does_not_lose_the_cookie_of_the_first(backend: Backend) {
    let server = server(backend, &[]);
    let (first, _) = log_in(&server);
    let second = cookie(&refresh(&server, &first));
    // The refusal may arrive after the answer that brought the new cookie.
    let late = refresh(&server, &first);
    assert!(!is_taken_back(&late));
    late.expect(401, blacklisted());
    let third = cookie(&refresh(&server, &second));
    // Too late it is theft, and nothing is left of the session.
    server.advance(11);
    let stolen = refresh(&server, &first);
    assert!(is_taken_back(&stolen));
    stolen.expect(401, blacklisted());
    let dead = refresh(&server, &third);
    assert!(is_taken_back(&dead));
    dead.expect(401, blacklisted());
}

both!(a_lost_answer_is_asked_for_again_with_the_old_cookie);
fn a_lost_answer_is_asked_for_again_with_the_old_cookie(backend: Backend) {
    let server = server(backend, &[]);
    let (first, _) = log_in(&server);
    let key = [("idempotency-key", "one")];
    let lost = cookie(&send(&server, REFRESH, &first, &key, &json!({})));
    server.advance(30);
    assert_eq!(cookie(&send(&server, REFRESH, &first, &key, &json!({}))), lost);
}

both!(a_cookie_that_is_good_for_nothing_is_taken_back);
fn a_cookie_that_is_good_for_nothing_is_taken_back(backend: Backend) {
    let server = server(backend, &[("REUSE_ALARM_AFTER", "10 days")]);
    let alice = server.add_user("bob");
    let token = |change: fn(&mut Value)| format!("latchkey_refresh={}", forge::token("refresh", alice.id, change));
    let expired = token(|claims| claims["exp"] = json!(1));
    let access = format!("latchkey_refresh={}", forge::token("access", alice.id, |_| {}));
    for cookie in [&expired, &access] {
        let answer = refresh(&server, cookie);
        assert!(is_taken_back(&answer));
        answer.expect_status(401);
    }
    server.set_active(alice.id, false);
    let inactive = refresh(&server, &token(|claims| claims["jti"] = json!("d".repeat(32))));
    assert!(is_taken_back(&inactive));
    inactive.expect(401, json!({"detail": "No active account found for the given token."}));
}

both!(a_database_that_fails_takes_no_cookie);
fn a_database_that_fails_takes_no_cookie(backend: Backend) {
    let server = server(backend, &[]);
    let (first, _) = log_in(&server);
    server.db.execute("ALTER TABLE latchkey_session RENAME TO away");
    let answer = refresh(&server, &first);
    assert!(answer.status >= 500 && !is_taken_back(&answer), "{}", answer.text());
}

both!(a_logout_takes_the_cookie_with_it);
fn a_logout_takes_the_cookie_with_it(backend: Backend) {
    let server = server(backend, &[]);
    let logout = |cookie: &str, access: &str, body: Value| {
        send(&server, "/api/logout/", cookie, &[("authorization", &bearer(access))], &body)
    };
    let (first, access) = log_in(&server);
    let goodbye = logout(&first, &access, json!({}));
    assert!(is_taken_back(&goodbye));
    goodbye.expect(200, json!({"status": "OK, goodbye"}));
    refresh(&server, &first).expect(401, blacklisted());
    // A second time the token is bad, and the cookie goes all the same.
    let again = logout(&first, &access, json!({}));
    assert!(is_taken_back(&again));
    again.expect(400, json!({"refresh_token": ["Token is blacklisted"]}));

    let (here, access) = log_in(&server);
    let (there, _) = log_in(&server);
    let others = logout(&here, &access, json!({"others": true}));
    assert!(!is_taken_back(&others));
    others.expect_status(200);
    refresh(&server, &there).expect(401, blacklisted());
    let here = cookie(&refresh(&server, &here));
    let all = logout("", &access, json!({"all": true}));
    assert!(is_taken_back(&all));
    refresh(&server, &here).expect(401, blacklisted());
    // Somebody else's stays where it is.
    let (alices, _) = log_in(&server);
    server.add_user("mallory");
    let foreign = logout(&alices, &server.log_in("mallory").access, json!({}));
    assert!(!is_taken_back(&foreign));
    foreign.expect_status(400);
}

both!(a_blacklisted_cookie_is_taken_back);
fn a_blacklisted_cookie_is_taken_back(backend: Backend) {
    let server = server(backend, &[]);
    let (first, _) = log_in(&server);
    let done = send(&server, "/api/token/blacklist/", &first, &[], &json!({}));
    assert!(is_taken_back(&done));
    done.expect(200, json!({}));
}

both!(a_refresh_that_keeps_its_token_keeps_the_cookie);
fn a_refresh_that_keeps_its_token_keeps_the_cookie(backend: Backend) {
    let server = server(backend, &[("JWT_ROTATE_REFRESH_TOKENS", "false")]);
    let (first, _) = log_in(&server);
    for _ in 0..2 {
        let answer = refresh(&server, &first);
        assert!(answer.expect_status(200).header("set-cookie").is_none());
        assert_eq!(answer.json().as_object().unwrap().len(), 1);
    }
}

#[test]
fn no_page_shows_a_cookie_or_uses_one() {
    let server = server(Backend::Sqlite, &[]);
    let (first, access) = log_in(&server);
    let page = |path: &str, body: &str| {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers =
            [ASK, form, ("accept", "text/html"), ("cookie", first.as_str()), ("authorization", &bearer(&access))];
        server.client.send("POST", path, &headers, body)
    };
    for path in [REFRESH, "/api/token/blacklist/", "/api/logout/"] {
        let page = page(path, "");
        page.expect_status(400);
        assert!(page.header("set-cookie").is_none() && page.text().contains("This field is required."));
        assert!(!page.text().contains(first.split_once('=').unwrap().1));
    }
    let page = page("/api/token/", &format!("username=alice&password={PASSWORD}"));
    assert!(page.expect_status(200).header("set-cookie").is_none());
    cookie(&refresh(&server, &first));
}

#[test]
fn over_https_the_cookie_is_secure_and_named_so() {
    let settings = [("PUBLIC_URL", "https://auth.example.com"), ("JWT_COOKIE_SAMESITE", "none")];
    let server = server(Backend::Sqlite, &settings);
    let (first, _) = log_in(&server);
    assert!(first.starts_with("__Secure-latchkey_refresh="));
    let set = refresh(&server, &first).header("set-cookie").unwrap().to_owned();
    assert!(set.ends_with("; HttpOnly; SameSite=None; Secure; Path=/api/; Max-Age=86400"), "{set}");
    assert_eq!(claims(first.split_once('=').unwrap().1)["token_type"], "refresh");
}
