//! What was begun does not outlive what it stood on: a factor that is taken away, the first one that is added, a user who is
//! kept out. And nothing stands for another door than its own.

use latchkey::accounts::change::OwnPassword;
use latchkey::accounts::confirm::Confirmed;
use latchkey::accounts::endings::Kept;
use latchkey::accounts::manage::{ManageError, NewPassword};
use latchkey::accounts::{account_session, change, email_change};
use latchkey::db::users::User;
use latchkey::factors::account_login;
use latchkey::factors::account_login::Step;
use latchkey::journal::{Actor, Client};
use serde_json::json;

use super::{EMAIL, FACTORS, LOGIN, leads_to, visit_of, visit_with};
use crate::api::passwords::NEW;
use crate::api::second_factor::{CONFIRM, FINISH, stage, stage_with_mail, text};
use crate::harness::{Backend, PASSWORD, Server};

/// What changes a password, of whom it was known just now that they may.
fn change_password(server: &Server, user: &User, by: &Confirmed) -> Result<(), ManageError> {
    let new = OwnPassword { password: NewPassword::Plain(NEW.into()), kept: Kept::default() };
    server.wait(change::set_own_password(&server.app, by, user, new)).map(drop)
}

both!(another_factor_that_was_begun_ends_with_the_one_that_was_shown_for_it);
fn another_factor_that_was_begun_ends_with_the_one_that_was_shown_for_it(backend: Backend) {
    let server = stage(backend, &[]);
    server.add_superuser("root");
    let access = server.log_in("alice").access;
    let app = server.enrol_totp("alice");
    let (mut passkey, mut root) = (server.authenticator("thief"), server.panel_of("root"));
    let begun = server.begin_factor(&access, "passkey").expect_status(200).json();
    let alice = server.db.count("SELECT id FROM auth_user WHERE username = 'alice'");
    let page = format!("/admin/auth/user/{alice}/second_factors/{}/remove/", app.id);
    let question = root.get(&page);
    root.submit(&question, &page, &[]).expect_status(303);
    // The recovery codes may lie where the phone lies.
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_recovery_code"), 0);
    server.enrol_totp("alice");
    let body = json!({"enrolment": begun["enrolment"], "credential": passkey.create(&begun["options"])});
    server.client.post(CONFIRM, &body).expect_status(400);
    assert_eq!(server.factor_rows(), 1);
}

both!(a_change_that_waits_for_its_hash_is_over_with_its_visit);
fn a_change_that_waits_for_its_hash_is_over_with_its_visit(backend: Backend) {
    let server = stage(backend, &[]);
    let (alice, client) = (server.add_user("ann"), Client::default());
    let by = || Confirmed::by_credentials(Actor::user(&alice, &client), &alice);
    let open = || {
        let Step::In(token) = server.wait(account_login::begin(&server.app, &alice, &client)).unwrap() else {
            panic!("in")
        };
        server.wait(account_session::find(&server.app, token)).unwrap().expect("a visit")
    };
    let stale = |by: &Confirmed| matches!(change_password(&server, &alice, by), Err(ManageError::Stale));
    let left = open();
    server.wait(account_session::end(&server.app, left.clone())).unwrap();
    assert!(stale(&by().in_session(&left)));
    // Somebody else enrols in the meantime.
    let (by_password, alone) = (by().in_session(&open()), by().without_factor());
    server.enrol_totp("ann");
    assert!(stale(&by_password) && stale(&alone));
    change_password(&server, &alice, &by()).unwrap();
}

both!(a_new_address_that_was_asked_for_before_the_first_factor_is_not_confirmed_after_it);
fn a_new_address_that_was_asked_for_before_the_first_factor_is_not_confirmed_after_it(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let fields = [("username", "alice"), ("password", PASSWORD), ("email", "thief@example.net")];
    server.panel().post(EMAIL, &fields).expect_status(200);
    server.deliver_mail();
    let token = smtp.last_to("thief@example.net").token();
    server.wait(email_change::look(&server.app, &token.clone().into())).expect("a link that is good");
    server.enrol_totp("alice");
    assert!(server.wait(email_change::look(&server.app, &token.into())).is_err());
}

both!(who_was_kept_out_begins_anew);
fn who_was_kept_out_begins_anew(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let body = json!({"challenge": server.challenge("alice"), "method": "recovery", "code": app.recovery_codes[0], "remember": true});
    let device = text(&server.client.post(FINISH, &body).expect_status(200).json(), "device_token");
    let mut visitor = visit_with(&server, "alice", &app);
    visitor.get(FACTORS).expect_status(200);
    let alice = latchkey::db::types::UserId::Integer(server.db.count("SELECT id FROM auth_user"));
    for active in [false, true] {
        server.wait(change::set_active(&server.app, &Confirmed::command_line(), alice, active)).unwrap();
    }
    leads_to(&visitor.get(FACTORS), LOGIN);
    let login = json!({"username": "alice", "password": PASSWORD, "device_token": device});
    server.client.post("/api/token/", &login).expect_status(401);
}

both!(a_cookie_of_a_neighbour_is_not_ours);
fn a_cookie_of_a_neighbour_is_not_ours(backend: Backend) {
    let server = stage(backend, &[]);
    server.add_user("eve");
    let (alice, eve) = (visit_of(&server, "alice").cookies(), visit_of(&server, "eve").cookies());
    let see = |cookies: &[u8]| {
        let head = b"GET /account/second-factors/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: ";
        crate::harness::http::wire(server.port, &[&head[..], cookies, b"\r\n\r\n"].concat())
    };
    assert!(see(format!("x=1; {alice}").as_bytes()).contains("<strong>alice</strong>"));
    // One that cannot be read keeps nobody out.
    assert!(see(&[b"x=\xff; ", alice.as_bytes()].concat()).contains("<strong>alice</strong>"));
    let two = see(format!("{eve}; {alice}").as_bytes());
    assert!(two.starts_with("HTTP/1.1 303") && !two.contains("eve"), "{two}");
    for address in ["/account/login/?next=a&next=b", "/account/password/reset/confirm/?token=a&token=b"] {
        let page = server.client.get(address, &[]);
        assert!(page.expect_status(400).text().contains("<title>The form could not be read"), "{}", page.text());
    }
}

both!(the_audit_log_says_what_opened_a_login);
fn the_audit_log_says_what_opened_a_login(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let detail = |action: &str| {
        let newest =
            format!("SELECT detail AS t FROM latchkey_audit_log WHERE action = '{action}' ORDER BY id DESC LIMIT 1");
        let detail: serde_json::Value = serde_json::from_str(&server.text(&newest)).unwrap();
        (detail["second_factor"].clone(), detail["remembered_browser"].clone())
    };
    assert_eq!(detail("login"), (json!(null), json!(null)));
    visit_with(&server, "alice", &app);
    assert_eq!(detail("account.login"), (json!("totp"), json!(null)));
    let body = json!({"challenge": server.challenge("alice"), "method": "recovery", "code": app.recovery_codes[0], "remember": true});
    let device = text(&server.client.post(FINISH, &body).expect_status(200).json(), "device_token");
    assert_eq!(detail("login"), (json!("recovery"), json!(null)));
    let login = json!({"username": "alice", "password": PASSWORD, "device_token": device});
    server.client.post("/api/token/", &login).expect_status(200);
    assert_eq!(detail("login"), (json!(null), json!(true)));
    server.db.execute("UPDATE auth_user SET is_staff = (1 = 1), is_superuser = (1 = 1)");
    let mut panel = server.panel();
    let page = panel.log_in("alice", PASSWORD);
    let code = server.totp(&app);
    panel.submit(&page, "/admin/login/second-factor/", &[("code", &code)]).expect_status(303);
    assert_eq!(detail("admin.login"), (json!("totp"), json!(null)));
}

both!(who_tries_too_much_stays_on_the_page);
fn who_tries_too_much_stays_on_the_page(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let mut visitor = server.panel();
    let asked = super::log_in(&mut visitor, "alice", PASSWORD);
    let mut last = asked.status;
    for _ in 0..4 {
        last = super::step(&mut visitor, &asked, "totp", "000000").status;
    }
    assert_eq!(last, 200);
    let other = super::log_in(&mut visitor, "alice", PASSWORD);
    let answers: Vec<_> = (0..5).map(|_| super::step(&mut visitor, &other, "totp", "000000")).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).expect("a try that has to wait");
    assert!(refused.text().contains("Too many attempts.") && refused.header("retry-after").is_some());
    server.advance(3600);
    // The page still has its challenge, and its form.
    assert!(refused.text().contains("name=\"code\""), "{}", refused.text());
    drop(app);
}
