//! The panel's login of who has a second factor.

use serde_json::json;

use crate::harness::{Answer, Backend, PASSWORD, Panel, Server, Smtp};

const STEP: &str = "/admin/login/second-factor/";

fn is_in(panel: &mut Panel) -> bool {
    panel.get("/admin/").status == 200
}

/// The page after the right password.
#[track_caller]
fn asked(server: &Server, username: &str) -> (Panel, Answer) {
    let mut panel = server.panel();
    let page = panel.log_in(username, PASSWORD);
    assert!(page.expect_status(200).text().contains("<h1>Second factor</h1>"), "{}", page.text());
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
    let sent = panel.submit(&page, STEP, &[("send", "email")]);
    assert!(sent.expect_status(200).text().contains("A code is on its way to your address."));
    let code = server.mailed_code(&smtp);
    give(&mut panel, &sent, "email", &code).expect_status(303);
    assert!(is_in(&mut panel));
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

both!(staff_who_must_have_a_factor_and_have_none_stay_outside);
fn staff_who_must_have_a_factor_and_have_none_stay_outside(backend: Backend) {
    let server = Server::with(backend, &[("SECOND_FACTOR", "staff")]);
    server.add_superuser("root");
    let mut panel = server.panel();
    let page = panel.log_in("root", PASSWORD);
    assert!(page.expect_status(403).text().contains("You need a second factor"), "{}", page.text());
    assert!(!is_in(&mut panel));
    let refused = server.client.post("/api/token/", &json!({"username": "root", "password": PASSWORD}));
    assert_eq!(refused.json()["code"], "second_factor_enrolment_required");
}
