//! Who must have a second factor: a login without one brings a challenge that is good for enrolment and nothing else.

use latchkey::accounts::confirm::Confirmed;
use latchkey::db::types::UserId;
use latchkey::factors::remove;
use serde_json::{Value, json};

use super::{CONFIRM, FACTORS, assert_no_challenge, stage, stage_with_mail, text, totp_at};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server};

#[track_caller]
fn enrolment_challenge(answer: &Answer) -> String {
    let challenge = text(&answer.json(), "challenge");
    answer.expect(
        401,
        json!({
            "detail": "Second factor enrolment required",
            "code": "second_factor_enrolment_required",
            "challenge": challenge,
        }),
    );
    challenge
}

fn begin(server: &Server, challenge: &str, kind: &str) -> Answer {
    server.client.post(FACTORS, &json!({"kind": kind, "challenge": challenge}))
}

#[track_caller]
fn begin_totp(server: &Server, challenge: &str) -> (Value, String) {
    let started = begin(server, challenge, "totp").expect_status(200).json();
    (started["enrolment"].clone(), totp_at(&text(&started, "secret"), server.time()))
}

both!(who_must_have_a_factor_enrols_before_the_login_goes_on);
fn who_must_have_a_factor_enrols_before_the_login_goes_on(backend: Backend) {
    let server = stage(backend, &[("SECOND_FACTOR", "required"), ("JWT_AUTH_CLAIMS", "true")]);
    let challenge = enrolment_challenge(&server.obtain("alice", PASSWORD));
    // It is good for nothing else.
    assert_no_challenge(&server.answer(&challenge, "totp", "000000"));
    assert_no_challenge(&server.answer(&challenge, "recovery", "000000"));
    server.me(&challenge).expect_status(401);
    server.client.post(FACTORS, &json!({"kind": "totp"})).expect_status(401);
    let (enrolment, code) = begin_totp(&server, &challenge);
    // The enrolment of a login is finished with its challenge, or not at all.
    let alone = server.client.post(CONFIRM, &json!({"enrolment": enrolment, "code": code}));
    alone.expect(400, json!({"enrolment": ["The challenge is invalid or has expired."]}));
    let body = json!({"enrolment": enrolment, "code": code, "challenge": challenge, "name": " My phone "});
    let done = server.client.post(CONFIRM, &body);
    let pair = Pair::of(&done);
    assert_eq!(crate::harness::forge::claims(&pair.access)["amr"], json!(["pwd", "otp", "mfa"]));
    let done = done.json();
    assert_eq!((&done["factor"]["name"], done["recovery_codes"].as_array().unwrap().len()), (&json!("My phone"), 10));
    server.me(&pair.access).expect_status(200);
    server.client.post(CONFIRM, &body).expect_status(400);
    assert_eq!(server.obtain("alice", PASSWORD).json()["code"], "second_factor_required");
}

both!(every_kind_can_be_the_first);
fn every_kind_can_be_the_first(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[("SECOND_FACTOR", "required")]);
    server.add_user("bob");
    let challenge = enrolment_challenge(&server.obtain("alice", PASSWORD));
    let started = begin(&server, &challenge, "email").expect_status(200).json();
    assert_eq!(started.as_object().unwrap().len(), 1, "the address is nobody's business yet: {started}");
    // Mails that wait together come in any order.
    server.mailed_code(&smtp);
    let again = json!({"challenge": started["enrolment"]});
    server.client.post("/api/token/second-factor/email/", &again).expect_status(200);
    let code = server.mailed_code(&smtp);
    let body = json!({"enrolment": started["enrolment"], "code": code, "challenge": challenge});
    Pair::of(&server.client.post(CONFIRM, &body));

    let challenge = enrolment_challenge(&server.obtain("bob", PASSWORD));
    let started = begin(&server, &challenge, "passkey").expect_status(200).json();
    let credential = server.authenticator("bob's").create(&started["options"]);
    let body = json!({"enrolment": started["enrolment"], "credential": credential, "challenge": challenge});
    Pair::of(&server.client.post(CONFIRM, &body));
}

both!(a_sliding_login_goes_on_with_a_sliding_token);
fn a_sliding_login_goes_on_with_a_sliding_token(backend: Backend) {
    let server = stage(backend, &[("SECOND_FACTOR", "required")]);
    let login = json!({"username": "alice", "password": PASSWORD});
    let challenge = enrolment_challenge(&server.client.post("/api/token/sliding/", &login));
    let (enrolment, code) = begin_totp(&server, &challenge);
    let body = json!({"enrolment": enrolment, "code": code, "challenge": challenge});
    let done = server.client.post(CONFIRM, &body).expect_status(200).json();
    assert!(done["token"].is_string() && done.get("access").is_none(), "{done}");
}

both!(who_only_knows_the_password_cannot_add_a_second_factor_beside_the_owner_s);
fn who_only_knows_the_password_cannot_add_a_second_factor_beside_the_owner_s(backend: Backend) {
    let server = stage(backend, &[("SECOND_FACTOR", "required")]);
    let (thief, owner) = (server.obtain("alice", PASSWORD), server.obtain("alice", PASSWORD));
    let (thief, owner) = (enrolment_challenge(&thief), enrolment_challenge(&owner));
    let (thiefs, thiefs_code) = begin_totp(&server, &thief);
    let started = begin(&server, &owner, "passkey").expect_status(200).json();
    let credential = server.authenticator("owner's").create(&started["options"]);
    let body = json!({"enrolment": started["enrolment"], "credential": credential, "challenge": owner});
    Pair::of(&server.client.post(CONFIRM, &body));
    let body = json!({"enrolment": thiefs, "code": thiefs_code, "challenge": thief});
    server.client.post(CONFIRM, &body).expect_status(400);
    assert_eq!(server.factor_rows(), 1);
}

both!(an_enrolment_is_of_the_user_whose_login_waits);
fn an_enrolment_is_of_the_user_whose_login_waits(backend: Backend) {
    let server = stage(backend, &[("SECOND_FACTOR", "required")]);
    server.add_user("bob");
    let alices = enrolment_challenge(&server.obtain("alice", PASSWORD));
    let bobs = enrolment_challenge(&server.obtain("bob", PASSWORD));
    let (enrolment, code) = begin_totp(&server, &bobs);
    let body = json!({"enrolment": enrolment, "code": code, "challenge": alices});
    server.client.post(CONFIRM, &body).expect_status(400);
    assert_eq!(server.factor_rows(), 0, "nothing is done by halves");
}

both!(the_settings_and_superusers_say_who_must);
fn the_settings_and_superusers_say_who_must(backend: Backend) {
    let asks = |server: &Server, name: &str| server.obtain(name, PASSWORD).status == 401;
    for (setting, who) in [("optional", [false; 3]), ("staff", [false, true, true]), ("required", [true; 3])] {
        let server = stage(backend, &[("SECOND_FACTOR", setting)]);
        server.add_staff("sam");
        server.add_superuser("root");
        assert_eq!(["alice", "sam", "root"].map(|name| asks(&server, name)), who, "{setting}");
    }
    let server = stage(backend, &[]);
    let alice = UserId::Integer(server.db.count("SELECT id FROM auth_user"));
    let access = server.log_in("alice").access;
    let require = |is_required| {
        server.wait(remove::require(&server.app, &Confirmed::command_line(), alice, is_required)).unwrap();
    };
    require(true);
    assert!(asks(&server, "alice"));
    let listed = server.client.bearer("GET", FACTORS, &access, &Value::Null).json();
    assert_eq!(listed["required"], true);
    require(false);
    assert!(!asks(&server, "alice"));
    let actions =
        "SELECT count(*) FROM latchkey_audit_log WHERE action IN ('second_factor.require', 'second_factor.unrequire')";
    assert_eq!(server.db.count(actions), 2);
}
