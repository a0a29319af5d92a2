//! Guessing a second factor: a challenge dies after five tries, and more challenges bring no more tries.

use std::sync::Arc;

use latchkey::guard::throttle::FACTOR_AT_ADDRESS;
use serde_json::json;

use super::{App, FINISH, LOGIN, assert_no_challenge, assert_wrong, stage, stage_with_mail};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server};

const HOME: &str = "198.51.100.77";

/// A request from an address of the world behind the proxy.
fn from(server: &Server, address: &str, path: &str, body: &serde_json::Value) -> Answer {
    let headers = [("x-forwarded-for", address), ("content-type", "application/json")];
    server.client.send("POST", path, &headers, body.to_string())
}

fn challenge_from(server: &Server, address: &str) -> String {
    let answer = from(server, address, LOGIN, &json!({"username": "alice", "password": PASSWORD}));
    answer.expect_status(401).json()["challenge"].as_str().unwrap().to_owned()
}

fn answer_from(server: &Server, address: &str, challenge: &str, method: &str, code: &str) -> Answer {
    from(server, address, FINISH, &json!({"challenge": challenge, "method": method, "code": code}))
}

both!(five_wrong_tries_kill_a_challenge_whatever_they_are);
fn five_wrong_tries_kill_a_challenge_whatever_they_are(backend: Backend) {
    let server = stage(backend, &[("LOGIN_THROTTLE", "false")]);
    let app = server.enrol_totp("alice");
    let dead = server.challenge("alice");
    for (method, code) in
        [("totp", "000000"), ("recovery", "aaaaa-aaaaa"), ("email", "000000"), ("recovery", ""), ("totp", "x")]
    {
        let code = if code.is_empty() { "-" } else { code };
        assert_wrong(&server.answer(&dead, method, code));
    }
    assert_no_challenge(&server.answer(&dead, "totp", &server.totp(&app)));
    assert_no_challenge(&server.answer(&dead, "recovery", &app.recovery_codes[0]));
    // The fifth may be right.
    let alive = server.challenge("alice");
    (0..4).for_each(|_| assert_wrong(&server.answer(&alive, "totp", "000000")));
    Pair::of(&server.answer(&alive, "totp", &server.totp(&app)));
}

both!(a_hundred_guesses_at_once_are_no_more_than_five);
fn a_hundred_guesses_at_once_are_no_more_than_five(backend: Backend) {
    let server = Arc::new(stage(backend, &[("LOGIN_THROTTLE", "false")]));
    server.enrol_totp("alice");
    let challenge = server.challenge("alice");
    let answers: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|thread| {
                let (server, challenge) = (&server, &challenge);
                scope.spawn(move || {
                    let guess = |number: i32| server.answer(challenge, "recovery", &format!("guess {thread} {number}"));
                    (0..13).map(guess).collect::<Vec<_>>()
                })
            })
            .collect();
        tries.into_iter().flat_map(|each| each.join().unwrap()).collect()
    });
    let looked_at = answers.iter().filter(|answer| answer.json()["code"] == "second_factor_not_valid").count();
    assert_eq!((looked_at, answers.len()), (5, 104));
}

both!(more_challenges_bring_no_more_tries);
fn more_challenges_bring_no_more_tries(backend: Backend) {
    let server = stage(backend, &[("TRUSTED_PROXIES", "127.0.0.1")]);
    let app = server.enrol_totp("alice");
    server.advance(FACTOR_AT_ADDRESS.forget.as_secs().try_into().unwrap());
    for _ in 0..FACTOR_AT_ADDRESS.free {
        let challenge = challenge_from(&server, "192.0.2.1");
        assert_wrong(&answer_from(&server, "192.0.2.1", &challenge, "totp", "000000"));
    }
    let challenge = challenge_from(&server, "192.0.2.1");
    let answer = answer_from(&server, "192.0.2.1", &challenge, "totp", &server.totp(&app));
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    // It was not looked at, so the challenge is as good as before.
    server.advance(30);
    answer_from(&server, "192.0.2.1", &challenge, "totp", &server.totp(&app)).expect_status(200);
    let events = "SELECT count(*) FROM latchkey_audit_log WHERE action = 'login.wrong_factor'";
    assert!(server.db.count(events) >= 1);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_audit_log WHERE action = 'login.throttled'"), 1);
}

both!(strangers_with_the_password_do_not_keep_the_owner_out_at_home);
fn strangers_with_the_password_do_not_keep_the_owner_out_at_home(backend: Backend) {
    let server = stage(backend, &[("TRUSTED_PROXIES", "127.0.0.1")]);
    let app = server.enrol_totp("alice");
    let at_home = || {
        let challenge = challenge_from(&server, HOME);
        answer_from(&server, HOME, &challenge, "totp", &server.totp(&app)).expect_status(200);
        server.advance(30);
    };
    at_home();
    let mut statuses = Vec::new();
    for number in 0..40 {
        let stranger = format!("10.0.{number}.7");
        let challenge = challenge_from(&server, &stranger);
        statuses.push(answer_from(&server, &stranger, &challenge, "totp", "000000").status);
    }
    assert!(statuses.starts_with(&[401; 20]) && statuses.ends_with(&[429; 20]), "{statuses:?}");
    at_home();
}

both!(a_name_that_somebody_types_does_not_hold_back_a_factor);
fn a_name_that_somebody_types_does_not_hold_back_a_factor(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let id = server.db.count("SELECT id FROM auth_user");
    for _ in 0..10 {
        server.obtain(&id.to_string(), "x");
    }
    server.log_in_with("alice", &app);
}

both!(mailed_codes_are_not_sent_without_end);
fn mailed_codes_are_not_sent_without_end(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let access = server.log_in("alice").access;
    server.enrol_email(&smtp, &access);
    let before = smtp.received().len();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let challenge = server.challenge("alice");
        statuses.push(server.client.post("/api/token/second-factor/email/", &json!({"challenge": challenge})).status);
    }
    // The enrolment was the first of five.
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429, 429, 429]);
    server.deliver_mail();
    let codes = smtp.received().len() - before;
    assert!((4..=5).contains(&codes), "four codes, and the notice of the enrolment: {codes}");
}

both!(nothing_that_is_no_code_does_harm);
fn nothing_that_is_no_code_does_harm(backend: Backend) {
    let server = stage(backend, &[("LOGIN_THROTTLE", "false")]);
    let App { .. } = server.enrol_totp("alice");
    for junk in
        ["\u{fffd}", "1e6", "-1", "'; DROP TABLE auth_user; --", &"9".repeat(100_000), "２８７０８２", "000000 000000"]
    {
        for method in ["totp", "email", "recovery"] {
            assert_wrong(&server.answer(&server.challenge("alice"), method, junk));
        }
    }
}
