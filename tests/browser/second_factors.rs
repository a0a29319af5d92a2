//! Second factors on the pages of users, in a real browser: each kind added and used, and a phone that was lost.

use super::webdriver::Browser;
use crate::api::second_factor::{stage, stage_with_mail, totp_at};
use crate::harness::{Backend, PASSWORD, Server};

/// A browser on the pages of a server. Passkeys need localhost.
struct Visitor<'a> {
    browser: Browser,
    server: &'a Server,
}

impl<'a> Visitor<'a> {
    fn new(server: &'a Server) -> Self {
        Self { browser: Browser::open(), server }
    }

    fn go(&self, path: &str) {
        self.browser.go(&format!("http://localhost:{}{path}", self.server.port));
    }

    /// The first step of a login.
    fn give_password(&self) {
        self.go("/account/");
        self.browser.find("input[name=username]").fill("alice");
        self.browser.find("input[name=password]").fill(PASSWORD);
        self.press("Log in");
    }

    /// Presses a button, or what looks like one, and waits for the page that it opens.
    #[track_caller]
    fn press(&self, words: &str) {
        let script =
            "return [...document.querySelectorAll('.btn')].findIndex(one => one.innerText.startsWith(arguments[0]))";
        let at = self.browser.ask_of(script, &[words.into()]).as_i64().unwrap();
        assert!(at >= 0, "no {words} on\n{}", self.browser.text());
        self.browser.ask_of("document.querySelectorAll('.btn')[arguments[0]].id = 'wanted'", &[at.into()]);
        self.browser.find("#wanted").open();
    }

    fn give_code(&self, code: &str) {
        self.browser.find("input[name=code]").fill(code);
        self.browser.find("main .btn.primary").open();
    }

    fn log_out(&self) {
        self.go("/account/");
        self.press("Log out");
        self.go("/account/");
        self.says("Log in to your account");
    }

    #[track_caller]
    fn says(&self, words: &str) {
        assert!(
            self.browser.text().contains(words),
            "no “{words}” on {}\n{}",
            self.browser.address(),
            self.browser.text()
        );
    }

    fn ask(&self, script: &str) -> String {
        self.browser.ask(script).as_str().unwrap().to_owned()
    }

    /// Adds an app by the secret that stands below the QR code; answers the secret.
    fn add_app(&self) -> String {
        self.go("/account/second-factors/add/totp/");
        let secret = self.ask("return document.querySelector('.secret').textContent").replace(' ', "");
        self.browser.find("input[name=name]").fill("My phone");
        self.give_code(&totp_at(&secret, self.server.time()));
        self.server.advance(30);
        secret
    }

    fn recovery_codes(&self) -> Vec<String> {
        self.says("Save your recovery codes");
        let codes = self.ask("return document.querySelector('.codes').innerText");
        codes.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Visitor<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let said = self.browser.console();
            assert!(said.is_empty(), "{said:?}");
        }
    }
}

both!(an_app_is_added_from_the_secret_below_its_qr_code);
fn an_app_is_added_from_the_secret_below_its_qr_code(backend: Backend) {
    let server = stage(backend, &[]);
    let visitor = Visitor::new(&server);
    visitor.give_password();
    visitor.says("Only your password protects this account.");
    let secret = visitor.add_app();
    assert_eq!(visitor.recovery_codes().len(), 10);
    visitor.press("I have saved them");
    visitor.says("My phone");
    visitor.log_out();
    visitor.give_password();
    visitor.says("Enter the code from your app");
    visitor.give_code("000000");
    visitor.says("The code is wrong or was used before.");
    visitor.give_code(&totp_at(&secret, server.time()));
    visitor.says("10 codes left");
}

both!(a_passkey_is_made_and_logs_in);
fn a_passkey_is_made_and_logs_in(backend: Backend) {
    let server = stage(backend, &[]);
    let visitor = Visitor::new(&server);
    visitor.browser.add_authenticator();
    visitor.give_password();
    visitor.browser.find("a[href$='/add/passkey/']").open();
    visitor.browser.find("input[name=name]").fill("This laptop");
    visitor.press("Create passkey");
    assert_eq!(visitor.recovery_codes().len(), 10);
    visitor.press("I have saved them");
    visitor.says("This laptop");
    visitor.log_out();
    visitor.give_password();
    visitor.says("Use your passkey");
    visitor.press("Use passkey");
    visitor.says("10 codes left");
    assert!(visitor.browser.address().ends_with("/account/second-factors/"), "{}", visitor.browser.address());
}

both!(a_device_without_a_passkey_is_told_so_and_goes_another_way);
fn a_device_without_a_passkey_is_told_so_and_goes_another_way(backend: Backend) {
    let server = stage(backend, &[]);
    let access = server.log_in("alice").access;
    let mut elsewhere = server.authenticator("elsewhere");
    let codes = server.enrol_passkey(&access, &mut elsewhere);
    let visitor = Visitor::new(&server);
    visitor.browser.add_authenticator();
    visitor.give_password();
    visitor.browser.find("[data-passkey]").click();
    visitor.browser.wait_for("this device has no passkey for this site");
    visitor.press("Use a recovery code");
    visitor.give_code(codes["recovery_codes"][0].as_str().unwrap());
    visitor.says("9 codes left");
}

both!(a_code_by_email_is_the_one_that_arrived);
fn a_code_by_email_is_the_one_that_arrived(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let visitor = Visitor::new(&server);
    visitor.give_password();
    visitor.browser.find("a[href$='/add/email/']").open();
    visitor.press("Send a test code");
    visitor.give_code(&server.mailed_code(&smtp));
    visitor.recovery_codes();
    visitor.log_out();
    visitor.give_password();
    visitor.says("Get a code by email");
    visitor.press("Send code");
    visitor.says("We’ve sent you a code.");
    visitor.give_code(&server.mailed_code(&smtp));
    visitor.says("alice@example.com");
}

both!(who_lost_the_phone_comes_in_with_a_recovery_code_and_removes_it);
fn who_lost_the_phone_comes_in_with_a_recovery_code_and_removes_it(backend: Backend) {
    let server = stage(backend, &[]);
    let visitor = Visitor::new(&server);
    visitor.give_password();
    visitor.add_app();
    let codes = visitor.recovery_codes();
    visitor.log_out();
    let use_code = |code: &str| {
        visitor.give_password();
        visitor.press("Use a recovery code");
        visitor.give_code(code);
    };
    use_code(&codes[0].to_uppercase().replace('-', " "));
    visitor.says("9 codes left");
    visitor.log_out();
    use_code(&codes[0]);
    visitor.says("The code is wrong or was used before.");
    visitor.give_code(&codes[1]);
    visitor.press("Remove…");
    visitor.says("your recovery codes stop working");
    visitor.press("Remove second factor");
    visitor.says("Your second factor was removed.");
    // The new phone.
    visitor.add_app();
    assert_ne!(visitor.recovery_codes(), codes);
}
