//! Visits to one's own account: who comes in, for how long, and what ends one.

use latchkey::accounts::account_session::{self, AccountSession};
use latchkey::db::users::User;
use latchkey::factors::account_login;
use latchkey::factors::account_login::Step;
use latchkey::factors::answer::{AnswerError, FactorResponse};
use latchkey::factors::enrol::{self, EnrolError, EnrolmentAuthority, Show, Started};
use latchkey::factors::enrolment::{self, EnrolmentAnswer};
use latchkey::factors::remembered_browser;
use latchkey::factors::remove::{self, FactorProof};
use latchkey::journal::authentication::FactorKind;
use secrecy::ExposeSecret;

use super::{ADD_TOTP, FACTORS, LOGIN, STEP, leads_to, log_in, secret_on, step, visit_of, visit_with};
use crate::api::second_factor::{assert_no_challenge, stage, stage_with_mail, totp_at};
use crate::harness::{Backend, PASSWORD, Panel, Server, admin};

const COOKIE: &str = "latchkey_account";

fn is_in(visitor: &mut Panel) -> bool {
    visitor.get(FACTORS).status == 200
}

/// A visit as the core has it: one that was looked at some time ago.
fn opened(server: &Server, user: &User) -> AccountSession {
    let client = latchkey::journal::Client::default();
    let Step::In(token) = server.wait(account_login::begin(&server.app, user, &client)).unwrap() else {
        panic!("a factor")
    };
    server.wait(account_session::find(&server.app, token)).unwrap().expect("a visit")
}

both!(who_has_no_factor_comes_in_by_the_password);
fn who_has_no_factor_comes_in_by_the_password(backend: Backend) {
    let server = stage(backend, &[]);
    let mut visitor = server.panel();
    leads_to(&visitor.get("/account/"), FACTORS);
    leads_to(&visitor.get(FACTORS), LOGIN);
    leads_to(&visitor.get(ADD_TOTP), &format!("{LOGIN}?next={ADD_TOTP}"));
    for (name, password) in [("alice", "wrong"), ("nobody", PASSWORD)] {
        let refused = log_in(&mut visitor, name, password);
        assert!(refused.expect_status(200).text().contains("Please enter a correct username and password."));
    }
    assert!(!is_in(&mut visitor));
    let page = visitor.get(&format!("{LOGIN}?next={ADD_TOTP}"));
    let answer = visitor.submit(&page, LOGIN, &[("username", " alice "), ("password", PASSWORD)]);
    leads_to(&answer, ADD_TOTP);
    assert!(is_in(&mut visitor));
    leads_to(&visitor.get(LOGIN), FACTORS);
    let entry = "SELECT actor || ' ' || action FROM latchkey_audit_log WHERE action = 'account.login'";
    assert_eq!(server.text(entry), "alice account.login");
}

both!(the_cookie_of_a_visit_is_for_these_pages_and_no_script);
fn the_cookie_of_a_visit_is_for_these_pages_and_no_script(backend: Backend) {
    let server = stage(backend, &[]);
    let answer = log_in(&mut server.panel(), "alice", PASSWORD);
    let cookie = answer.header("set-cookie").expect("a cookie");
    let (value, rest) = cookie.split_once("; ").unwrap();
    assert!(value.starts_with(&format!("{COOKIE}=")) && value.len() > 50, "{cookie}");
    let mut rest: Vec<_> = rest.split("; ").collect();
    rest.sort_unstable();
    assert_eq!(rest, ["HttpOnly", "Max-Age=900", "Path=/account/", "SameSite=Strict"]);
    // The database has a hash of it.
    let token = value.split_once('=').unwrap().1;
    let known = format!("SELECT count(*) FROM latchkey_account_session WHERE token_hash = '{token}'");
    assert_eq!(server.db.count(&known), 0);

    let server = stage(backend, &[("PUBLIC_URL", "https://auth.example.com")]);
    let answer = log_in(&mut server.panel(), "alice", PASSWORD);
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("__Secure-latchkey_account=") && cookie.contains("; Secure"), "{cookie}");
}

both!(a_login_leads_to_pages_of_ours_only);
fn a_login_leads_to_pages_of_ours_only(backend: Backend) {
    let server = stage(backend, &[]);
    for next in ["https://evil.example/", "//evil.example", "/admin/", "/account/logout/", "\r\nx: y", "/account/../x"]
    {
        let fields = [("username", "alice"), ("password", PASSWORD), ("next", next)];
        leads_to(&server.panel().post(LOGIN, &fields), FACTORS);
    }
}

both!(a_visit_lasts_a_quarter_of_an_hour);
fn a_visit_lasts_a_quarter_of_an_hour(backend: Backend) {
    let server = stage(backend, &[]);
    let mut visitor = visit_of(&server, "alice");
    server.advance(15 * 60 - 1);
    assert!(is_in(&mut visitor));
    let page = visitor.get(ADD_TOTP);
    let code = totp_at(&secret_on(&page), server.time() + 1);
    server.advance(1);
    leads_to(&visitor.submit(&page, ADD_TOTP, &[("code", &code)]), &format!("{LOGIN}?next={ADD_TOTP}"));
    assert_eq!(server.factor_rows(), 0);
}

both!(a_visit_ends_with_its_button_and_with_the_password);
fn a_visit_ends_with_its_button_and_with_the_password(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let mut visitor = visit_of(&server, "alice");
    let mut copied = server.panel();
    copied.take_cookies(&visitor);
    let page = visitor.get(FACTORS);
    let out = visitor.submit(&page, "/logout/", &[]);
    leads_to(&out, LOGIN);
    let cookie = out.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("latchkey_account=; ") && cookie.contains("Max-Age=0") && cookie.contains("Path=/account/")
    );
    assert!(!is_in(&mut visitor) && !is_in(&mut copied));

    let mut visitor = visit_of(&server, "alice");
    let token = server.reset_token(&smtp);
    server.reset(&token, "another-harbour-18").expect_status(200);
    assert!(!is_in(&mut visitor), "after a reset");
    log_in(&mut visitor, "alice", "another-harbour-18").expect_status(303);
    assert!(is_in(&mut visitor));
    let alice = latchkey::db::types::UserId::Integer(server.db.count("SELECT id FROM auth_user"));
    server.set_password(alice, PASSWORD);
    assert!(!is_in(&mut visitor), "after a change");
    let mut visitor = visit_of(&server, "alice");
    server.set_active(alice, false);
    assert!(!is_in(&mut visitor), "of who may not log in");
}

both!(who_has_a_factor_shows_it);
fn who_has_a_factor_shows_it(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let mut visitor = server.panel();
    leads_to(&visitor.get(STEP), LOGIN);
    let asked = log_in(&mut visitor, "alice", PASSWORD);
    assert!(asked.expect_status(200).text().contains("Enter the code from your app"));
    assert!(asked.header("set-cookie").is_none() && !is_in(&mut visitor));
    let wrong = step(&mut visitor, &asked, "totp", "000000");
    assert!(wrong.expect_status(200).text().contains("The code is wrong or was used before."));
    let code = server.totp(&app);
    leads_to(&step(&mut visitor, &wrong, "totp", &code), FACTORS);
    assert!(is_in(&mut visitor));
    // Neither the challenge nor the code is good again.
    leads_to(&step(&mut server.panel(), &asked, "totp", &code), "/account/login/?again=1");
    let mut other = server.panel();
    let asked = log_in(&mut other, "alice", PASSWORD);
    step(&mut other, &asked, "totp", &code).expect_status(200);
    assert!(!is_in(&mut other));
    let detail = "SELECT detail FROM latchkey_audit_log WHERE action = 'account.login'";
    assert!(server.text(detail).contains("\"second_factor\":\"totp\""));
    let refused = "SELECT detail FROM latchkey_audit_log WHERE action = 'login.wrong_factor'";
    assert!(server.text(refused).contains("\"door\":\"account\""));
}

both!(five_wrong_codes_end_a_login);
fn five_wrong_codes_end_a_login(backend: Backend) {
    let server = stage(backend, &[("LOGIN_THROTTLE", "false")]);
    let app = server.enrol_totp("alice");
    let mut visitor = server.panel();
    let asked = log_in(&mut visitor, "alice", PASSWORD);
    for _ in 0..5 {
        step(&mut visitor, &asked, "totp", "000000").expect_status(200);
    }
    let over = step(&mut visitor, &asked, "totp", &server.totp(&app));
    leads_to(&over, "/account/login/?again=1");
    assert!(visitor.follow(&over).text().contains("too many codes were wrong"));
}

both!(more_challenges_bring_no_more_tries);
fn more_challenges_bring_no_more_tries(backend: Backend) {
    let server = stage(backend, &[]);
    server.enrol_totp("alice");
    let guess = || {
        let mut visitor = server.panel();
        let asked = log_in(&mut visitor, "alice", PASSWORD);
        step(&mut visitor, &asked, "totp", "000000")
    };
    let waits = (0..20).map(|_| guess()).find(|answer| answer.status == 429).expect("a limit");
    assert!(waits.text().contains("Too many attempts") && waits.header("retry-after").is_some());
}

both!(a_challenge_of_one_door_opens_no_other);
fn a_challenge_of_one_door_opens_no_other(backend: Backend) {
    let server = stage(backend, &[]);
    server.add_superuser("root");
    let (app, of_root) = (server.enrol_totp("alice"), server.enrol_totp("root"));
    let mut visitor = server.panel();
    let asked = log_in(&mut visitor, "alice", PASSWORD);
    let here =
        admin::attribute(asked.text().split("name=\"challenge\"").nth(1).unwrap().split('>').next().unwrap(), "value")
            .unwrap();
    // Of these pages at the API, of the API here.
    assert_no_challenge(&server.answer(&here, "totp", &server.totp(&app)));
    let of_api = server.challenge("alice");
    let fields = [("challenge", &*of_api), ("methods", "totp"), ("method", "totp"), ("code", &server.totp(&app))];
    leads_to(&visitor.post(STEP, &fields), "/account/login/?again=1");
    // Of the panel here.
    let mut panel = server.panel();
    let page = panel.log_in("root", PASSWORD);
    let of_panel =
        page.text().split("name=\"challenge\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [("challenge", &*of_panel), ("methods", "totp"), ("method", "totp"), ("code", &server.totp(&of_root))];
    leads_to(&visitor.post(STEP, &fields), "/account/login/?again=1");
    assert!(!is_in(&mut visitor));
    // A visit itself answers nothing, and is no token.
    let visitor = visit_with(&server, "alice", &app);
    let token = visitor.cookies().split_once('=').unwrap().1.to_owned();
    assert_no_challenge(&server.answer(&token, "totp", &server.totp(&app)));
    server.me(&token).expect_status(401);
    // Nor is a challenge a visit.
    let cookie = format!("{COOKIE}={}", server.challenge("alice"));
    leads_to(&server.client.get(FACTORS, &[("cookie", &cookie)]), LOGIN);
    for junk in ["latchkey_account=", "latchkey_account=x; latchkey_account=y", "latchkey_account=\u{1f469}"] {
        leads_to(&server.client.get(FACTORS, &[("cookie", junk)]), LOGIN);
    }
}

both!(of_two_who_know_the_password_the_first_to_enrol_is_in);
fn of_two_who_know_the_password_the_first_to_enrol_is_in(backend: Backend) {
    let server = stage(backend, &[]);
    let (mut first, mut second) = (visit_of(&server, "alice"), visit_of(&server, "alice"));
    let (one, two) = (first.get(ADD_TOTP), second.get(ADD_TOTP));
    let code = totp_at(&secret_on(&one), server.time());
    let done = first.submit(&one, ADD_TOTP, &[("code", &code)]);
    assert!(done.expect_status(200).text().contains("Save your recovery codes"));
    assert!(is_in(&mut first) && !is_in(&mut second));
    let code = totp_at(&secret_on(&two), server.time());
    leads_to(&second.submit(&two, ADD_TOTP, &[("code", &code)]), &format!("{LOGIN}?next={ADD_TOTP}"));
    assert_eq!(server.factor_rows(), 1);
}

both!(a_visit_is_looked_at_again_when_something_is_changed);
fn a_visit_is_looked_at_again_when_something_is_changed(backend: Backend) {
    let server = stage(backend, &[]);
    let (alice, bob) = (server.add_user("ann"), server.add_user("bob"));
    let client = latchkey::journal::Client::default();
    let begin = |visit: &AccountSession| {
        let started = server.wait(enrol::start(
            &server.app,
            EnrolmentAuthority::AccountSession(visit.clone()),
            FactorKind::Totp,
            &client,
        ));
        let Started { token, show: Show::Totp { secret, .. } } = started.unwrap_or_else(|_| panic!("not begun")) else {
            panic!("no secret")
        };
        (token, FactorResponse::Code(totp_at(secret.expose_secret(), server.time()).into()))
    };
    let finish = |visit: &AccountSession, (token, response)| {
        let answer = EnrolmentAnswer { token, response, name: None };
        server.wait(enrolment::finish_in_session(&server.app, visit, answer, &client)).map(drop)
    };
    let gone = |result: Result<(), EnrolError>| matches!(result, Err(EnrolError::Answer(AnswerError::NoChallenge)));
    // Somebody else's enrolment.
    let (first, second, of_bob) = (opened(&server, &alice), opened(&server, &alice), opened(&server, &bob));
    assert!(gone(finish(&of_bob, begin(&first))));
    // Both had begun when the first one finished.
    let (one, two) = (begin(&first), begin(&second));
    assert!(finish(&first, one).is_ok());
    assert!(gone(finish(&second, two)));
    assert_eq!(server.factor_rows(), 1);
    // Nothing is taken away by a visit that has ended, or that knew the password only.
    let id = latchkey::db::types::RowId(server.db.count("SELECT id FROM latchkey_second_factor"));
    let remove = |visit: &AccountSession| {
        let removed = server.wait(remove::remove(&server.app, FactorProof::AccountSession(visit.clone()), id, &client));
        matches!(removed, Ok(true))
    };
    let codes = |visit: &AccountSession| {
        server
            .wait(remove::replace_recovery_codes(&server.app, FactorProof::AccountSession(visit.clone()), &client))
            .is_ok()
    };
    assert!(!remove(&second) && !codes(&second));
    assert!(!remove(&of_bob) && !codes(&of_bob));
    assert!(codes(&first));
    server.set_password(alice.id, "another-harbour-18");
    assert!(!remove(&first) && !codes(&first));
    assert!(!server.wait(remembered_browser::forget(&server.app, &bob, "x", &client)).unwrap());
    assert_eq!(server.factor_rows(), 1);
}

both!(who_must_have_a_factor_comes_in_and_enrols);
fn who_must_have_a_factor_comes_in_and_enrols(backend: Backend) {
    let server = stage(backend, &[("SECOND_FACTOR", "required")]);
    server.obtain("alice", PASSWORD).expect_status(401);
    let mut visitor = visit_of(&server, "alice");
    assert!(visitor.get(FACTORS).text().contains("Your account must have a second factor."));
    let page = visitor.get(ADD_TOTP);
    let code = totp_at(&secret_on(&page), server.time());
    visitor.submit(&page, ADD_TOTP, &[("code", &code)]).expect_status(200);
    assert!(visitor.get(FACTORS).text().contains("Required"));
    assert_eq!(server.obtain("alice", PASSWORD).json()["code"], "second_factor_required");
}

both!(forms_of_other_sites_change_no_factor);
fn forms_of_other_sites_change_no_factor(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let visitor = visit_with(&server, "alice", &app);
    let cookies = visitor.cookies();
    let remove = format!("{FACTORS}{}/remove/", app.id);
    for path in [&*remove, "/account/second-factors/recovery-codes/", "/account/logout/", ADD_TOTP, LOGIN, STEP] {
        for evil in [("origin", "https://evil.example"), ("sec-fetch-site", "same-site"), ("origin", "null")] {
            let headers = [("content-type", "application/x-www-form-urlencoded"), ("cookie", &*cookies), evil];
            let answer = server.client.send("POST", path, &headers, "");
            assert!(answer.expect_status(400).text().contains("another site"), "{path}");
        }
        server.client.send("DELETE", path, &[("cookie", &cookies)], "").expect_status(405);
    }
    assert_eq!((server.factor_rows(), server.db.count("SELECT count(*) FROM latchkey_recovery_code")), (1, 10));
}
