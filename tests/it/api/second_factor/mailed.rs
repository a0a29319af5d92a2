//! Codes by email: ten minutes, one use, one challenge; a newer one makes the one before worthless.

use serde_json::json;

use super::{assert_no_challenge, assert_wrong, stage, stage_with_mail};
use crate::harness::{Answer, Backend, Pair, Server};

const SEND: &str = "/api/token/second-factor/email/";

fn send(server: &Server, challenge: &str) -> Answer {
    server.client.post(SEND, &json!({"challenge": challenge}))
}

both!(a_code_is_mailed_for_a_login_and_works_once);
fn a_code_is_mailed_for_a_login_and_works_once(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let access = server.log_in("alice").access;
    let done = server.enrol_email(&smtp, &access);
    assert_eq!((&done["factor"]["kind"], &done["factor"]["name"]), (&json!("email"), &json!("Codes by email")));
    let challenge = server.challenge("alice");
    // Nothing is sent unasked.
    server.deliver_mail();
    let before = smtp.received().len();
    assert_wrong(&server.answer(&challenge, "email", "000000"));
    send(&server, &challenge).expect_status(200);
    let code = server.mailed_code(&smtp);
    assert_eq!(smtp.received().len(), before + 1);
    assert!(!smtp.received().last().unwrap().subject().contains(&code), "subjects are shown on locked screens");
    Pair::of(&server.answer(&challenge, "email", &format!(" {} {} ", &code[..3], &code[3..])));
    assert_no_challenge(&server.answer(&challenge, "email", &code));
    assert_wrong(&server.answer(&server.challenge("alice"), "email", &code));
}

both!(a_code_is_of_the_login_that_asked_for_it);
fn a_code_is_of_the_login_that_asked_for_it(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let access = server.log_in("alice").access;
    server.enrol_email(&smtp, &access);
    let (first, second) = (server.challenge("alice"), server.challenge("alice"));
    send(&server, &first).expect_status(200);
    let of_first = server.mailed_code(&smtp);
    assert_wrong(&server.answer(&second, "email", &of_first));
    send(&server, &second).expect_status(200);
    let of_second = server.mailed_code(&smtp);
    if of_first != of_second {
        assert_wrong(&server.answer(&second, "email", &of_first));
    }
    Pair::of(&server.answer(&second, "email", &of_second));
    Pair::of(&server.answer(&first, "email", &of_first));
}

both!(a_code_is_good_for_ten_minutes_and_a_newer_one_replaces_it);
fn a_code_is_good_for_ten_minutes_and_a_newer_one_replaces_it(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let access = server.log_in("alice").access;
    server.enrol_email(&smtp, &access);
    let challenge = server.challenge("alice");
    send(&server, &challenge).expect_status(200);
    let late = server.mailed_code(&smtp);
    server.advance(10 * 60);
    assert_wrong(&server.answer(&challenge, "email", &late));
    send(&server, &challenge).expect_status(200);
    let newer = server.mailed_code(&smtp);
    if late != newer {
        assert_wrong(&server.answer(&challenge, "email", &late));
    }
    server.advance(5 * 60 - 1);
    Pair::of(&server.answer(&challenge, "email", &newer));
    // No code outlives its challenge.
    let challenge = server.challenge("alice");
    server.advance(15 * 60);
    assert_no_challenge(&send(&server, &challenge));
}

both!(a_code_goes_to_the_address_that_was_confirmed);
fn a_code_goes_to_the_address_that_was_confirmed(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let access = server.log_in("alice").access;
    let started = server.begin_factor(&access, "email").expect_status(200).json();
    let code = server.mailed_code(&smtp);
    // Whoever can change the account's address has not changed the factor.
    server.db.execute("UPDATE auth_user SET email = 'thief@example.org'");
    let body = json!({"enrolment": started["enrolment"], "code": code});
    server.client.post(super::CONFIRM, &body).expect_status(200);
    send(&server, &server.challenge("alice")).expect_status(200);
    server.deliver_mail();
    let codes = smtp.received().into_iter().filter(|mail| mail.subject().contains("code"));
    assert!(codes.clone().count() >= 2);
    assert!(codes.clone().all(|mail| mail.to == ["alice@example.com"]), "{:?}", codes.collect::<Vec<_>>());
}

both!(nothing_is_mailed_for_who_has_no_codes_by_email);
fn nothing_is_mailed_for_who_has_no_codes_by_email(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[("SECURITY_MAIL", "false")]);
    server.enrol_totp("alice");
    assert_no_challenge(&send(&server, &server.challenge("alice")));
    assert_no_challenge(&send(&server, "nonsense"));
    server.deliver_mail();
    assert!(smtp.received().is_empty());
}

both!(without_an_address_there_are_no_codes_by_email);
fn without_an_address_there_are_no_codes_by_email(backend: Backend) {
    let server = stage(backend, &[]);
    let access = server.log_in("alice").access;
    server.db.execute("UPDATE auth_user SET email = ''");
    let refused = server.begin_factor(&access, "email");
    refused.expect(400, json!({"kind": ["Your account has no email address."]}));
}
