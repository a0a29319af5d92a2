//! Remembered browsers: no second factor is asked for there, for a while, for one user, under one password.

use latchkey::db::types::UserId;
use serde_json::{Value, json};

use super::{App, FACTORS, FINISH, LOGIN, stage};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server, forge};

const DAY: i64 = 24 * 3600;

fn remember(server: &Server, app: &App) -> Answer {
    let body = json!({
        "challenge": server.challenge("alice"),
        "method": "totp",
        "code": server.totp(app),
        "remember": true,
    });
    let answer = server.client.post(FINISH, &body);
    server.advance(30);
    answer
}

fn device_token(server: &Server, app: &App) -> String {
    super::text(&remember(server, app).expect_status(200).json(), "device_token")
}

fn log_in_at(server: &Server, username: &str, device: &str) -> Answer {
    server.client.post(LOGIN, &json!({"username": username, "password": PASSWORD, "device_token": device}))
}

#[track_caller]
fn assert_asked(answer: &Answer) {
    assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("second_factor_required")));
}

both!(a_remembered_browser_is_asked_for_the_password_alone);
fn a_remembered_browser_is_asked_for_the_password_alone(backend: Backend) {
    let server = stage(backend, &[("JWT_AUTH_CLAIMS", "true")]);
    let app = server.enrol_totp("alice");
    let device = device_token(&server, &app);
    let pair = Pair::of(&log_in_at(&server, "alice", &device));
    // The tokens do not say that a factor was shown.
    assert_eq!(forge::claims(&pair.access)["amr"], json!(["pwd"]));
    let sliding = json!({"username": "alice", "password": PASSWORD, "device_token": device});
    server.client.post("/api/token/sliding/", &sliding).expect_status(200);
    for other in ["", "nonsense", &device.to_lowercase()] {
        assert_asked(&log_in_at(&server, "alice", other));
    }
    assert_asked(&server.client.post(LOGIN, &json!({"username": "alice", "password": PASSWORD, "device_token": [1]})));
    let wrong = json!({"username": "alice", "password": "wrong", "device_token": device});
    server.client.post(LOGIN, &wrong).expect_status(401);
    assert!(server.answer(&server.challenge("alice"), "totp", &server.totp(&app)).json().get("device_token").is_none());
}

both!(it_is_forgotten_after_thirty_days);
fn it_is_forgotten_after_thirty_days(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let device = device_token(&server, &app);
    server.advance(30 * DAY - 31);
    log_in_at(&server, "alice", &device).expect_status(200);
    server.advance(1);
    assert_asked(&log_in_at(&server, "alice", &device));
    server.wait(latchkey::accounts::upkeep::once(&server.app)).unwrap();
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_browser"), 1, "its last second");
    server.advance(1);
    server.wait(latchkey::accounts::upkeep::once(&server.app)).unwrap();
    let left = "SELECT (SELECT count(*) FROM latchkey_browser) + (SELECT count(*) FROM latchkey_challenge)";
    assert!(server.db.count(left) <= 1, "only the challenge of a second ago");
}

both!(it_is_of_one_user);
fn it_is_of_one_user(backend: Backend) {
    let server = stage(backend, &[]);
    server.add_user("bob");
    let app = server.enrol_totp("alice");
    server.enrol_totp("bob");
    let device = device_token(&server, &app);
    assert_asked(&log_in_at(&server, "bob", &device));
}

both!(it_ends_with_a_new_password);
fn it_ends_with_a_new_password(backend: Backend) {
    let server = stage(backend, &[]);
    let alice = UserId::Integer(server.db.count("SELECT id FROM auth_user"));
    let app = server.enrol_totp("alice");
    let device = device_token(&server, &app);
    server.set_password(alice, PASSWORD);
    assert_asked(&log_in_at(&server, "alice", &device));
    let access = server.log_in_with("alice", &app).access;
    let listed = server.client.bearer("GET", FACTORS, &access, &Value::Null).json();
    assert_eq!(listed["browsers"], json!([]));
}

both!(it_ends_where_its_user_says_so);
fn it_ends_where_its_user_says_so(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let answer = remember(&server, &app);
    let (access, device) = (Pair::of(&answer).access, super::text(&answer.json(), "device_token"));
    let listed = server.client.bearer("GET", FACTORS, &access, &Value::Null).json();
    let browser = &listed["browsers"][0];
    assert_eq!((browser["ip"].as_str(), browser["device"].as_str()), (Some("127.0.0.1"), Some("latchkey-tests")));
    let path = format!("{FACTORS}browsers/{}/", browser["id"].as_str().unwrap());
    // Not by somebody else.
    server.add_user("bob");
    let bob = server.log_in("bob").access;
    server.client.bearer("DELETE", &path, &bob, &Value::Null).expect_status(404);
    log_in_at(&server, "alice", &device).expect_status(200);
    server.client.bearer("DELETE", &path, &access, &Value::Null).expect_status(204);
    server.client.bearer("DELETE", &path, &access, &Value::Null).expect_status(404);
    assert_asked(&log_in_at(&server, "alice", &device));
}

both!(nothing_is_remembered_where_the_settings_say_so);
fn nothing_is_remembered_where_the_settings_say_so(backend: Backend) {
    let server = stage(backend, &[("SECOND_FACTOR_REMEMBER", "0")]);
    let app = server.enrol_totp("alice");
    let answer = remember(&server, &app);
    assert!(answer.expect_status(200).json().get("device_token").is_none());
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_browser"), 0);
}

both!(a_setting_that_was_shortened_counts_for_those_remembered_before);
fn a_setting_that_was_shortened_counts_for_those_remembered_before(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let device = device_token(&server, &app);
    let later = Server::on(std::sync::Arc::clone(&server.db), &[("SECOND_FACTOR_REMEMBER", "1d")]);
    later.advance(3600);
    log_in_at(&later, "alice", &device).expect_status(200);
    later.advance(DAY);
    assert_asked(&log_in_at(&later, "alice", &device));
    let never = Server::on(std::sync::Arc::clone(&server.db), &[("SECOND_FACTOR_REMEMBER", "0")]);
    never.advance(2 * DAY);
    assert_asked(&log_in_at(&never, "alice", &device));
    let again = Server::on(std::sync::Arc::clone(&server.db), &[]);
    again.advance(3 * DAY);
    log_in_at(&again, "alice", &device).expect_status(200);
}
