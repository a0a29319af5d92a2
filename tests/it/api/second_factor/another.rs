//! Adding another factor, and what somebody tries who knows the password and has no factor: every door that they find
//! leads nowhere, and the owner is not kept out.

use latchkey::accounts::confirm::Confirmed;
use latchkey::db::types::{EncodedPassword, UserId};
use latchkey::factors::enrol::{self, EnrolError, EnrolmentAuthority};
use latchkey::journal::authentication::FactorKind;
use latchkey::journal::{Actor, Client as From};
use serde_json::json;

use super::{CONFIRM, FACTOR_REQUIRED, FACTORS, FINISH, LOGIN, stage, stage_with_mail, text};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server, TestDatabase};

const HOME: (&str, &str) = ("x-forwarded-for", "198.51.100.77");
const THIEF: (&str, &str) = ("x-forwarded-for", "203.0.113.66");
const PROXY: (&str, &str) = ("TRUSTED_PROXIES", "127.0.0.1");

impl Server {
    fn post_from(&self, from: (&str, &str), path: &str, body: &serde_json::Value) -> Answer {
        self.client.send("POST", path, &[from, ("content-type", "application/json")], body.to_string())
    }

    fn log_in_from(&self, from: (&str, &str)) -> Answer {
        self.post_from(from, LOGIN, &json!({"username": "alice", "password": PASSWORD}))
    }
}

both!(another_factor_takes_a_factor);
fn another_factor_takes_a_factor(backend: Backend) {
    let server = stage(backend, &[("JWT_ACCESS_TOKEN_LIFETIME", "1h")]);
    // The password and a session of before, as somebody has them who stole both.
    let thief = server.log_in("alice").access;
    let begun = server.begin_factor(&thief, "passkey").expect_status(200).json();
    let app = server.enrol_totp("alice");
    let mut passkey = server.authenticator("key");
    let body = json!({"enrolment": begun["enrolment"], "credential": passkey.create(&begun["options"])});
    server.client.post(CONFIRM, &body).expect_status(400);
    let ask = |body| server.client.bearer("POST", FACTORS, &thief, &body);
    let add = json!({"kind": "passkey", "password": PASSWORD});
    ask(add.clone()).expect(400, json!({"challenge": [FACTOR_REQUIRED]}));
    let with = |challenge: &str, code: &str| {
        let mut add = add.clone();
        (add["challenge"], add["method"], add["code"]) = (challenge.into(), "totp".into(), code.into());
        ask(add)
    };
    let challenge = server.confirm_challenge(&thief);
    with(&challenge, "000000").expect(400, json!({"code": ["The code is wrong or was used before."]}));
    // A login is no enrolment, and a factor does not stand for the password.
    let code = server.totp(&app);
    with(&server.challenge("alice"), &code).expect_status(400);
    let mut wrong = add.clone();
    (wrong["password"], wrong["challenge"], wrong["method"]) = ("x".into(), challenge.as_str().into(), "totp".into());
    wrong["code"] = code.as_str().into();
    ask(wrong).expect_status(400);
    assert_eq!(server.factor_rows(), 1);
    // With it one is added, and the code is used up.
    let begun = with(&challenge, &code).expect_status(200).json();
    let body = json!({"enrolment": begun["enrolment"], "credential": passkey.create(&begun["options"])});
    let done = server.client.post(CONFIRM, &body).expect_status(200).json();
    assert!(done.get("recovery_codes").is_none(), "they came with the first one");
    with(&server.confirm_challenge(&thief), &code).expect_status(400);
    assert_eq!(server.factor_rows(), 2);
}

both!(a_password_that_was_reset_meanwhile_enrols_nothing);
fn a_password_that_was_reset_meanwhile_enrols_nothing(backend: Backend) {
    let server = stage(backend, &[]);
    let id = UserId::Integer(server.db.count("SELECT id FROM auth_user"));
    let client = From::default();
    let user = server.wait(server.app.read(move |tx| tx.app.users.find(tx.conn, id))).unwrap().unwrap();
    let by = Confirmed::by_credentials(Actor::user(&user, &client), &user);
    let new =
        EncodedPassword("bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ0123456".to_owned());
    let reset = server.app.write(move |tx| tx.app.users.update_password(tx.conn, id, (None, &new)));
    assert!(server.wait(reset).unwrap());
    let started =
        enrol::start(&server.app, EnrolmentAuthority::Password { by, factor: None }, FactorKind::Totp, &client);
    assert!(matches!(server.wait(started).err(), Some(EnrolError::Stale)));
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_challenge"), 0);
}

both!(who_knows_the_password_cannot_end_the_logins_of_its_owner);
fn who_knows_the_password_cannot_end_the_logins_of_its_owner(backend: Backend) {
    let server = stage(backend, &[PROXY]);
    let app = server.enrol_totp("alice");
    let waits = text(&server.log_in_from(HOME).json(), "challenge");
    for _ in 0..25 {
        server.log_in_from(THIEF).expect_status(401);
    }
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_challenge"), 21);
    Pair::of(&server.answer(&waits, "totp", &server.totp(&app)));
}

both!(who_knows_the_password_does_not_use_up_the_owner_s_mails);
fn who_knows_the_password_does_not_use_up_the_owner_s_mails(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[PROXY]);
    let home = Pair::of(&server.log_in_from(HOME)).access;
    server.enrol_email(&smtp, &home);
    let ask = |from| {
        let challenge = text(&server.log_in_from(from).json(), "challenge");
        server.post_from(from, "/api/token/second-factor/email/", &json!({"challenge": challenge})).status
    };
    let answers: Vec<_> = (0..8).map(|_| ask(THIEF)).collect();
    assert!(answers.contains(&200) && answers.ends_with(&[429, 429]), "{answers:?}");
    assert_eq!(ask(HOME), 200);
}

both!(of_many_that_were_begun_no_more_are_added_than_one_may_have);
fn of_many_that_were_begun_no_more_are_added_than_one_may_have(backend: Backend) {
    let server = stage(backend, &[]);
    let access = server.log_in("alice").access;
    let mut first = server.authenticator("first");
    server.enrol_passkey(&access, &mut first);
    let mut two = ["second", "third"].map(|name| server.authenticator(name));
    let begun = [(); 2].map(|()| server.begin_factor(&access, "passkey").expect_status(200).json());
    for n in 0..18 {
        server.db.execute(&format!(
            "INSERT INTO latchkey_second_factor (user_id, kind, name, data, credential_id, created_at) \
             SELECT user_id, kind, name, data, 'other{n}', created_at FROM latchkey_second_factor WHERE name = 'Key' \
             AND credential_id NOT LIKE 'other%'"
        ));
    }
    let confirm = |at: usize, passkey: &mut crate::harness::Authenticator| {
        let body = json!({"enrolment": begun[at]["enrolment"], "credential": passkey.create(&begun[at]["options"])});
        server.client.post(CONFIRM, &body).status
    };
    assert_eq!((confirm(0, &mut two[0]), confirm(1, &mut two[1])), (200, 400));
    assert_eq!(server.factor_rows(), 20);
}

both!(an_id_of_a_passkey_has_a_bearable_length);
fn an_id_of_a_passkey_has_a_bearable_length(backend: Backend) {
    let server = stage(backend, &[]);
    let access = server.log_in("alice").access;
    let begun = server.begin_factor(&access, "passkey").expect_status(200).json();
    for name in ["", &*"x".repeat(1024)] {
        let credential = server.authenticator(name).create(&begun["options"]);
        let body = json!({"enrolment": begun["enrolment"], "credential": credential});
        let refused = json!({"credential": ["The code is wrong or was used before."]});
        server.client.post(CONFIRM, &body).expect(400, refused);
    }
}

both!(a_wrong_id_costs_no_recovery_code);
fn a_wrong_id_costs_no_recovery_code(backend: Backend) {
    let server = stage(backend, &[]);
    let access = server.log_in("alice").access;
    let app = server.enrol_totp("alice");
    let body = json!({
        "challenge": server.confirm_challenge(&access),
        "method": "recovery",
        "code": app.recovery_codes[0],
    });
    let remove = |id: i64| server.client.bearer("DELETE", &format!("{FACTORS}{id}/"), &access, &body).status;
    assert_eq!((remove(app.id + 1), remove(app.id)), (404, 204));
    let odd = server.client.bearer("DELETE", "/api/second-factors/browsers/%00/", &access, &json!({}));
    odd.expect_status(404);
}

both!(a_better_hash_of_the_same_password_forgets_no_browser);
fn a_better_hash_of_the_same_password_forgets_no_browser(backend: Backend) {
    let db = std::sync::Arc::new(TestDatabase::migrated(backend));
    let server = Server::on(std::sync::Arc::clone(&db), &[]);
    server.add_user("alice");
    let app = server.enrol_totp("alice");
    let mut body = json!({"challenge": server.challenge("alice"), "method": "totp", "code": server.totp(&app)});
    // A word that means no is no.
    for (remember, status) in [(json!("maybe"), 400), (json!("false"), 200)] {
        body["remember"] = remember;
        let answer = server.client.post(FINISH, &body);
        assert!(answer.status == status && answer.json().get("device_token").is_none());
    }
    server.advance(30);
    body["challenge"] = server.challenge("alice").into();
    body["code"] = server.totp(&app).into();
    body["remember"] = true.into();
    let device = text(&server.client.post(FINISH, &body).expect_status(200).json(), "device_token");
    drop(server);
    let server = Server::on(db, &[("BCRYPT_ROUNDS", "5")]);
    server.advance(90);
    let hash = || server.text("SELECT password AS t FROM auth_user");
    let before = hash();
    let login = json!({"username": "alice", "password": PASSWORD, "device_token": device});
    server.client.post(LOGIN, &login).expect_status(200);
    assert_ne!(hash(), before);
    server.client.post(LOGIN, &login).expect_status(200);
}

both!(only_what_can_be_answered_is_offered);
fn only_what_can_be_answered_is_offered(backend: Backend) {
    let db = std::sync::Arc::new(TestDatabase::migrated(backend));
    let server = Server::on(std::sync::Arc::clone(&db), &[]);
    server.add_user("alice");
    let access = server.log_in("alice").access;
    server.enrol_passkey(&access, &mut server.authenticator("key"));
    assert_eq!(server.obtain("alice", PASSWORD).json()["methods"], json!(["passkey", "recovery"]));
    drop(server);
    let server = Server::on(db, &[("PUBLIC_URL", "http://192.0.2.1")]);
    assert_eq!(server.obtain("alice", PASSWORD).json()["methods"], json!(["recovery"]));
}
