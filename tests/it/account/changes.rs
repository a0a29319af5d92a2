//! Who has a second factor changes password and address only where it was shown.

use super::{CHANGE, EMAIL, FACTORS, LOGIN, log_in, step, visit_of, visit_with};
use crate::api::passwords::NEW;
use crate::api::second_factor::{stage, stage_with_mail};
use crate::harness::{Backend, PASSWORD, Pair};

const HAS_FACTOR: &str = "Your account has a second factor";

both!(a_password_alone_does_not_change_the_password_of_who_has_a_factor);
fn a_password_alone_does_not_change_the_password_of_who_has_a_factor(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let new = [("password1", NEW), ("password2", NEW)];
    let change = [&[("username", "alice"), ("old_password", PASSWORD)], &new[..]].concat();
    let mut visitor = server.panel();
    let refused = visitor.post(CHANGE, &change);
    let login = format!("{LOGIN}?next={CHANGE}");
    assert!(refused.expect_status(403).text().contains(HAS_FACTOR));
    assert!(refused.text().contains(&format!("href=\"{login}\"")), "{}", refused.text());
    // Who does not know the password learns nothing.
    let wrong = [("username", "alice"), ("old_password", "wrong"), new[0], new[1]];
    assert!(!visitor.post(CHANGE, &wrong).expect_status(200).text().contains(HAS_FACTOR));
    server.obtain("alice", NEW).expect_status(401);

    let page = visitor.get(&login);
    let asked = visitor.submit(&page, LOGIN, &[("username", "alice"), ("password", PASSWORD)]);
    let back = step(&mut visitor, &asked, "totp", &server.totp(&app));
    assert_eq!(back.header("location"), Some(CHANGE));
    let form = visitor.follow(&back);
    assert!(!form.text().contains("name=\"username\"") && form.text().contains("For your account alice."));
    for (old, text) in [("wrong", "This is not your password."), ("", "This field is required.")] {
        let again = visitor.submit(&form, CHANGE, &[("old_password", old), new[0], new[1]]);
        assert!(again.expect_status(200).text().contains(text), "{}", again.text());
    }
    // A name in the form is nobody: it is the visitor's account.
    server.add_user("bob");
    let done = visitor.submit(&form, CHANGE, &[("username", "bob"), ("old_password", PASSWORD), new[0], new[1]]);
    assert!(done.expect_status(200).text().contains("Your account alice has a new password."));
    visitor.get(FACTORS).expect_status(303);
    assert_eq!(server.obtain("alice", NEW).json()["code"], "second_factor_required");
    Pair::of(&server.obtain("bob", PASSWORD));
}

both!(nor_the_address);
fn nor_the_address(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let app = server.enrol_totp("alice");
    server.deliver_mail();
    let before = smtp.received().len();
    let fields = [("username", "alice"), ("password", PASSWORD), ("email", "new@example.org")];
    let refused = server.panel().post(EMAIL, &fields);
    assert!(refused.expect_status(403).text().contains(&format!("href=\"{LOGIN}?next={EMAIL}\"")));
    server.deliver_mail();
    assert_eq!(smtp.received().len(), before);
    let mut visitor = visit_with(&server, "alice", &app);
    let form = visitor.get(EMAIL);
    assert!(!form.text().contains("name=\"username\""));
    let wrong = visitor.submit(&form, EMAIL, &[("password", "wrong"), ("email", "new@example.org")]);
    assert!(wrong.expect_status(200).text().contains("This is not your password."));
    let sent = visitor.submit(&form, EMAIL, &[("password", PASSWORD), ("email", "new@example.org")]);
    assert!(sent.expect_status(200).text().contains("Check your mail"));
    server.deliver_mail();
    assert!(smtp.last_to("new@example.org").text.contains("token="));
}

both!(without_a_factor_a_visit_only_saves_the_name);
fn without_a_factor_a_visit_only_saves_the_name(backend: Backend) {
    let server = stage(backend, &[("PASSWORD_RULES", "django")]);
    let mut visitor = visit_of(&server, "alice");
    let form = visitor.get(CHANGE);
    let fields = [("old_password", PASSWORD), ("password1", "alice"), ("password2", "alice")];
    let again = visitor.submit(&form, CHANGE, &fields);
    assert!(again.expect_status(200).text().contains("too short"), "{}", again.text());
    let fields = [("old_password", PASSWORD), ("password1", NEW), ("password2", NEW)];
    assert!(visitor.submit(&form, CHANGE, &fields).text().contains("Your password was changed"));
    Pair::of(&server.obtain("alice", NEW));
}

both!(a_reset_password_opens_no_visit);
fn a_reset_password_opens_no_visit(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    server.enrol_totp("alice");
    let token = server.reset_token(&smtp);
    server.reset(&token, NEW).expect_status(200);
    let mut visitor = server.panel();
    let asked = log_in(&mut visitor, "alice", NEW);
    assert!(asked.expect_status(200).text().contains("Enter the code from your app"));
    visitor.get(FACTORS).expect_status(303);
}
