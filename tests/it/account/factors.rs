//! Second factors on the pages of users: added, removed, and replaced by codes on paper.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{ADD_TOTP, FACTORS, LOGIN, STEP, between, leads_to, log_in, secret_on, step, visit_of, visit_with};
use crate::api::second_factor::{FINISH, stage, stage_with_mail, totp_at};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Panel, Server, Smtp, admin};

const ADD_PASSKEY: &str = "/account/second-factors/add/passkey/";
const ADD_EMAIL: &str = "/account/second-factors/add/email/";
const CODES: &str = "/account/second-factors/recovery-codes/";

/// The recovery codes on the page that shows them.
#[track_caller]
fn codes_on(page: &Answer) -> Vec<String> {
    let list = between(&page.expect_status(200).text(), "<ol class=\"codes\">", "</ol>");
    list.split("<code>").skip(1).map(|code| code.split('<').next().unwrap().to_owned()).collect()
}

/// What the script asks the browser for.
#[track_caller]
fn options_on(page: &Answer) -> Value {
    let button = between(&page.expect_status(200).text(), "<button type=\"button\"", ">");
    serde_json::from_str(&admin::attribute(&button, "data-options").unwrap()).unwrap()
}

fn remove(visitor: &mut Panel, id: i64) -> Answer {
    let question = visitor.get(&format!("{FACTORS}{id}/remove/"));
    visitor.submit(question.expect_status(200), "/remove/", &[])
}

/// Whether alice got a mail about it.
fn told(smtp: &Smtp, what: &str) -> bool {
    smtp.received().iter().any(|mail| mail.to == ["alice@example.com"] && mail.subject().contains(what))
}

fn audit(server: &Server, action: &str) -> i64 {
    server.db.count(&format!("SELECT count(*) FROM latchkey_audit_log WHERE action = '{action}' AND actor = 'alice'"))
}

both!(an_app_is_added_by_the_secret_on_the_page);
fn an_app_is_added_by_the_secret_on_the_page(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[("SITE_NAME", "Harbour News")]);
    let mut visitor = visit_of(&server, "alice");
    assert!(visitor.get(FACTORS).text().contains("Only your password protects this account."));
    let page = visitor.get(ADD_TOTP);
    let secret = secret_on(&page);
    let uri = admin::unescape(&between(&page.text(), "<a href=\"otpauth:", "\""));
    assert!(uri.starts_with("//totp/Harbour%20News:alice?") && uri.contains(&secret), "{uri}");
    // The QR code says the same; the policy of the page would hide what has a style of its own.
    let qr = latchkey::crypto::totp::qr_svg(&format!("otpauth:{uri}").into()).unwrap();
    assert!(page.text().contains(qr.expose_secret()) && !page.text().contains("style="));
    // The same secret after a wrong code: it is in the app by now.
    let wrong = visitor.submit(&page, ADD_TOTP, &[("code", "000000"), ("name", "My <b>phone</b>")]);
    assert_eq!(secret_on(&wrong), secret);
    assert!(wrong.text().contains("The code is wrong or was used before."));
    assert_eq!(server.factor_rows(), 0);
    let code = totp_at(&secret, server.time());
    let done = visitor.submit(&wrong, ADD_TOTP, &[("code", &code), ("name", " My <b>phone</b>\u{0} ")]);
    let codes = codes_on(&done);
    assert_eq!(codes.len(), 10);
    assert_eq!(
        (server.text("SELECT name FROM latchkey_second_factor"), audit(&server, "second_factor.add")),
        ("My <b>phone</b>".to_owned(), 1)
    );
    server.deliver_mail();
    assert!(told(&smtp, "added"));
    // They are shown once.
    let again = visitor.submit(&wrong, ADD_TOTP, &[("code", &code)]);
    assert!(again.expect_status(400).text().contains("You already have one."));
    let list = visitor.get(FACTORS).text();
    assert!(list.contains("10 codes left") && list.contains("not used yet") && !list.contains(&codes[0]));
    assert!(!list.contains("<b>phone"), "{list}");
    assert!(list.contains("You already have one."));
    let refused = visitor.get(ADD_TOTP);
    assert!(refused.expect_status(400).text().contains("You already have one. Remove it first."));
    // The login of the API asks for it.
    server.advance(30);
    let answer = server.answer(&server.challenge("alice"), "totp", &totp_at(&secret, server.time()));
    answer.expect_status(200);
}

both!(an_enrolment_of_these_pages_is_good_here_only);
fn an_enrolment_of_these_pages_is_good_here_only(backend: Backend) {
    let server = stage(backend, &[]);
    server.add_user("bob");
    let mut visitor = visit_of(&server, "alice");
    let page = visitor.get(ADD_TOTP);
    let enrolment = between(&page.text(), "name=\"enrolment\" value=\"", "\"");
    let code = totp_at(&secret_on(&page), server.time());
    // Not at the API, not in a visit of somebody else.
    let confirm = json!({"enrolment": enrolment, "code": code});
    server.client.post("/api/second-factors/confirm/", &confirm).expect_status(400);
    let mut bob = visit_of(&server, "bob");
    let answer = bob.post(ADD_TOTP, &[("enrolment", &enrolment), ("code", &code)]);
    assert!(answer.expect_status(200).text().contains("Start again."));
    assert_ne!(secret_on(&answer), secret_on(&page));
    // Nor is one of the API good here.
    let access = server.log_in("alice").access;
    let started = server.begin_factor(&access, "totp").expect_status(200).json();
    let code = totp_at(started["secret"].as_str().unwrap(), server.time());
    let fields = [("enrolment", started["enrolment"].as_str().unwrap()), ("code", &code)];
    assert!(visitor.post(ADD_TOTP, &fields).expect_status(200).text().contains("Start again."));
    assert_eq!(server.factor_rows(), 0);
    for kind in ["recovery", "x", "Totp"] {
        visitor.get(&format!("/account/second-factors/add/{kind}/")).expect_status(404);
    }
}

both!(five_wrong_codes_begin_an_enrolment_anew);
fn five_wrong_codes_begin_an_enrolment_anew(backend: Backend) {
    let server = stage(backend, &[]);
    let mut visitor = visit_of(&server, "alice");
    let page = visitor.get(ADD_TOTP);
    let secret = secret_on(&page);
    for _ in 0..4 {
        assert_eq!(secret_on(&visitor.submit(&page, ADD_TOTP, &[("code", "000000")])), secret);
    }
    visitor.submit(&page, ADD_TOTP, &[("code", "000000")]).expect_status(200);
    let code = totp_at(&secret, server.time());
    let anew = visitor.submit(&page, ADD_TOTP, &[("code", &code)]);
    assert!(anew.expect_status(200).text().contains("too many codes were wrong"));
    assert_ne!(secret_on(&anew), secret);
}

both!(a_passkey_is_added_and_opens_a_visit);
fn a_passkey_is_added_and_opens_a_visit(backend: Backend) {
    let server = stage(backend, &[]);
    let mut passkey = server.authenticator("laptop");
    let mut visitor = visit_of(&server, "alice");
    let page = visitor.get(ADD_PASSKEY);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert!(page.text().contains("passkey.js") && page.text().contains("<noscript>"));
    for junk in ["", "{}", "null", "[[[", "{\"id\":1}"] {
        let again = visitor.submit(&page, ADD_PASSKEY, &[("credential", junk)]);
        assert!(again.expect_status(200).text().contains("could not be added"), "{junk}");
    }
    let page = visitor.get(ADD_PASSKEY);
    let credential = passkey.create(&options_on(&page)).to_string();
    let done = visitor.submit(&page, ADD_PASSKEY, &[("credential", &credential), ("name", "Laptop")]);
    let codes = codes_on(&done);
    // A second one brings no codes.
    let mut other = server.authenticator("phone");
    let page = visitor.get(ADD_PASSKEY);
    let credential = other.create(&options_on(&page)).to_string();
    leads_to(
        &visitor.submit(&page, ADD_PASSKEY, &[("credential", &credential)]),
        "/account/second-factors/?done=added",
    );
    assert!(visitor.get("/account/second-factors/?done=added").text().contains("Your second factor was added."));

    let mut visitor = server.panel();
    let asked = log_in(&mut visitor, "alice", PASSWORD);
    assert!(asked.text().contains("Use your passkey") && asked.text().contains("Use a recovery code"));
    assert!(asked.header("content-security-policy").unwrap().contains("script-src 'self'"));
    let refused = visitor.submit(&asked, STEP, &[("credential", "{}")]);
    assert!(refused.expect_status(200).text().contains("This passkey was not accepted."));
    // Each page asks anew.
    let credential = passkey.get(&options_on(&refused)).to_string();
    leads_to(&visitor.submit(&refused, STEP, &[("credential", &credential)]), FACTORS);
    assert!(visitor.get(FACTORS).text().contains(">just now</time>"));
    // Another way is a button away.
    let mut visitor = server.panel();
    let asked = log_in(&mut visitor, "alice", PASSWORD);
    let paper = visitor.submit(&asked, STEP, &[("way", "recovery")]);
    assert!(paper.expect_status(200).text().contains("Enter a recovery code"));
    leads_to(&step(&mut visitor, &paper, "recovery", &codes[0].to_uppercase()), FACTORS);
    assert!(visitor.get(FACTORS).text().contains("9 codes left"));
}

both!(without_https_there_are_no_passkeys_and_the_page_says_so);
fn without_https_there_are_no_passkeys_and_the_page_says_so(backend: Backend) {
    let server = stage(backend, &[("PUBLIC_URL", "http://auth.example.com")]);
    server.db.execute("UPDATE auth_user SET email = ''");
    let mut visitor = visit_of(&server, "alice");
    let list = visitor.get(FACTORS).expect_status(200).text();
    assert!(list.contains("Passkeys need https, or localhost.") && list.contains("Your account has no email address."));
    for (path, text) in [(ADD_PASSKEY, "need https"), (ADD_EMAIL, "no email address")] {
        assert!(visitor.get(path).expect_status(400).text().contains(text));
    }
}

both!(codes_by_email_are_added_by_a_code);
fn codes_by_email_are_added_by_a_code(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let mut visitor = visit_of(&server, "alice");
    server.deliver_mail();
    let before = smtp.received().len();
    let page = visitor.get(ADD_EMAIL);
    assert!(page.text().contains("alice@example.com"));
    server.deliver_mail();
    assert_eq!(smtp.received().len(), before, "to look at the page sends nothing");
    let sent = visitor.submit(&page, ADD_EMAIL, &[("send", "1")]);
    let first = server.mailed_code(&smtp);
    let again = visitor.submit(&sent, ADD_EMAIL, &[("send", "1")]);
    let code = server.mailed_code(&smtp);
    assert_eq!(smtp.received().len(), before + 2);
    if first != code {
        let wrong = visitor.submit(&again, ADD_EMAIL, &[("code", &first)]);
        assert!(wrong.expect_status(200).text().contains("The code is wrong or was used before."));
    }
    assert_eq!(codes_on(&visitor.submit(&again, ADD_EMAIL, &[("code", &code)])).len(), 10);

    let mut visitor = server.panel();
    let asked = log_in(&mut visitor, "alice", PASSWORD);
    assert!(asked.text().contains("Get a code by email") && !asked.text().contains("name=\"code\""));
    let sent = visitor.submit(&asked, STEP, &[("way", "email")]);
    assert!(sent.expect_status(200).text().contains("We’ve sent you a code."));
    let wrong = step(&mut visitor, &sent, "email", "x");
    assert!(wrong.text().contains("The code is wrong") && wrong.text().contains("Send another code"));
    let code = server.mailed_code(&smtp);
    leads_to(&step(&mut visitor, &wrong, "email", &code), FACTORS);
    assert!(visitor.get(FACTORS).text().contains("alice@example.com"));
}

both!(a_factor_is_removed_and_says_what_goes_with_it);
fn a_factor_is_removed_and_says_what_goes_with_it(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let app = server.enrol_totp("alice");
    let remembered = json!({
        "challenge": server.challenge("alice"),
        "method": "recovery",
        "code": app.recovery_codes[0],
        "remember": true,
    });
    server.client.post(FINISH, &remembered).expect_status(200);
    let (mut visitor, mut other) = (visit_with(&server, "alice", &app), visit_with(&server, "alice", &app));
    let question = visitor.get(&format!("{FACTORS}{}/remove/", app.id)).expect_status(200).text();
    for text in
        ["Authenticator app will no longer work", "your recovery codes stop working", "Remembered browsers will ask"]
    {
        assert!(question.contains(text), "{question}");
    }
    assert!(!question.contains("must have a second factor"));
    assert_eq!(server.factor_rows(), 1, "to be asked removes nothing");
    leads_to(&remove(&mut visitor, app.id), "/account/second-factors/?done=removed");
    let counts = ["latchkey_second_factor", "latchkey_recovery_code", "latchkey_browser"];
    assert_eq!(counts.map(|table| server.db.count(&format!("SELECT count(*) FROM {table}"))), [0, 0, 0]);
    assert_eq!(audit(&server, "second_factor.remove"), 1);
    server.deliver_mail();
    assert!(told(&smtp, "removed"));
    // The visit goes on; the others stood for the factor, too.
    let list = visitor.get("/account/second-factors/?done=removed").expect_status(200).text();
    assert!(list.contains("Your second factor was removed.") && list.contains("Add a second factor"));
    leads_to(&other.get(FACTORS), LOGIN);
    let gone = visitor.post(&format!("{FACTORS}{}/remove/", app.id), &[]);
    assert!(gone.expect_status(404).text().contains("This second factor is gone"));
    for id in ["0", "-1", "99999999999999999999", "x"] {
        visitor.get(&format!("{FACTORS}{id}/remove/")).expect_status(404);
    }
}

both!(who_must_have_one_is_told_that_the_next_login_asks_for_it);
fn who_must_have_one_is_told_that_the_next_login_asks_for_it(backend: Backend) {
    let server = stage(backend, &[("SECOND_FACTOR", "required")]);
    let mut visitor = visit_of(&server, "alice");
    let page = visitor.get(ADD_TOTP);
    let code = totp_at(&secret_on(&page), server.time());
    visitor.submit(&page, ADD_TOTP, &[("code", &code)]).expect_status(200);
    let id = server.db.count("SELECT id FROM latchkey_second_factor");
    let question = visitor.get(&format!("{FACTORS}{id}/remove/")).text();
    assert!(question.contains("Your next login will ask you to add one"), "{question}");
    remove(&mut visitor, id).expect_status(303);
    assert_eq!(server.obtain("alice", PASSWORD).json()["code"], "second_factor_enrolment_required");
}

both!(nobody_touches_the_factors_of_somebody_else);
fn nobody_touches_the_factors_of_somebody_else(backend: Backend) {
    let server = stage(backend, &[]);
    server.add_user("bob");
    let (app, of_bob) = (server.enrol_totp("alice"), server.enrol_totp("bob"));
    let remembered = json!({
        "challenge": server.challenge("alice"),
        "method": "recovery",
        "code": app.recovery_codes[0],
        "remember": true,
    });
    server.client.post(FINISH, &remembered).expect_status(200);
    let browser = server.text("SELECT id FROM latchkey_browser");
    let mut bob = visit_with(&server, "bob", &of_bob);
    let path = format!("{FACTORS}{}/remove/", app.id);
    bob.get(&path).expect_status(404);
    bob.post(&path, &[]).expect_status(404);
    bob.post(&format!("{FACTORS}browsers/{browser}/forget/"), &[]).expect_status(303);
    assert_eq!(server.factor_rows(), 2);
    let mut alice = visit_with(&server, "alice", &app);
    let list = alice.get(FACTORS);
    assert!(list.text().contains("Remembered browsers") && list.text().contains("127.0.0.1"));
    leads_to(&alice.submit(&list, "/forget/", &[]), "/account/second-factors/?done=forgotten");
    assert!(!alice.get(FACTORS).text().contains("Remembered browsers"));
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_browser"), 0);
}

both!(sessions_are_ended_beside_the_browsers);
fn sessions_are_ended_beside_the_browsers(backend: Backend) {
    let server = stage(backend, &[]);
    server.add_user("bob");
    let (pair, mut bob) = (server.log_in("alice"), visit_of(&server, "bob"));
    let mut alice = visit_of(&server, "alice");
    let list = alice.get(FACTORS);
    assert!(list.text().contains("Where you are logged in") && !bob.get(FACTORS).text().contains("Where you are"));
    let path = format!("/account/sessions/{}/end/", server.text("SELECT id FROM latchkey_session"));
    bob.post(&path, &[]).expect_status(303);
    alice.post("/account/sessions/nonsense/end/", &[]).expect_status(303);
    let kept = server.refresh(&pair.refresh);
    leads_to(&alice.submit(&list, "/end/", &[]), "/account/second-factors/?done=ended");
    server.refresh(&Pair::of(&kept).refresh).expect_status(401);
    assert!(!alice.get(FACTORS).text().contains("Where you are logged in"));
    assert_eq!(audit(&server, "session.end"), 1);
    alice.get("/account/sessions/nonsense/end/").expect_status(405);
}

both!(new_recovery_codes_replace_the_old_ones);
fn new_recovery_codes_replace_the_old_ones(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let mut visitor = visit_with(&server, "alice", &app);
    let question = visitor.get(CODES);
    assert!(question.text().contains("Your current codes stop working."));
    let codes = codes_on(&visitor.submit(&question, CODES, &[]));
    assert_eq!((codes.len(), audit(&server, "second_factor.recovery_codes")), (10, 1));
    server.answer(&server.challenge("alice"), "recovery", &app.recovery_codes[0]).expect_status(401);
    server.answer(&server.challenge("alice"), "recovery", &codes[0]).expect_status(200);
    // Who has no factor has nothing that they could stand for.
    server.add_user("bob");
    let mut bob = visit_of(&server, "bob");
    leads_to(&bob.post(CODES, &[]), FACTORS);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_recovery_code"), 10);
}
