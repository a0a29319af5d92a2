//! Passkeys with a software authenticator: registration and login, and every lie that an authenticator or a phishing page
//! could tell.

use serde_json::{Value, json};

use super::{CONFIRM, FACTORS, FINISH, assert_no_challenge, assert_wrong, stage};
use crate::harness::{Answer, Authenticator, Backend, Pair, Server, forge};

const ASK: &str = "/api/token/second-factor/passkey/";

fn options(server: &Server, challenge: &str) -> Value {
    server.client.post(ASK, &json!({"challenge": challenge})).expect_status(200).json()["options"].clone()
}

fn give(server: &Server, challenge: &str, credential: &Value) -> Answer {
    server.client.post(FINISH, &json!({"challenge": challenge, "method": "passkey", "credential": credential}))
}

fn log_in(server: &Server, passkey: &mut Authenticator) -> Answer {
    let challenge = server.challenge("alice");
    let credential = passkey.get(&options(server, &challenge));
    give(server, &challenge, &credential)
}

/// A server with alice, who has a passkey.
fn with_passkey(backend: Backend) -> (Server, Authenticator) {
    let server = stage(backend, &[("LOGIN_THROTTLE", "false"), ("JWT_AUTH_CLAIMS", "true")]);
    let mut passkey = server.authenticator("first");
    let access = server.log_in("alice").access;
    server.enrol_passkey(&access, &mut passkey);
    (server, passkey)
}

both!(a_passkey_is_made_and_used);
fn a_passkey_is_made_and_used(backend: Backend) {
    let (server, mut passkey) = with_passkey(backend);
    for _ in 0..2 {
        let pair = Pair::of(&log_in(&server, &mut passkey));
        assert_eq!(forge::claims(&pair.access)["amr"], json!(["pwd", "hwk", "mfa"]));
    }
    // A form sends the same as text.
    let challenge = server.challenge("alice");
    let credential = passkey.get(&options(&server, &challenge)).to_string();
    let fields = [("challenge", challenge.as_str()), ("method", "passkey"), ("credential", &credential)];
    Pair::of(&server.client.post_form(FINISH, &fields));
}

both!(a_user_may_have_several_passkeys_but_each_only_once);
fn a_user_may_have_several_passkeys_but_each_only_once(backend: Backend) {
    let (server, mut first) = with_passkey(backend);
    let access = Pair::of(&log_in(&server, &mut first)).access;
    let mut second = server.authenticator("second");
    let done = server.enrol_passkey(&access, &mut second);
    assert!(done.get("recovery_codes").is_none(), "they came with the first factor");
    Pair::of(&log_in(&server, &mut second));
    Pair::of(&log_in(&server, &mut first));
    let started = server.begin_factor(&access, "passkey").expect_status(200).json();
    let known = started["options"]["publicKey"]["excludeCredentials"].as_array().unwrap().len();
    assert_eq!(known, 2, "a browser is told which passkeys there are");
    let body = json!({"enrolment": started["enrolment"], "credential": second.create(&started["options"])});
    assert_eq!(server.client.post(CONFIRM, &body).status, 400);
    // Nor is it somebody else's.
    server.add_user("bob");
    let bob = server.log_in("bob").access;
    let started = server.begin_factor(&bob, "passkey").expect_status(200).json();
    let body = json!({"enrolment": started["enrolment"], "credential": second.create(&started["options"])});
    server.client.post(CONFIRM, &body).expect_status(400);
    assert_eq!(server.factor_rows(), 2);
}

both!(an_answer_from_another_page_or_for_another_site_is_refused);
fn an_answer_from_another_page_or_for_another_site_is_refused(backend: Backend) {
    let (server, mut passkey) = with_passkey(backend);
    let access = Pair::of(&log_in(&server, &mut passkey)).access;
    let (origin, site) = (passkey.origin.clone(), passkey.rp_id.clone());
    for (origin, site, verifies) in [
        ("https://evil.example.com", &*site, true),
        ("https://localhost.evil.example.com", &*site, true),
        ("http://evil.localhost:8000", &site, true),
        ("null", &site, true),
        (&origin, "evil.example.com", true),
        (&origin, &site, false),
    ] {
        let lie = |passkey: &mut Authenticator| {
            (passkey.origin, passkey.rp_id, passkey.verifies) = (origin.to_owned(), site.to_owned(), verifies);
        };
        lie(&mut passkey);
        assert_wrong(&log_in(&server, &mut passkey));
        // And none is made there.
        let mut other = server.authenticator("other");
        lie(&mut other);
        let started = server.begin_factor(&access, "passkey").expect_status(200).json();
        let body = json!({"enrolment": started["enrolment"], "credential": other.create(&started["options"])});
        server
            .client
            .post(CONFIRM, &body)
            .expect(400, json!({"credential": ["The code is wrong or was used before."]}));
    }
    (passkey.origin, passkey.rp_id, passkey.verifies) = (origin, site, true);
    assert_eq!(server.factor_rows(), 1);
    Pair::of(&log_in(&server, &mut passkey));
}

both!(a_counter_that_goes_back_is_refused);
fn a_counter_that_goes_back_is_refused(backend: Backend) {
    let (server, mut passkey) = with_passkey(backend);
    passkey.counter = 10;
    Pair::of(&log_in(&server, &mut passkey));
    passkey.counter = 4;
    assert_wrong(&log_in(&server, &mut passkey));
    passkey.counter = 10;
    assert_wrong(&log_in(&server, &mut passkey));
    // Also where the question was asked before the counter went on.
    let early = server.challenge("alice");
    let asked = options(&server, &early);
    passkey.counter = 20;
    Pair::of(&log_in(&server, &mut passkey));
    passkey.counter = 15;
    assert_wrong(&give(&server, &early, &passkey.get(&asked)));
    passkey.counter = 30;
    Pair::of(&log_in(&server, &mut passkey));
}

both!(an_answer_is_of_one_question);
fn an_answer_is_of_one_question(backend: Backend) {
    let (server, mut passkey) = with_passkey(backend);
    let (first, second) = (server.challenge("alice"), server.challenge("alice"));
    let (of_first, of_second) = (options(&server, &first), options(&server, &second));
    let answer = passkey.get(&of_first);
    assert_wrong(&give(&server, &second, &answer));
    // A newer question makes the one before worthless.
    let newer = options(&server, &second);
    assert_wrong(&give(&server, &second, &passkey.get(&of_second)));
    Pair::of(&give(&server, &second, &passkey.get(&newer)));
    let answer = passkey.get(&of_first);
    Pair::of(&give(&server, &first, &answer));
    assert_no_challenge(&give(&server, &first, &answer));
}

both!(a_passkey_of_somebody_else_opens_nothing);
fn a_passkey_of_somebody_else_opens_nothing(backend: Backend) {
    let (server, mut alices) = with_passkey(backend);
    server.add_user("bob");
    let access = server.log_in("bob").access;
    let mut bobs = server.authenticator("bob's");
    server.enrol_passkey(&access, &mut bobs);
    assert_wrong(&log_in(&server, &mut bobs));
    // Another key under the same id.
    assert_wrong(&log_in(&server, &mut server.authenticator("first")));
    Pair::of(&log_in(&server, &mut alices));
}

both!(junk_is_refused_and_nobody_is_asked_for_what_they_have_not);
fn junk_is_refused_and_nobody_is_asked_for_what_they_have_not(backend: Backend) {
    let (server, mut passkey) = with_passkey(backend);
    let challenge = server.challenge("alice");
    // Before any question.
    assert_wrong(&give(&server, &challenge, &json!({})));
    let good = passkey.get(&options(&server, &challenge));
    let mut shortened = good.clone();
    shortened["response"]["authenticatorData"] = json!("AAAA");
    let mut unsigned = good.clone();
    unsigned["response"]["signature"] = json!("");
    for junk in [json!({"id": 1}), shortened, unsigned] {
        assert_wrong(&give(&server, &challenge, &junk));
    }
    Pair::of(&give(&server, &challenge, &good));
    assert_no_challenge(&server.client.post(ASK, &json!({"challenge": "nonsense"})));
    server.add_user("bob");
    server.enrol_totp("bob");
    assert_no_challenge(&server.client.post(ASK, &json!({"challenge": server.challenge("bob")})));
}

both!(where_browsers_have_no_passkeys_none_are_offered);
fn where_browsers_have_no_passkeys_none_are_offered(backend: Backend) {
    let server = stage(backend, &[("PUBLIC_URL", "http://auth.example.com"), ("ALLOWED_HOSTS", "*")]);
    let access = server.log_in("alice").access;
    let body = json!({"kind": "passkey", "password": crate::harness::PASSWORD});
    let refused = server.client.bearer("POST", FACTORS, &access, &body);
    refused.expect(400, json!({"kind": ["Passkeys need https, or localhost."]}));
}
