//! A login that waits for a code of an authenticator app: what is asked, what it gives, and that everything in it is good
//! once.

use std::thread;

use serde_json::json;

use super::{App, FINISH, LOGIN, assert_no_challenge, assert_wrong, stage, stage_with_mail, totp_at};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server, forge};

both!(the_password_alone_brings_a_challenge_and_the_code_what_was_asked_for);
fn the_password_alone_brings_a_challenge_and_the_code_what_was_asked_for(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let sessions = server.db.count("SELECT count(*) FROM latchkey_session");
    let asked = server.obtain("alice", PASSWORD);
    let challenge = asked.json()["challenge"].as_str().unwrap().to_owned();
    asked.expect(
        401,
        json!({
            "detail": "Second factor required",
            "code": "second_factor_required",
            "challenge": challenge,
            "methods": ["totp", "recovery"],
        }),
    );
    assert_eq!(asked.header("www-authenticate"), Some("Bearer realm=\"api\""));
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_session"), sessions);
    let pair = Pair::of(&server.answer(&challenge, "totp", &server.totp(&app)));
    server.me(&pair.access).expect_status(200);
    server.refresh(&pair.refresh).expect_status(200);
    let detail =
        server.text("SELECT detail AS t FROM latchkey_audit_log WHERE action = 'login' ORDER BY id DESC LIMIT 1");
    assert!(detail.contains(r#""second_factor":"totp""#), "{detail}");
}

both!(who_has_no_factor_logs_in_as_ever);
fn who_has_no_factor_logs_in_as_ever(backend: Backend) {
    let server = stage(backend, &[]);
    server.add_user("bob");
    server.enrol_totp("alice");
    server.log_in("bob");
    server
        .obtain("alice", "wrong")
        .expect(401, json!({"detail": "No active account found with the given credentials"}));
}

both!(a_code_works_once_also_in_another_challenge);
fn a_code_works_once_also_in_another_challenge(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let (first, second) = (server.challenge("alice"), server.challenge("alice"));
    let code = server.totp(&app);
    Pair::of(&server.answer(&first, "totp", &code));
    assert_no_challenge(&server.answer(&first, "totp", &code));
    assert_wrong(&server.answer(&second, "totp", &code));
    // Nor does one of the step before.
    assert_wrong(&server.answer(&second, "totp", &totp_at(&app.secret, server.time() - 30)));
    server.advance(30);
    Pair::of(&server.answer(&second, "totp", &server.totp(&app)));
}

both!(the_code_of_the_enrolment_is_used_up);
fn the_code_of_the_enrolment_is_used_up(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let challenge = server.challenge("alice");
    assert_wrong(&server.answer(&challenge, "totp", &totp_at(&app.secret, server.time() - 30)));
}

both!(one_step_of_drift_is_forgiven_and_no_more);
fn one_step_of_drift_is_forgiven_and_no_more(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    server.advance(300);
    let at = |steps: i64| totp_at(&app.secret, server.time() + 30 * steps);
    let challenge = server.challenge("alice");
    assert_wrong(&server.answer(&challenge, "totp", &at(-2)));
    assert_wrong(&server.answer(&challenge, "totp", &at(2)));
    Pair::of(&server.answer(&challenge, "totp", &at(-1)));
    Pair::of(&server.answer(&server.challenge("alice"), "totp", &at(1)));
}

/// Eight answers at once.
fn race(server: &Server, challenges: &[String], code: &str, method: &str) -> Vec<Answer> {
    thread::scope(|scope| {
        let tries: Vec<_> = challenges
            .iter()
            .map(|challenge| {
                let body = json!({"challenge": challenge, "method": method, "code": code});
                scope.spawn(move || server.client.clone().post(FINISH, &body))
            })
            .collect();
        tries.into_iter().map(|each| each.join().unwrap()).collect()
    })
}

#[track_caller]
fn assert_one_won(answers: &[Answer]) {
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), answers.len() - 1, "{statuses:?}");
}

both!(of_eight_who_use_one_code_at_once_one_wins);
fn of_eight_who_use_one_code_at_once_one_wins(backend: Backend) {
    let server = stage(backend, &[("LOGIN_THROTTLE", "false")]);
    let app = server.enrol_totp("alice");
    let sessions = || server.db.count("SELECT count(*) FROM latchkey_session");
    let before = sessions();
    let one = vec![server.challenge("alice"); 8];
    assert_one_won(&race(&server, &one, &server.totp(&app), "totp"));
    server.advance(30);
    let several: Vec<_> = (0..8).map(|_| server.challenge("alice")).collect();
    assert_one_won(&race(&server, &several, &server.totp(&app), "totp"));
    let several: Vec<_> = (0..8).map(|_| server.challenge("alice")).collect();
    assert_one_won(&race(&server, &several, &app.recovery_codes[0], "recovery"));
    assert_eq!(sessions() - before, 3);
}

both!(a_challenge_waits_a_quarter_of_an_hour);
fn a_challenge_waits_a_quarter_of_an_hour(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let challenge = server.challenge("alice");
    server.advance(15 * 60 - 1);
    assert_wrong(&server.answer(&challenge, "totp", "000000"));
    server.advance(1);
    assert_no_challenge(&server.answer(&challenge, "totp", &server.totp(&app)));
    assert_no_challenge(&server.answer("nonsense", "totp", &server.totp(&app)));
}

both!(a_challenge_dies_with_the_password_and_with_its_user);
fn a_challenge_dies_with_the_password_and_with_its_user(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let alice = latchkey::db::types::UserId::Integer(server.db.count("SELECT id FROM auth_user"));
    let challenge = server.challenge("alice");
    server.set_password(alice, PASSWORD);
    assert_no_challenge(&server.answer(&challenge, "totp", &server.totp(&app)));
    let challenge = server.challenge("alice");
    server.set_active(alice, false);
    assert_no_challenge(&server.answer(&challenge, "totp", &server.totp(&app)));
}

both!(a_challenge_is_of_one_user);
fn a_challenge_is_of_one_user(backend: Backend) {
    let server = stage(backend, &[]);
    server.add_user("bob");
    let (alices, bobs) = (server.enrol_totp("alice"), server.enrol_totp("bob"));
    let challenge = server.challenge("alice");
    assert_wrong(&server.answer(&challenge, "totp", &server.totp(&bobs)));
    assert_wrong(&server.answer(&challenge, "recovery", &bobs.recovery_codes[0]));
    let pair = Pair::of(&server.answer(&challenge, "totp", &server.totp(&alices)));
    assert_eq!(server.me(&pair.access).json()["username"], "alice");
}

both!(each_recovery_code_works_once_however_it_is_typed);
fn each_recovery_code_works_once_however_it_is_typed(backend: Backend) {
    let server = stage(backend, &[]);
    let App { recovery_codes, .. } = server.enrol_totp("alice");
    assert_eq!(recovery_codes.len(), 10);
    let typed = recovery_codes[0].to_uppercase().replace('-', " ");
    Pair::of(&server.answer(&server.challenge("alice"), "recovery", &typed));
    assert_wrong(&server.answer(&server.challenge("alice"), "recovery", &recovery_codes[0]));
    for code in &recovery_codes[1..] {
        Pair::of(&server.answer(&server.challenge("alice"), "recovery", code));
    }
    let methods =
        server.client.post(LOGIN, &json!({"username": "alice", "password": PASSWORD})).json()["methods"].clone();
    assert_eq!(methods, json!(["totp"]));
}

both!(tokens_say_how_and_when_their_user_logged_in_where_that_is_wanted);
fn tokens_say_how_and_when_their_user_logged_in_where_that_is_wanted(backend: Backend) {
    let server = stage(backend, &[("JWT_AUTH_CLAIMS", "true")]);
    let claims = forge::claims(&server.log_in("alice").access);
    assert_eq!((&claims["amr"], claims["auth_time"].as_i64()), (&json!(["pwd"]), Some(server.time())));
    let app = server.enrol_totp("alice");
    let at = server.time();
    let pair = server.log_in_with("alice", &app);
    let refreshed = Pair::of(&server.refresh(&pair.refresh));
    for token in [pair.access, pair.refresh, refreshed.access, refreshed.refresh] {
        let claims = forge::claims(&token);
        assert_eq!((&claims["amr"], claims["auth_time"].as_i64()), (&json!(["pwd", "otp", "mfa"]), Some(at)));
    }
    // Codes by email are no second factor that others should trust.
    let (smtp, server) = stage_with_mail(backend, &[("JWT_AUTH_CLAIMS", "true")]);
    server.enrol_email(&smtp, &server.log_in("alice").access);
    let challenge = server.challenge("alice");
    server.client.post("/api/token/second-factor/email/", &json!({"challenge": challenge})).expect_status(200);
    let pair = Pair::of(&server.answer(&challenge, "email", &server.mailed_code(&smtp)));
    assert_eq!(forge::claims(&pair.access)["amr"], json!(["pwd", "otp"]));
    let plain = stage(backend, &[]);
    let claims = forge::claims(&plain.log_in("alice").access);
    assert!(claims.get("amr").is_none() && claims.get("auth_time").is_none());
}

both!(what_is_no_answer_is_named_field_by_field);
fn what_is_no_answer_is_named_field_by_field(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let challenge = server.challenge("alice");
    let required = json!(["This field is required."]);
    let ask = |body| server.client.post(FINISH, &body);
    ask(json!({})).expect(400, json!({"challenge": required, "method": required}));
    ask(json!({"challenge": challenge, "method": "totp"})).expect(400, json!({"code": required}));
    ask(json!({"challenge": challenge, "method": "passkey"})).expect(400, json!({"credential": required}));
    let no_method = json!({"method": ["\"sms\" is not a valid choice."]});
    ask(json!({"challenge": challenge, "method": "sms", "code": "1"})).expect(400, no_method);
    for bad in [json!([]), json!("x"), json!(1), json!("[1]")] {
        let body = json!({"challenge": challenge, "method": "passkey", "credential": bad});
        ask(body).expect(400, json!({"credential": ["Not a valid JSON object."]}));
    }
    // Nothing of that was a try.
    Pair::of(&server.answer(&challenge, "totp", &server.totp(&app)));
}
