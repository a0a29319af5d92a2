//! Taking a factor away, and new recovery codes: for a factor, of one's own, once.

use latchkey::accounts::confirm::Confirmed;
use latchkey::db::types::{RowId, UserId};
use latchkey::factors::remove;
use serde_json::{Value, json};

use super::{App, CHALLENGE, FACTORS, FINISH, stage, stage_with_mail};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server};

const CODES: &str = "/api/second-factors/recovery-codes/";

fn with_totp(server: &Server, app: &App, challenge: &str) -> Value {
    json!({"challenge": challenge, "method": "totp", "code": server.totp(app)})
}

fn remove_factor(server: &Server, access: &str, id: i64, body: &Value) -> Answer {
    server.client.bearer("DELETE", &format!("{FACTORS}{id}/"), access, body)
}

both!(removing_asks_for_a_factor_and_ends_everything_with_the_last);
fn removing_asks_for_a_factor_and_ends_everything_with_the_last(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let app = server.enrol_totp("alice");
    let body =
        json!({"challenge": server.challenge("alice"), "method": "totp", "code": server.totp(&app), "remember": true});
    let access = Pair::of(&server.client.post(FINISH, &body)).access;
    server.advance(30);
    let required = json!(["This field is required."]);
    remove_factor(&server, &access, app.id, &json!({})).expect(400, json!({"challenge": required, "method": required}));
    // A login is no removal, nor the other way round.
    let none = json!({"challenge": ["The challenge is invalid or has expired."]});
    let login = server.challenge("alice");
    remove_factor(&server, &access, app.id, &with_totp(&server, &app, &login)).expect(400, none.clone());
    let challenge = server.confirm_challenge(&access);
    super::assert_no_challenge(&server.answer(&challenge, "totp", &server.totp(&app)));
    let wrong = json!({"challenge": challenge, "method": "totp", "code": "000000"});
    let refused = json!({"code": ["The code is wrong or was used before."]});
    remove_factor(&server, &access, app.id, &wrong).expect(400, refused);
    let body = with_totp(&server, &app, &challenge);
    remove_factor(&server, &access, app.id, &body).expect_status(204);
    remove_factor(&server, &access, app.id, &body).expect(400, none);
    let left = "SELECT (SELECT count(*) FROM latchkey_second_factor) + (SELECT count(*) FROM latchkey_recovery_code) \
                + (SELECT count(*) FROM latchkey_browser)";
    assert_eq!(server.db.count(left), 0);
    server.log_in("alice");
    let no_factor = json!({"detail": "No SecondFactor matches the given query."});
    server.client.bearer("POST", CHALLENGE, &access, &json!({})).expect(404, no_factor);
    server.deliver_mail();
    assert!(smtp.received().iter().any(|mail| mail.text.contains("removed")), "nobody was told");
}

both!(only_one_s_own_factors_with_one_s_own_challenge);
fn only_one_s_own_factors_with_one_s_own_challenge(backend: Backend) {
    let server = stage(backend, &[]);
    server.add_user("bob");
    let (alice, bob) = (server.log_in("alice").access, server.log_in("bob").access);
    let (alices, bobs) = (server.enrol_totp("alice"), server.enrol_totp("bob"));
    // Bob's answer does not remove a factor of alice, whoever names it.
    let challenge = server.confirm_challenge(&bob);
    let body = with_totp(&server, &bobs, &challenge);
    let none = json!({"challenge": ["The challenge is invalid or has expired."]});
    remove_factor(&server, &alice, alices.id, &body).expect(400, none.clone());
    remove_factor(&server, &bob, alices.id, &body).expect_status(404);
    server.client.bearer("POST", CODES, &alice, &with_totp(&server, &bobs, &challenge)).expect(400, none);
    assert_eq!(server.factor_rows(), 2);
    server.client.send("DELETE", &format!("{FACTORS}{}/", alices.id), &[], "").expect_status(401);
    let challenge = server.confirm_challenge(&alice);
    let body = with_totp(&server, &alices, &challenge);
    server.client.bearer("DELETE", &format!("{FACTORS}nonsense/"), &alice, &body).expect_status(404);
}

both!(every_method_confirms_a_removal);
fn every_method_confirms_a_removal(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[("JWT_ACCESS_TOKEN_LIFETIME", "1h")]);
    let access = server.log_in("alice").access;
    let mut passkey = server.authenticator("key");
    let codes = server.enrol_passkey(&access, &mut passkey)["recovery_codes"].clone();
    server.enrol_email(&smtp, &access);
    let ids = |kind: &str| -> i64 {
        server.db.count(&format!("SELECT id FROM latchkey_second_factor WHERE kind = '{kind}'"))
    };
    let challenge = server.confirm_challenge(&access);
    server.client.post("/api/token/second-factor/email/", &json!({"challenge": challenge})).expect_status(200);
    let code = server.mailed_code(&smtp);
    let body = json!({"challenge": challenge, "method": "email", "code": code});
    remove_factor(&server, &access, ids("email"), &body).expect_status(204);

    let challenge = server.confirm_challenge(&access);
    let body = json!({"challenge": challenge, "method": "recovery", "code": codes[0]});
    let fresh = server.client.bearer("POST", CODES, &access, &body).expect_status(200).json();
    let challenge = server.confirm_challenge(&access);
    let asked = server.client.post("/api/token/second-factor/passkey/", &json!({"challenge": challenge}));
    let credential = passkey.get(&asked.expect_status(200).json()["options"]);
    // An old recovery code is worth nothing, a new one is.
    let old = json!({"challenge": challenge, "method": "recovery", "code": codes[1]});
    server.client.bearer("POST", CODES, &access, &old).expect_status(400);
    assert_eq!(fresh["recovery_codes"].as_array().unwrap().len(), 10);
    let body = json!({"challenge": challenge, "method": "passkey", "credential": credential});
    remove_factor(&server, &access, ids("passkey"), &body).expect_status(204);
    server.log_in("alice");
}

both!(a_removed_factor_opens_nothing);
fn a_removed_factor_opens_nothing(backend: Backend) {
    let server = stage(backend, &[]);
    let access = server.log_in("alice").access;
    let app = server.enrol_totp("alice");
    let mut passkey = server.authenticator("key");
    server.enrol_passkey(&access, &mut passkey);
    let waits = server.challenge("alice");
    let alice = UserId::Integer(server.db.count("SELECT id FROM auth_user"));
    // A superuser helps who lost the phone.
    let by = Confirmed::command_line();
    let removed = remove::remove_of(&server.app, &by, alice, RowId(app.id));
    assert!(server.wait(removed).unwrap());
    super::assert_wrong(&server.answer(&waits, "totp", &server.totp(&app)));
    assert_eq!(server.obtain("alice", PASSWORD).json()["methods"], json!(["passkey"]));
    let entry = "SELECT actor AS t FROM latchkey_audit_log WHERE action = 'second_factor.remove'";
    assert_eq!(server.text(entry), "Command line");
}
