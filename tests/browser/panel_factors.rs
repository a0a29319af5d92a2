//! The panel's second step in a real browser: a passkey that was made under `/account/`, and a code of an app; remembered,
//! the password alone is enough. Passkeys need the name localhost.

use super::webdriver::Browser;
use crate::harness::{Backend, PASSWORD, Server};

fn address(server: &Server, path: &str) -> String {
    format!("http://localhost:{}{path}", server.port)
}

/// Types the name and the password.
fn log_in(browser: &Browser) {
    browser.find("input[name=username]").fill("root");
    browser.find("input[name=password]").fill(PASSWORD);
    browser.find("main button[type=submit]").open();
}

fn log_out(browser: &Browser) {
    browser.find("header details summary").click();
    browser.find("form[action='/admin/logout/'] button").open();
}

#[track_caller]
fn assert_in(browser: &Browser) {
    assert!(browser.address().ends_with("/admin/"), "{}", browser.text());
}

both!(a_passkey_opens_the_panel_and_is_not_asked_for_again_where_it_is_remembered);
fn a_passkey_opens_the_panel_and_is_not_asked_for_again_where_it_is_remembered(backend: Backend) {
    let server = Server::with(backend, &[("SECOND_FACTOR", "staff")]);
    server.add_superuser("root");
    let browser = Browser::open();
    browser.add_authenticator();
    // Who needs one and has none is led to where they are made.
    browser.go(&address(&server, "/admin/login/"));
    log_in(&browser);
    assert!(browser.address().ends_with("/account/second-factors/"), "{}", browser.address());
    browser.go(&address(&server, "/account/second-factors/add/passkey/"));
    browser.find("button[data-passkey=create]").open();
    browser.wait_for("recovery codes");

    browser.go(&address(&server, "/admin/login/"));
    log_in(&browser);
    assert!(browser.text().contains("Use your passkey"), "{}", browser.text());
    browser.find("input[name=remember]").click();
    browser.find("button[data-passkey=get]").open();
    assert_in(&browser);
    log_out(&browser);
    log_in(&browser);
    assert_in(&browser);
    assert_eq!(browser.console(), Vec::<String>::new());
}

both!(a_code_opens_the_panel_with_and_without_scripts);
fn a_code_opens_the_panel_with_and_without_scripts(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let app = server.enrol_totp("root");
    let browser = Browser::open();
    for run in [true, false] {
        browser.run_scripts(run);
        browser.go(&address(&server, "/admin/login/"));
        log_in(&browser);
        browser.find("input[name=code]").fill("000000");
        browser.find("main form button.primary").open();
        assert!(browser.text().contains("The code is wrong or was used before."), "{}", browser.text());
        browser.find("input[name=code]").fill(&server.totp(&app));
        browser.find("main form button.primary").open();
        assert_in(&browser);
        log_out(&browser);
        server.advance(30);
    }
    browser.go(&address(&server, "/admin/login/"));
    log_in(&browser);
    browser.find("button[name=way][value=recovery]").open();
    browser.find("input[name=code]").fill(&app.recovery_codes[3]);
    browser.find("main form button.primary").open();
    assert_in(&browser);
}

both!(a_passkey_that_does_not_come_leaves_the_other_ways);
fn a_passkey_that_does_not_come_leaves_the_other_ways(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let access = server.log_in("root").access;
    let mut elsewhere = server.authenticator("elsewhere");
    let codes = server.enrol_passkey(&access, &mut elsewhere)["recovery_codes"].clone();
    let browser = Browser::open();
    browser.add_authenticator();
    browser.go(&address(&server, "/admin/login/"));
    log_in(&browser);
    browser.find("button[data-passkey=get]").click();
    browser.wait_for("That didn’t work");
    browser.find("button[name=way][value=recovery]").open();
    browser.find("input[name=code]").fill(codes[0].as_str().unwrap());
    browser.find("main form button.primary").open();
    assert_in(&browser);
    // Without scripts the page says so.
    log_out(&browser);
    browser.run_scripts(false);
    log_in(&browser);
    assert!(
        browser.text().contains("which is turned off in this browser. Choose another method."),
        "{}",
        browser.text()
    );
}
