//! The page that a browser gets: its form, what it shows, and that nobody but a page can use what only pages have.

use serde_json::json;

use crate::harness::forge::{self, sign};
use crate::harness::http::form;
use crate::harness::{Answer, Backend, PASSWORD, Server};

/// What Chromium sends when somebody types an address.
const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn open(server: &Server, path: &str) -> Answer {
    server.client.get(path, &[BROWSER])
}

/// Sends the form of a page.
fn send(server: &Server, path: &str, fields: &[(&str, &str)]) -> Answer {
    server.client.send("POST", path, &[BROWSER, FORM, ("sec-fetch-site", "same-origin")], form(fields))
}

fn has(page: &Answer, text: &str) -> bool {
    page.text().contains(text)
}

const PAGES: [&str; 13] = [
    "/api/token/",
    "/api/token/refresh/",
    "/api/token/verify/",
    "/api/token/blacklist/",
    "/api/token/introspect/",
    "/api/token/revoke/",
    "/api/token/sliding/",
    "/api/token/sliding/refresh/",
    "/api/logout/",
    "/logout_token/",
    "/api/sessions/",
    "/api/sessions/0/",
    "/api/me/",
];

both!(every_endpoint_opens_as_a_page_with_its_form);
fn every_endpoint_opens_as_a_page_with_its_form(backend: Backend) {
    let server = Server::start(backend);
    for path in PAGES {
        let page = open(&server, path);
        let is_protected = ["logout", "/me", "sessions"].iter().any(|part| path.contains(part));
        page.expect_status(if is_protected { 401 } else { 405 });
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert_eq!(page.header("vary"), Some("Accept, Cookie, origin"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        assert!(page.header("allow").is_some(), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("script-src") && !has(&page, "<script"), "{path}");
        assert!(has(&page, &format!("<form class=\"card-body\" method=\"post\" action=\"{path}\"")), "{path}");
        let takes_a_token = is_protected || path.contains("introspect");
        assert_eq!(has(&page, "name=\"_access_token\""), takes_a_token, "{path}");
        assert!(!has(&page, "<title>Error"), "just opening a page is no mistake: {path}");
    }
}

both!(a_login_through_the_page_shows_its_tokens_decoded);
fn a_login_through_the_page_shows_its_tokens_decoded(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let page = send(&server, "/api/token/", &[("username", "alice"), ("password", PASSWORD)]);
    page.expect_status(200);
    for text in [
        "200 OK, with a refresh token and an access token.",
        "Good for 1 day",
        "Good for 5 minutes",
        "1 Mar 2026, 12:05:00 UTC",
        "in 5 minutes",
        "Can be used for API requests",
        "value=\"alice\"",
        "HS256",
    ] {
        assert!(has(&page, text), "{text}: {}", page.text());
    }
    assert!(!has(&page, PASSWORD), "a password is never shown");
}

both!(a_wrong_password_is_an_answer_in_the_page);
fn a_wrong_password_is_an_answer_in_the_page(backend: Backend) {
    let server = Server::start(backend);
    let page = send(&server, "/api/token/", &[("username", "alice"), ("password", "not-this-one")]);
    page.expect_status(401);
    assert_eq!(page.header("www-authenticate"), Some("Bearer realm=\"api\""));
    assert!(has(&page, "<title>Error: Token Obtain Pair"));
    assert!(has(&page, "401 Unauthorized: No active account found with the given credentials"));
    assert!(has(&page, "value=\"alice\"") && !has(&page, "not-this-one"));

    let page = send(&server, "/api/token/", &[("username", "alice"), ("password", "")]);
    page.expect_status(400);
    assert!(has(&page, "aria-describedby=\"password-error\"") && has(&page, "id=\"password-error\""));
    assert!(has(&page, "This field may not be blank.") && !has(&page, "id=\"username-error\""));
}

both!(the_page_of_a_protected_endpoint_takes_the_token_in_its_form);
fn the_page_of_a_protected_endpoint_takes_the_token_in_its_form(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let me = send(&server, "/api/me/", &[("_access_token", &format!(" {}\r\n", pair.access)), ("_method", "GET")]);
    assert!(has(me.expect_status(200), "alice@example.com") && has(&me, "Expires in 5 minutes"));

    let wrong = send(&server, "/api/me/", &[("_access_token", "nonsense"), ("_method", "GET")]);
    assert!(has(wrong.expect_status(401), "Given token not valid for any token type") && has(&wrong, "Not a token"));
    assert!(has(&wrong, "aria-describedby=\"_access_token-error"));
    for spaced in ["a b", "a\nb", "é \u{7f}"] {
        send(&server, "/api/me/", &[("_access_token", spaced), ("_method", "GET")]).expect_status(401);
    }

    let fields = [("_access_token", pair.access.as_str()), ("refresh_token", &pair.refresh)];
    assert!(has(send(&server, "/api/logout/", &fields).expect_status(200), "OK, goodbye"));
    server.refresh(&pair.refresh).expect_status(401);
}

both!(the_fields_of_a_page_are_nothing_to_anybody_else);
fn the_fields_of_a_page_are_nothing_to_anybody_else(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let fields = [("_access_token", pair.access.as_str()), ("_method", "GET")];
    let missing = json!({"detail": "Authentication credentials were not provided."});
    // A client that takes JSON.
    server.client.post_form("/api/me/", &fields).expect(401, missing.clone());
    let body = json!({"_access_token": pair.access, "_method": "GET", "refresh_token": pair.refresh});
    server.client.post("/api/me/", &body).expect(401, missing.clone());
    server.client.post("/api/logout/", &body).expect(401, missing);
    // A page, but no form; a form, but in the address; a form of another site.
    let json = [BROWSER, ("content-type", "application/json")];
    server.client.send("POST", "/api/me/", &json, body.to_string()).expect_status(401);
    open(&server, &format!("/api/me/?_access_token={}", pair.access)).expect_status(401);
    for stranger in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        server.client.send("POST", "/api/me/", &[BROWSER, FORM, stranger], form(&fields)).expect_status(401);
    }
    // And no view sees another method than the page's own.
    let options = send(&server, "/api/token/", &[("_method", "OPTIONS")]);
    assert!(has(options.expect_status(200), "Token Obtain Pair") && has(&options, "parses"));
    send(&server, "/api/token/", &[("_method", "GET")]).expect_status(405);
    send(&server, "/api/token/", &[("_method", "DELETE")]).expect_status(400);
}

both!(a_refresh_through_the_page_offers_the_new_token);
fn a_refresh_through_the_page_offers_the_new_token(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let page = send(&server, "/api/token/refresh/", &[("refresh", &pair.refresh)]);
    let text = page.expect_status(200).text();
    let filled = text.split("</textarea>").next().unwrap().rsplit("\">\n").next().unwrap();
    assert_ne!(filled, pair.refresh);
    server.refresh(filled).expect_status(200);
    let again = send(&server, "/api/token/refresh/", &[("refresh", &pair.refresh)]);
    assert!(has(again.expect_status(401), "401 Unauthorized: Token is blacklisted"));
}

both!(tokens_say_plainly_what_is_wrong_with_them);
fn tokens_say_plainly_what_is_wrong_with_them(backend: Backend) {
    let server = Server::start(backend);
    let verify = |token: &str| send(&server, "/api/token/verify/", &[("token", token)]);
    let old = forge::token("access", 1, |claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 10_800));
    assert!(has(verify(&old).expect_status(401), "Expired 3 hours ago"));
    let claims = json!({"user_id": "<img src=x>", "<b>": "\"&", "exp": "soon", "iat": 1e300});
    let foreign = verify(&sign(&json!({"alg": "HS256"}), &claims, "another key of thirty-two bytes!!"));
    assert!(has(foreign.expect_status(401), "Not valid here") && has(&foreign, "Not a valid time"));
    assert!(!has(&foreign, "<img") && !has(&foreign, "<b>"), "{}", foreign.text());
    for junk in ["x", "a.b.c", "e30.e30", "</textarea><script>alert(1)</script>", "....", "é.é.é"] {
        let page = verify(junk);
        assert!(!has(page.expect_status(401), "<script"), "{junk}");
    }
}

#[test]
fn a_token_with_endless_claims_makes_no_endless_page() {
    let server = Server::start(Backend::Sqlite);
    let claims: serde_json::Map<_, _> = (0..4000).map(|at| (format!("claim{at}"), json!("x"))).collect();
    let page =
        send(&server, "/api/token/verify/", &[("token", &forge::sign(&json!({"alg": "none"}), &json!(claims), ""))]);
    page.expect_status(401);
    assert!(has(&page, "claim30") && !has(&page, "<code>claim300</code>") && has(&page, "and 3961 more"));
    let long = json!({"long": "y".repeat(60_000)});
    let page = send(&server, "/api/token/verify/", &[("token", &forge::sign(&json!({"alg": "none"}), &long, ""))]);
    assert!(has(&page, "yyy…"));
    assert_eq!(send(&server, "/api/token/verify/", &[("token", &"z".repeat(140_000))]).status, 413);
}

#[test]
fn curl_gets_what_a_shell_would_not_take_apart() {
    let server = Server::with(Backend::Sqlite, &[("PUBLIC_URL", "https://auth.example.com")]);
    let page = server.client.send(
        "POST",
        "/api/token/",
        &[BROWSER, FORM, ("host", "auth.example.com")],
        form(&[("username", "o'hara $(id)"), ("password", PASSWORD)]),
    );
    let text = page.expect_status(401).text().replace("&#39;", "'").replace("&#34;", "\"");
    assert!(text.contains(r#"-d '{"username":"o'\''hara $(id)","password":"…"}'"#), "{text}");
    assert!(text.contains("https://auth.example.com/api/token/"));
}

#[test]
fn no_password_of_any_field_is_shown_again() {
    let server = Server::start(Backend::Sqlite);
    server.add_user("alice");
    let access = server.log_in("alice").access;
    let fields =
        [("_access_token", access.as_str()), ("old_password", "not-this-one"), ("new_password", "nor-that-one")];
    let page = send(&server, "/api/password/change/", &fields);
    assert!(has(page.expect_status(400), "old_password") && has(&page, "curl -X POST"));
    assert!(!has(&page, "not-this-one") && !has(&page, "nor-that-one"), "{}", page.text());
}

#[test]
fn faults_of_the_request_are_pages_too() {
    let server = Server::start(Backend::Sqlite);
    let plain = server.client.send("POST", "/api/token/", &[BROWSER, ("content-type", "text/<b>")], "x");
    assert!(has(plain.expect_status(415), "<h1>Token Obtain Pair</h1>") && !has(&plain, "<b>"));
    let json = server.client.send("POST", "/api/token/", &[BROWSER, ("content-type", "application/json")], "{");
    assert!(has(json.expect_status(400), "JSON parse error"));
    let put = server.client.send("PUT", "/api/token/", &[BROWSER], "");
    assert!(has(put.expect_status(405), "405 Method Not Allowed"));
}

#[test]
fn without_the_pages_everybody_gets_json_or_nothing() {
    let server = Server::with(Backend::Sqlite, &[("JWT_BROWSABLE_API", "false")]);
    let answer = open(&server, "/api/token/");
    answer.expect(405, json!({"detail": "Method \"GET\" not allowed."}));
    assert_eq!(answer.header("vary"), Some("origin"));
    let html = server.client.get("/api/token/", &[("accept", "text/html")]);
    html.expect(406, json!({"detail": "Could not satisfy the request Accept header."}));
    server.client.get("/api/token/?format=api", &[]).expect(404, json!({"detail": "Not found."}));
    let options = server.client.send("OPTIONS", "/api/token/", &[], "");
    assert_eq!(options.json()["renders"], json!(["application/json"]));
}
