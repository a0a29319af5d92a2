//! Adding a factor: by who gives the password again, confirmed before it counts, and told by mail.

use serde_json::{Value, json};

use super::{CONFIRM, FACTORS, stage, stage_with_mail, text, totp_at};
use crate::harness::{Backend, PASSWORD};

both!(adding_asks_for_the_password_and_counts_when_it_is_confirmed);
fn adding_asks_for_the_password_and_counts_when_it_is_confirmed(backend: Backend) {
    let server = stage(backend, &[]);
    let access = server.log_in("alice").access;
    let ask = |body: Value| server.client.bearer("POST", FACTORS, &access, &body);
    ask(json!({"kind": "totp"})).expect(400, json!({"password": ["This field is required."]}));
    let wrong = json!({"password": ["Your password was entered incorrectly. Please enter it again."]});
    ask(json!({"kind": "totp", "password": "wrong"})).expect(400, wrong);
    let unknown = json!({"kind": ["\"sms\" is not a valid choice."]});
    ask(json!({"kind": "sms", "password": PASSWORD})).expect(400, unknown);
    let not_logged_in = json!({"detail": "Authentication credentials were not provided."});
    server.client.post(FACTORS, &json!({"kind": "totp", "password": PASSWORD})).expect(401, not_logged_in);

    let started = server.begin_factor(&access, "totp").expect_status(200).json();
    let (secret, uri, qr) = (text(&started, "secret"), text(&started, "uri"), text(&started, "qr"));
    assert!(uri.starts_with("otpauth://totp/Latchkey:alice?") && uri.contains(&format!("secret={secret}")), "{uri}");
    assert!(qr.starts_with("<svg ") && qr.ends_with("</svg>"));
    server.log_in("alice");
    let refused = json!({"code": ["The code is wrong or was used before."]});
    let confirm = |code: &str| server.client.post(CONFIRM, &json!({"enrolment": started["enrolment"], "code": code}));
    confirm("000000").expect(400, refused);
    let code = totp_at(&secret, server.time());
    let done = confirm(&code).expect_status(200).json();
    assert_eq!((&done["factor"]["kind"], &done["factor"]["name"]), (&json!("totp"), &json!("Authenticator app")));
    confirm(&code).expect(400, json!({"enrolment": ["The challenge is invalid or has expired."]}));
    server.obtain("alice", PASSWORD).expect_status(401);
    // The access token of before goes on, but there is one of this kind now.
    let exists = json!({"kind": ["You already have one. Remove it first."]});
    server.begin_factor(&access, "totp").expect(400, exists);
}

both!(an_enrolment_ends_after_five_tries_or_a_quarter_of_an_hour);
fn an_enrolment_ends_after_five_tries_or_a_quarter_of_an_hour(backend: Backend) {
    let server = stage(backend, &[("JWT_ACCESS_TOKEN_LIFETIME", "1h")]);
    let access = server.log_in("alice").access;
    let begin = || server.begin_factor(&access, "totp").expect_status(200).json();
    let confirm = |started: &Value, code: &str| {
        server.client.post(CONFIRM, &json!({"enrolment": started["enrolment"], "code": code})).status
    };
    let started = begin();
    (0..5).for_each(|_| assert_eq!(confirm(&started, "000000"), 400));
    assert_eq!(confirm(&started, &totp_at(&text(&started, "secret"), server.time())), 400);
    let started = begin();
    server.advance(15 * 60);
    assert_eq!(confirm(&started, &totp_at(&text(&started, "secret"), server.time())), 400);
    assert_eq!(server.factor_rows(), 0);
}

both!(the_list_shows_what_there_is);
fn the_list_shows_what_there_is(backend: Backend) {
    let server = stage(backend, &[]);
    let access = server.log_in("alice").access;
    let list = || server.client.bearer("GET", FACTORS, &access, &Value::Null).expect_status(200).json();
    assert_eq!(list(), json!({"factors": [], "recovery_codes": 0, "required": false, "browsers": []}));
    let app = server.enrol_totp("alice");
    server.answer(&server.challenge("alice"), "recovery", &app.recovery_codes[3]).expect_status(200);
    let listed = list();
    assert_eq!((&listed["recovery_codes"], &listed["factors"][0]["last_used_at"]), (&json!(9), &Value::Null));
    server.log_in_with("alice", &app);
    assert!(list()["factors"][0]["last_used_at"].is_string());
    server.client.get(FACTORS, &[]).expect_status(401);
}

both!(users_are_told_of_a_new_factor_and_it_is_written_down);
fn users_are_told_of_a_new_factor_and_it_is_written_down(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    server.enrol_totp("alice");
    server.deliver_mail();
    let mail = smtp.last_to("alice@example.com");
    assert!(mail.text.contains("An authenticator app"), "{}", mail.text);
    let detail = server.text("SELECT detail AS t FROM latchkey_audit_log WHERE action = 'second_factor.add'");
    assert_eq!(detail, r#"{"kind":"totp","name":"Authenticator app"}"#);
}

both!(a_factor_makes_eight_characters_enough_but_email_does_not);
fn a_factor_makes_eight_characters_enough_but_email_does_not(backend: Backend) {
    let (smtp, server) =
        stage_with_mail(backend, &[("PASSWORD_RULES", "nist"), ("END_SESSIONS_ON_USER_CHANGE", "false")]);
    let access = server.log_in("alice").access;
    let change = |new: &str| {
        let body = json!({"old_password": PASSWORD, "new_password": new});
        server.client.bearer("POST", "/api/password/change/", &access, &body).status
    };
    assert_eq!(change("harbour7"), 400);
    server.enrol_email(&smtp, &access);
    assert_eq!(change("harbour7"), 400, "NIST SP 800-63B-4 counts no codes by email");
    let started = server.begin_factor(&access, "totp").expect_status(200).json();
    let code = totp_at(&text(&started, "secret"), server.time());
    let body = json!({"enrolment": started["enrolment"], "code": code});
    server.client.post(CONFIRM, &body).expect_status(200);
    assert_eq!(change("harbour"), 400);
    assert_eq!(change("harbour7"), 200);
}
