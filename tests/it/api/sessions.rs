//! Sessions: what grew from one login is retried, told from theft, limited and ended as one.

use serde_json::{Value, json};

use crate::harness::forge::{self, claims, jti};
use crate::harness::{Answer, Backend, Pair, Server};

fn refused() -> Value {
    json!({"detail": "Token is blacklisted", "code": "token_not_valid"})
}

fn ended() -> Value {
    json!({"detail": "Session has ended", "code": "token_not_valid"})
}

fn refresh_under(server: &Server, refresh: &str, key: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    server.client.send("POST", "/api/token/refresh/", &headers, json!({"refresh": refresh}).to_string())
}

fn logout(server: &Server, access: &str, body: &Value) -> Answer {
    server.client.bearer("POST", "/api/logout/", access, body)
}

fn count(server: &Server, condition: &str) -> i64 {
    server.db.count(&format!("SELECT count(*) FROM latchkey_session WHERE {condition}"))
}

both!(all_tokens_of_a_login_name_its_session);
fn all_tokens_of_a_login_name_its_session(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let first = server.log_in("alice");
    let second = Pair::of(&server.refresh(&first.refresh));
    let session = claims(&first.refresh)["sid"].clone();
    assert!(session.as_str().is_some_and(|id| id.len() == 32), "{session}");
    for token in [&first.access, &second.refresh, &second.access] {
        assert_eq!(claims(token)["sid"], session);
    }
    assert_ne!(claims(&server.log_in("alice").refresh)["sid"], session);
    let sliding =
        server.client.post("/api/token/sliding/", &json!({"username": "alice", "password": crate::harness::PASSWORD}));
    assert_ne!(claims(sliding.json()["token"].as_str().unwrap())["sid"], session);
    assert_eq!(count(&server, "ended_at IS NULL AND user_agent = 'latchkey-tests' AND ip = '127.0.0.1'"), 3);
}

both!(the_claim_can_be_left_out_and_the_session_is_there);
fn the_claim_can_be_left_out_and_the_session_is_there(backend: Backend) {
    let server = Server::with(backend, &[("JWT_SESSION_CLAIM", "none")]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    assert!(claims(&pair.access).get("sid").is_none());
    logout(&server, &pair.access, &json!({"refresh_token": pair.refresh})).expect_status(200);
    assert_eq!(count(&server, "end_reason = 'logout' AND ended_by = 'alice'"), 1);
}

both!(a_rotated_token_that_comes_back_late_ends_the_session);
fn a_rotated_token_that_comes_back_late_ends_the_session(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let (stolen, other) = (server.log_in("alice"), server.log_in("alice"));
    let pair = Pair::of(&server.refresh(&stolen.refresh));
    // A second tab is no thief …
    server.advance(9);
    server.refresh(&stolen.refresh).expect(401, refused());
    let pair = Pair::of(&server.refresh(&pair.refresh));
    // … but this is one.
    server.advance(2);
    server.refresh(&stolen.refresh).expect(401, refused());
    server.refresh(&pair.refresh).expect(401, refused());
    assert_eq!(count(&server, "end_reason = 'reuse' AND ended_by = 'Latchkey'"), 1);
    server.refresh(&other.refresh).expect_status(200);
    let alarm = |column: &str| {
        server.db.text(&format!("SELECT {column} AS t FROM latchkey_audit_log WHERE action = 'session.reuse'"))
    };
    assert_eq!(alarm("object"), Some(jti(&stolen.refresh)));
    let detail: Value = serde_json::from_str(&alarm("detail").unwrap()).unwrap();
    assert_eq!((&detail["rotated_by"], &detail["presented_by"]), (&json!("127.0.0.1"), &json!("127.0.0.1")));
    // The alarm is raised once.
    server.refresh(&stolen.refresh).expect(401, refused());
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_audit_log WHERE action = 'session.reuse'"), 1);
}

both!(a_retry_under_its_key_gets_the_same_refresh_token);
fn a_retry_under_its_key_gets_the_same_refresh_token(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let first = server.log_in("alice");
    let lost = Pair::of(&refresh_under(&server, &first.refresh, "try 1"));
    server.advance(59);
    let again = Pair::of(&refresh_under(&server, &first.refresh, "try 1"));
    assert_eq!(again.refresh, lost.refresh);
    assert_ne!(jti(&again.access), jti(&lost.access));
    assert_eq!(count(&server, "ended_at IS NOT NULL"), 0);
    // Once the successor was used it is not handed out again, and nobody is a thief for asking in time.
    Pair::of(&server.refresh(&lost.refresh));
    refresh_under(&server, &first.refresh, "try 1").expect(401, refused());
    assert_eq!(count(&server, "ended_at IS NOT NULL"), 0);
    server.advance(1);
    refresh_under(&server, &first.refresh, "try 1").expect(401, refused());
    assert_eq!(count(&server, "end_reason = 'reuse'"), 1);
}

both!(another_key_or_none_is_plain_reuse);
fn another_key_or_none_is_plain_reuse(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let first = server.log_in("alice");
    Pair::of(&refresh_under(&server, &first.refresh, "mine"));
    refresh_under(&server, &first.refresh, "yours").expect(401, refused());
    server.refresh(&first.refresh).expect(401, refused());
    server.advance(11);
    refresh_under(&server, &first.refresh, "yours").expect(401, refused());
    assert_eq!(count(&server, "end_reason = 'reuse'"), 1);
    let stored = server.db.text("SELECT retry_key AS t FROM latchkey_token WHERE retry_key IS NOT NULL").unwrap();
    assert!(stored.len() == 64 && !stored.contains("mine"), "{stored}");
}

both!(a_key_that_is_none_is_told);
fn a_key_that_is_none_is_told(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    for key in ["", "caf\u{e9}", &"k".repeat(256)] {
        let detail = "Idempotency-Key must have 1 to 255 printable ASCII characters.";
        refresh_under(&server, &pair.refresh, key).expect(400, json!({"detail": detail}));
    }
    refresh_under(&server, &pair.refresh, &"k".repeat(255)).expect_status(200);
}

both!(a_grace_repeats_a_refresh_without_a_key);
fn a_grace_repeats_a_refresh_without_a_key(backend: Backend) {
    let server = Server::with(backend, &[("REFRESH_GRACE", "20s"), ("REUSE_ALARM_AFTER", "30s")]);
    server.add_user("alice");
    let first = server.log_in("alice");
    let lost = Pair::of(&server.refresh(&first.refresh));
    server.advance(19);
    assert_eq!(Pair::of(&server.refresh(&first.refresh)).refresh, lost.refresh);
    refresh_under(&server, &first.refresh, "a key").expect(401, refused());
    server.advance(1);
    server.refresh(&first.refresh).expect(401, refused());
    assert_eq!(count(&server, "ended_at IS NOT NULL"), 0);
}

both!(a_retry_looks_at_user_and_session_again);
fn a_retry_looks_at_user_and_session_again(backend: Backend) {
    let server = Server::with(backend, &[("END_SESSIONS_ON_USER_CHANGE", "false")]);
    let alice = server.add_user("alice");
    let first = server.log_in("alice");
    Pair::of(&refresh_under(&server, &first.refresh, "key"));
    server.set_active(alice.id, false);
    let gone = json!({"detail": "No active account found for the given token."});
    refresh_under(&server, &first.refresh, "key").expect(401, gone);
    server.set_active(alice.id, true);
    let pair = Pair::of(&refresh_under(&server, &first.refresh, "key"));
    logout(&server, &pair.access, &json!({"all": true})).expect_status(200);
    refresh_under(&server, &first.refresh, "key").expect(401, refused());
}

both!(a_session_is_as_old_as_it_may_be);
fn a_session_is_as_old_as_it_may_be(backend: Backend) {
    let server = Server::with(backend, &[("SESSION_MAX_AGE", "1h"), ("JWT_REFRESH_TOKEN_LIFETIME", "40m")]);
    server.add_user("alice");
    let first = server.log_in("alice");
    server.advance(39 * 60);
    let second = Pair::of(&server.refresh(&first.refresh));
    // Its last token ends with it.
    assert_eq!(claims(&second.refresh)["exp"], crate::harness::server::NOW + 3600);
    server.advance(21 * 60);
    server.refresh(&second.refresh).expect(401, json!({"detail": "Token is expired", "code": "token_not_valid"}));
}

both!(an_idle_session_ends);
fn an_idle_session_ends(backend: Backend) {
    let server = Server::with(backend, &[("SESSION_IDLE_TIMEOUT", "1h")]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    server.advance(3599);
    let pair = Pair::of(&server.refresh(&pair.refresh));
    server.advance(3600);
    server.refresh(&pair.refresh).expect(401, ended());
    assert_eq!(count(&server, "end_reason = 'idle'"), 1);
    server.refresh(&pair.refresh).expect(401, refused());
}

both!(of_too_many_sessions_the_oldest_ends);
fn of_too_many_sessions_the_oldest_ends(backend: Backend) {
    let server = Server::with(backend, &[("SESSION_MAX_PER_USER", "2")]);
    server.add_user("alice");
    let mut pairs = Vec::new();
    for _ in 0..3 {
        pairs.push(server.log_in("alice"));
        server.advance(1);
    }
    server.refresh(&pairs[0].refresh).expect(401, refused());
    server.refresh(&pairs[1].refresh).expect_status(200);
    server.refresh(&pairs[2].refresh).expect_status(200);
    assert_eq!(count(&server, "end_reason = 'too_many'"), 1);
}

both!(a_logout_ends_the_session_even_with_a_rotated_token);
fn a_logout_ends_the_session_even_with_a_rotated_token(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    server.add_user("mallory");
    let first = server.log_in("alice");
    let second = Pair::of(&server.refresh(&first.refresh));
    let mallory = server.log_in("mallory");
    let foreign = json!({"refresh_token": ["The refresh token belongs to another user."]});
    logout(&server, &mallory.access, &json!({"refresh_token": first.refresh})).expect(400, foreign);
    let goodbye = json!({"status": "OK, goodbye"});
    logout(&server, &second.access, &json!({"refresh_token": first.refresh})).expect(200, goodbye);
    server.refresh(&second.refresh).expect(401, refused());
    // The same again, and after it a plain used one.
    logout(&server, &second.access, &json!({"refresh_token": first.refresh})).expect_status(200);
    logout(&server, &second.access, &json!({"refresh_token": second.refresh})).expect_status(400);
    logout(&server, &second.access, &json!({})).expect_status(400);
}

both!(others_ends_every_session_but_this_one);
fn others_ends_every_session_but_this_one(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let (here, there) = (server.log_in("alice"), server.log_in("alice"));
    let done = json!({"status": "OK, all other sessions ended"});
    logout(&server, &here.access, &json!({"others": true})).expect(200, done.clone());
    server.refresh(&there.refresh).expect(401, refused());
    let here = Pair::of(&server.refresh(&here.refresh));
    // The refresh token names the session where the access token does not.
    let nameless = forge::token("access", 1, |_| {});
    logout(&server, &nameless, &json!({"others": true})).expect_status(400);
    let there = server.log_in("alice");
    logout(&server, &nameless, &json!({"others": true, "refresh_token": here.refresh})).expect(200, done);
    server.refresh(&there.refresh).expect(401, refused());
    server.refresh(&here.refresh).expect_status(200);
}

both!(with_the_check_an_access_token_dies_with_its_session);
fn with_the_check_an_access_token_dies_with_its_session(backend: Backend) {
    let server = Server::with(backend, &[("JWT_CHECK_SESSION", "true")]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    server.me(&pair.access).expect_status(200);
    logout(&server, &pair.access, &json!({"refresh_token": pair.refresh})).expect_status(200);
    server.me(&pair.access).expect(401, ended());
    server.client.post("/api/token/verify/", &json!({"token": pair.access})).expect(401, ended());
    // A token that names no session has none that could end; one that names nobody's session is refused.
    server.me(&forge::token("access", 1, |_| {})).expect_status(200);
    server.me(&forge::token("access", 1, |claims| claims["sid"] = json!("0"))).expect(401, ended());
}

both!(a_token_of_django_gets_a_session_at_its_first_refresh);
fn a_token_of_django_gets_a_session_at_its_first_refresh(backend: Backend) {
    let server = Server::start(backend);
    let alice = server.add_user("alice");
    let pair = Pair::of(&server.refresh(&forge::token("refresh", alice.id, |_| {})));
    let session = claims(&pair.refresh)["sid"].clone();
    assert_eq!(claims(&pair.access)["sid"], session);
    assert_eq!(count(&server, "ended_at IS NULL"), 1);
    // One that a Django beside us rotated still names its session: it joins that, and raises no alarm.
    let rotated = forge::token("refresh", alice.id, |claims| {
        claims["jti"] = json!("b".repeat(32));
        claims["sid"] = session.clone();
    });
    let pair = Pair::of(&server.refresh(&rotated));
    assert_eq!(claims(&pair.refresh)["sid"], session);
    assert_eq!(count(&server, "ended_at IS NULL"), 1);
    // And when the session ends it is refused, although nobody here has seen it.
    logout(&server, &pair.access, &json!({"refresh_token": pair.refresh})).expect_status(200);
    let unseen = forge::token("refresh", alice.id, |claims| {
        claims["jti"] = json!("c".repeat(32));
        claims["sid"] = session.clone();
    });
    server.refresh(&unseen).expect(401, ended());
}

both!(without_rotation_a_session_is_noted_once_a_minute);
fn without_rotation_a_session_is_noted_once_a_minute(backend: Backend) {
    let server = Server::with(backend, &[("JWT_ROTATE_REFRESH_TOKENS", "false"), ("SESSION_IDLE_TIMEOUT", "1h")]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    for _ in 0..3 {
        server.advance(3000);
        server.refresh(&pair.refresh).expect_status(200);
    }
    let before = server.app.db.statements();
    server.refresh(&pair.refresh).expect_status(200);
    assert_eq!(server.app.db.statements() - before, 2);
    server.advance(3600);
    server.refresh(&pair.refresh).expect(401, ended());
}

both!(a_deleted_user_leaves_nothing_that_refreshes);
fn a_deleted_user_leaves_nothing_that_refreshes(backend: Backend) {
    let server = Server::start(backend);
    let alice = server.add_user("alice");
    let pair = server.log_in("alice");
    server.delete(alice.id);
    server.refresh(&pair.refresh).expect(401, refused());
    let never_seen = forge::token("refresh", alice.id, |_| {});
    let gone = json!({"detail": "No active account found for the given token."});
    server.refresh(&never_seen).expect(401, gone);
    assert_eq!(count(&server, "1 = 1"), 0);
}

both!(a_changed_password_ends_the_sessions);
fn a_changed_password_ends_the_sessions(backend: Backend) {
    let server = Server::start(backend);
    let alice = server.add_user("alice");
    let pair = server.log_in("alice");
    server.set_password(alice.id, "another-violet-harbour");
    server.refresh(&pair.refresh).expect(401, refused());
    assert_eq!(count(&server, "end_reason = 'password_change' AND ended_by = 'Command line'"), 1);
}

both!(no_refresh_makes_a_sliding_token_outlive_its_session);
fn no_refresh_makes_a_sliding_token_outlive_its_session(backend: Backend) {
    let server = Server::with(backend, &[("SESSION_MAX_AGE", "1h"), ("JWT_SLIDING_TOKEN_LIFETIME", "50m")]);
    server.add_user("alice");
    let login = json!({"username": "alice", "password": crate::harness::PASSWORD});
    let token = server.client.post("/api/token/sliding/", &login).json()["token"].clone();
    server.advance(1800);
    let later = server.client.post("/api/token/sliding/refresh/", &json!({"token": token})).json();
    let end = crate::harness::server::NOW + 3600;
    assert_eq!(claims(later["token"].as_str().unwrap())["exp"], end);
}

both!(a_token_stays_with_its_owner_when_the_name_goes_to_somebody_else);
fn a_token_stays_with_its_owner_when_the_name_goes_to_somebody_else(backend: Backend) {
    for rotate in ["true", "false"] {
        let settings = [("JWT_USER_ID_FIELD", "email"), ("JWT_ROTATE_REFRESH_TOKENS", rotate)];
        let server = Server::with(backend, &settings);
        server.add_user("alice");
        let pair = server.log_in("alice");
        server.add_user("bob");
        server.db.execute("UPDATE auth_user SET email = 'old@example.com' WHERE username = 'alice'");
        server.db.execute("UPDATE auth_user SET email = 'alice@example.com' WHERE username = 'bob'");
        let gone = json!({"detail": "No active account found for the given token."});
        server.refresh(&pair.refresh).expect(401, gone);
    }
}
