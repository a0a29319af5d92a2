//! A forgotten password, in a real browser: from the login through the mail that a mail server received to the new
//! password; and another address, from a browser that knows where to change passwords.

use super::webdriver::Browser;
use crate::api::passwords::{NEW, stage};
use crate::harness::{Backend, PASSWORD, Pair};

both!(a_forgotten_password_is_replaced_by_the_mail_that_arrived);
fn a_forgotten_password_is_replaced_by_the_mail_that_arrived(backend: Backend) {
    let (smtp, server) = stage(backend, &[("PASSWORD_RULES", "nist")]);
    let here = format!("http://127.0.0.1:{}", server.port);
    let browser = Browser::open();
    browser.go(&format!("{here}/admin/login/"));
    browser.find("main").link("Forgotten your password?").open();
    browser.find("input[name=email]").fill("alice@example.com");
    browser.find("main button").open();
    assert!(browser.text().contains("Check your mail"), "{}", browser.text());
    server.deliver_mail();

    let link = smtp.only().link("http://localhost:0/account/password/reset/confirm/?token=");
    browser.go(&link.replace("http://localhost:0", &here));
    assert!(browser.text().contains("your account alice"), "{}", browser.text());
    let choose = |password: &str| {
        browser.find("input[name=password1]").fill(password);
        browser.find("input[name=password2]").fill(password);
        browser.find("main button").open();
    };
    choose("alice@example.com");
    assert!(browser.text().contains("too similar to the email address"), "{}", browser.text());
    choose(NEW);
    assert!(browser.text().contains("Your password was changed"), "{}", browser.text());
    assert!(!browser.address().contains("token"), "{}", browser.address());
    Pair::of(&server.obtain("alice", NEW));
    server.obtain("alice", PASSWORD).expect_status(401);
    browser.go(&link.replace("http://localhost:0", &here));
    assert!(browser.text().contains("invalid or has expired"), "{}", browser.text());
    // The browser notes each answer that is no success.
    assert!(browser.console().iter().all(|line| line.contains("400")), "{:?}", browser.console());
}

both!(a_password_is_changed_where_keepers_of_passwords_lead);
fn a_password_is_changed_where_keepers_of_passwords_lead(backend: Backend) {
    let (_smtp, server) = stage(backend, &[]);
    let browser = Browser::open();
    browser.go(&format!("http://127.0.0.1:{}/.well-known/change-password", server.port));
    assert!(browser.address().ends_with("/account/password/change/"), "{}", browser.address());
    for (name, text) in [("username", "alice"), ("old_password", PASSWORD), ("password1", NEW), ("password2", NEW)] {
        browser.find(&format!("input[name={name}]")).fill(text);
    }
    browser.find("main button").open();
    assert!(browser.text().contains("Your password was changed"), "{}", browser.text());
    Pair::of(&server.obtain("alice", NEW));
}
