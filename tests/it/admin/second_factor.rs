//! The panel's login of who has a second factor.

use serde_json::{Value, json};

use crate::harness::admin::attribute;
use crate::harness::{Answer, Authenticator, Backend, PASSWORD, Panel, Server, Smtp};

const STEP: &str = "/admin/login/second-factor/";

fn is_in(panel: &mut Panel) -> bool {
    panel.get("/admin/").status == 200
}

/// The page after the right password.
#[track_caller]
fn asked(server: &Server, username: &str) -> (Panel, Answer) {
    let mut panel = server.panel();
    let page = panel.log_in(username, PASSWORD);
    assert!(page.expect_status(200).text().contains("action=\"/admin/login/second-factor/\""), "{}", page.text());
    assert!(!is_in(&mut panel));
    (panel, page)
}

fn give(panel: &mut Panel, page: &Answer, method: &str, code: &str) -> Answer {
    panel.submit(page, STEP, &[("method", method), ("code", code)])
}

both!(the_panel_opens_to_password_and_factor_together);
fn the_panel_opens_to_password_and_factor_together(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let app = server.enrol_totp("root");
    let (mut panel, page) = asked(&server, "root");
    let wrong = give(&mut panel, &page, "totp", "000000");
    assert!(wrong.expect_status(200).text().contains("The code is wrong or was used before."));
    assert!(!is_in(&mut panel));
    let code = server.totp(&app);
    let opened = give(&mut panel, &wrong, "totp", &code);
    assert_eq!((opened.status, opened.header("location")), (303, Some("/admin/")));
    assert!(is_in(&mut panel));
    // Neither the challenge nor the code is good again.
    let mut other = server.panel();
    let again = give(&mut other, &page, "totp", &code);
    assert_eq!((again.status, is_in(&mut other)), (400, false), "a form of another visitor");
    let (mut third, page) = asked(&server, "root");
    give(&mut third, &page, "totp", &code).expect_status(200);
    assert!(!is_in(&mut third));
}

both!(a_recovery_code_opens_the_panel_once);
fn a_recovery_code_opens_the_panel_once(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let app = server.enrol_totp("root");
    let code = &app.recovery_codes[0];
    let (mut panel, page) = asked(&server, "root");
    give(&mut panel, &page, "recovery", &code.to_uppercase()).expect_status(303);
    assert!(is_in(&mut panel));
    let (mut panel, page) = asked(&server, "root");
    give(&mut panel, &page, "recovery", code).expect_status(200);
    assert!(!is_in(&mut panel));
}

both!(a_code_by_mail_opens_the_panel);
fn a_code_by_mail_opens_the_panel(backend: Backend) {
    let smtp = Smtp::start();
    let server = Server::with(backend, &[("EMAIL_URL", &smtp.url())]);
    server.add_superuser("root");
    let access = server.log_in("root").access;
    server.enrol_email(&smtp, &access);
    let (mut panel, page) = asked(&server, "root");
    assert!(page.text().contains("<h1>Get a code by email</h1>") && !page.text().contains("name=\"code\""));
    let sent = panel.submit(&page, STEP, &[("way", "email")]);
    assert!(sent.expect_status(200).text().contains("We’ve sent you a code."));
    let code = server.mailed_code(&smtp);
    give(&mut panel, &sent, "email", &code).expect_status(303);
    assert!(is_in(&mut panel));
}

/// The question to a passkey on a page.
#[track_caller]
fn question(page: &Answer) -> Value {
    let text = page.text();
    let options = text.split("<button").find_map(|tag| attribute(tag.split('>').next().unwrap(), "data-options"));
    serde_json::from_str(&options.unwrap_or_else(|| panic!("no question in {text}"))).unwrap()
}

fn with_passkey(backend: Backend) -> (Server, Authenticator) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut passkey = server.authenticator("key");
    server.enrol_passkey(&server.log_in("root").access, &mut passkey);
    (server, passkey)
}

both!(a_passkey_comes_first_and_opens_the_panel);
fn a_passkey_comes_first_and_opens_the_panel(backend: Backend) {
    let (server, mut passkey) = with_passkey(backend);
    let (mut panel, page) = asked(&server, "root");
    let text = page.text();
    assert!(text.contains("<h1>Use your passkey</h1>") && text.contains("/passkey.js?"), "{text}");
    assert!(text.contains("Use a recovery code") && !text.contains("Use a code from your app"), "{text}");
    let credential = passkey.get(&question(&page)).to_string();
    let answer = panel.submit(&page, STEP, &[("credential", &credential)]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/admin/")));
    assert!(is_in(&mut panel));
}

both!(each_question_to_a_passkey_makes_the_one_before_worthless);
fn each_question_to_a_passkey_makes_the_one_before_worthless(backend: Backend) {
    let (server, mut passkey) = with_passkey(backend);
    let (mut panel, page) = asked(&server, "root");
    let old = passkey.get(&question(&page)).to_string();
    let codes = panel.submit(&page, STEP, &[("way", "recovery")]);
    assert!(codes.text().contains("<h1>Enter a recovery code</h1>"));
    let again = panel.submit(&codes, STEP, &[("way", "passkey")]);
    for nonsense in [&*old, "", "{}", "no json"] {
        let refused = panel.submit(&again, STEP, &[("credential", nonsense)]);
        assert!(refused.expect_status(200).text().contains("This passkey was not accepted."), "{nonsense}");
        assert!(!is_in(&mut panel));
    }
    let (mut panel, page) = asked(&server, "root");
    let credential = passkey.get(&question(&page)).to_string();
    panel.submit(&page, STEP, &[("credential", &credential)]).expect_status(303);
    assert!(is_in(&mut panel));
}

both!(who_has_only_a_passkey_is_told_about_scripts);
fn who_has_only_a_passkey_is_told_about_scripts(backend: Backend) {
    let (server, _) = with_passkey(backend);
    let (_, page) = asked(&server, "root");
    assert!(page.text().contains("which is turned off in this browser. Choose another method."), "{}", page.text());
    server.db.execute("DELETE FROM latchkey_recovery_code");
    let (_, page) = asked(&server, "root");
    assert!(page.text().contains("Turn it on to log in.") && !page.text().contains("name=\"way\""), "{}", page.text());
}

both!(a_passkey_where_browsers_have_none_is_not_asked_for);
fn a_passkey_where_browsers_have_none_is_not_asked_for(backend: Backend) {
    let server = Server::with(backend, &[("PUBLIC_URL", "http://auth.example.com"), ("ALLOWED_HOSTS", "*")]);
    let root = server.add_superuser("root");
    let app = server.enrol_totp("root");
    let sql = "INSERT INTO latchkey_second_factor (user_id, kind, name, data, created_at) VALUES";
    server.db.execute(&format!("{sql} ({}, 'passkey', 'Key', '{{}}', '2026-03-01 12:00:00')", root.id));
    let (mut panel, page) = asked(&server, "root");
    assert!(page.text().contains("<h1>Enter the code from your app</h1>"), "{}", page.text());
    give(&mut panel, &page, "totp", &server.totp(&app)).expect_status(303);
}

both!(tries_that_come_too_fast_are_held_back_on_the_same_page);
fn tries_that_come_too_fast_are_held_back_on_the_same_page(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let app = server.enrol_totp("root");
    let mut last = None;
    for _ in 0..20 {
        let (mut panel, page) = asked(&server, "root");
        let answer = give(&mut panel, &page, "totp", "000000");
        if answer.status == 429 {
            last = Some((panel, answer));
            break;
        }
    }
    let (mut panel, held) = last.expect("guesses are held back");
    assert!(held.text().contains("Too many attempts. This one was not checked."), "{}", held.text());
    server.advance(held.header("retry-after").unwrap().parse().unwrap());
    give(&mut panel, &held, "totp", &server.totp(&app)).expect_status(303);
}

both!(a_challenge_of_the_api_does_not_open_the_panel);
fn a_challenge_of_the_api_does_not_open_the_panel(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let app = server.enrol_totp("root");
    let (mut panel, page) = asked(&server, "root");
    let challenge = server.challenge("root");
    let fields = [("challenge", &*challenge), ("method", "totp"), ("code", &server.totp(&app))];
    let refused = panel.submit(&page, STEP, &fields);
    assert!(refused.status == 303 && refused.header("location").unwrap().starts_with("/admin/login/"));
    assert!(!is_in(&mut panel));
    server.log_in_with("root", &app);
}

both!(five_wrong_codes_end_the_login);
fn five_wrong_codes_end_the_login(backend: Backend) {
    let server = Server::with(backend, &[("LOGIN_THROTTLE", "false")]);
    server.add_superuser("root");
    let app = server.enrol_totp("root");
    let (mut panel, page) = asked(&server, "root");
    for _ in 0..5 {
        give(&mut panel, &page, "totp", "000000").expect_status(200);
    }
    let dead = give(&mut panel, &page, "totp", &server.totp(&app));
    assert!(dead.status == 303 && dead.header("location").unwrap().starts_with("/admin/login/"));
    assert!(!is_in(&mut panel));
}

both!(staff_who_must_have_a_factor_and_have_none_are_sent_to_enrol);
fn staff_who_must_have_a_factor_and_have_none_are_sent_to_enrol(backend: Backend) {
    let server = Server::with(backend, &[("SECOND_FACTOR", "staff")]);
    server.add_superuser("root");
    let mut panel = server.panel();
    let page = panel.log_in("root", PASSWORD);
    assert_eq!((page.status, page.header("location")), (303, Some("/account/second-factors/")));
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.contains("Path=/account/") && cookie.contains("HttpOnly"), "{cookie}");
    assert!(!is_in(&mut panel));
    // There they enrol one.
    let theirs = server.client.get("/account/second-factors/", &[("cookie", cookie.split(';').next().unwrap())]);
    theirs.expect_status(200);
    let refused = server.client.post("/api/token/", &json!({"username": "root", "password": PASSWORD}));
    assert_eq!(refused.json()["code"], "second_factor_enrolment_required");
}
