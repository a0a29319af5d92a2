//! The tutorial's story on the page of docs/second-factors/, on another origin than the server: a user adds codes by
//! email, and logs in with them; then with an app, a passkey and a recovery code, and from a browser that is remembered.

use super::site::{Network, serve_second_factors};
use super::webdriver::Browser;
use crate::api::second_factor::{stage_with_mail, totp_at};
use crate::harness::{Backend, PASSWORD, Server, Smtp};

const WRONG: &str = "The code is wrong or was used before.";

/// A browser on the page, and all that it needs. Nobody is logged in.
struct Stage {
    server: Server,
    smtp: Smtp,
    browser: Browser,
}

impl Stage {
    fn new(backend: Backend, cookie: bool, settings: &[(&str, &str)]) -> Self {
        let network = Network::default();
        let origin = serve_second_factors(network.open(), cookie);
        let mut all = vec![("CORS_ALLOWED_ORIGINS", origin.as_str())];
        if cookie {
            all.extend([("JWT_COOKIE", "refresh"), ("CORS_ALLOW_CREDENTIALS", "true")]);
        }
        all.extend(settings);
        let (smtp, server) = stage_with_mail(backend, &all);
        network.connect(server.port);
        let browser = Browser::open();
        browser.add_authenticator();
        browser.go(&format!("{origin}/second-factors/"));
        browser.wait_for("Log in");
        Self { server, smtp, browser }
    }

    fn fill(&self, css: &str, text: &str) {
        self.browser.find(css).fill(text);
    }

    fn click(&self, css: &str) {
        self.browser.find(css).click();
    }

    /// The password, and what the page says then.
    #[track_caller]
    fn log_in(&self, then: &str) {
        self.fill("#login [name=username]", "alice");
        self.fill("#login [name=password]", PASSWORD);
        self.click("#login button");
        self.browser.wait_for(then);
    }

    #[track_caller]
    fn log_out(&self) {
        self.click("#logout");
        self.browser.wait_for("Username");
    }

    fn choose(&self, method: &str) {
        self.click(&format!("[name=method][value={method}]"));
    }

    /// Answers with a code.
    #[track_caller]
    fn answer(&self, code: &str, then: &str) {
        self.fill("#factor [name=code]", code);
        self.click("#factor form > button:not([type])");
        self.browser.wait_for(then);
    }

    /// Asks for a code by email, and takes it out of the mail.
    #[track_caller]
    fn mailed(&self) -> String {
        self.click("#send");
        self.browser.wait_for("A code has been sent.");
        self.server.mailed_code(&self.smtp)
    }

    /// The same for another factor, for which one is shown: a recovery code.
    #[track_caller]
    fn add_another(&self, kind: &str, code: &str) {
        self.add(kind);
        self.browser.wait_for("One more step");
        self.choose("recovery");
        // A typing error keeps the user there.
        self.answer("no-code", WRONG);
        self.fill("#factor [name=code]", code);
        self.click("#factor form > button:not([type])");
    }

    /// Begins to add a factor, as who is logged in.
    fn add(&self, kind: &str) {
        self.click("#adding");
        self.click(&format!("#add option[value={kind}]"));
        self.fill("#add [name=password]", PASSWORD);
        self.click("#add form > button:not([type])");
    }

    #[track_caller]
    fn confirm(&self, code: &str, then: &str) {
        self.fill("#confirm [name=code]", code);
        self.click("#confirm form > button:not([type])");
        self.browser.wait_for(then);
    }

    /// Adds codes by email from the front; answers the recovery codes that the page shows.
    #[track_caller]
    fn add_email(&self) -> Vec<String> {
        self.add("email");
        self.browser.wait_for("A code is on its way to your address.");
        self.confirm(&self.server.mailed_code(&self.smtp), "Your recovery codes");
        let codes: Vec<String> = self.browser.find("#codes ul").text().split_whitespace().map(str::to_owned).collect();
        assert_eq!(codes.len(), 10);
        self.click("#kept");
        self.browser.wait_for("Recovery codes: 10 left");
        codes
    }

    /// The last letters of its script's console that a visitor's developer would worry about.
    fn assert_quiet(&self) {
        // The browser notes each answer that is no success.
        let loud: Vec<_> = self.browser.console().into_iter().filter(|line| !line.contains("status of 40")).collect();
        assert!(loud.is_empty(), "{loud:?}");
    }
}

fn tutorial(backend: Backend, cookie: bool) {
    let stage = Stage::new(backend, cookie, &[]);
    stage.log_in("Hello, alice");
    stage.browser.wait_for("your password is all that it takes");
    stage.add_email();
    stage.log_out();

    // The password alone is not enough any more, and only the code of the mail is right.
    stage.log_in("One more step");
    let code = stage.mailed();
    let other = if code == "123456" { "654321" } else { "123456" };
    stage.answer(other, WRONG);
    assert_eq!(stage.browser.find("[role=alert]").text(), WRONG);
    assert_eq!(stage.browser.ask("return document.activeElement.name"), "code");
    stage.click("[name=remember]");
    stage.answer(&code, "Hello, alice");

    // From this browser it is again, until its user forgets it.
    stage.log_out();
    stage.log_in("Hello, alice");
    stage.log_out();
    stage.server.db.execute("DELETE FROM latchkey_browser");
    stage.log_in("One more step");
    stage.click("#factor .again");
    stage.browser.wait_for("Username");
    let readable = stage.browser.ask("return document.cookie + JSON.stringify(localStorage)");
    assert_eq!(readable.as_str().unwrap().contains("latchkey-device"), !cookie, "{readable}");
    stage.assert_quiet();
}

both!(the_tutorial_with_codes_by_email_runs_with_its_tokens_in_storage);
fn the_tutorial_with_codes_by_email_runs_with_its_tokens_in_storage(backend: Backend) {
    tutorial(backend, false);
}

both!(the_tutorial_with_codes_by_email_runs_with_a_refresh_cookie);
fn the_tutorial_with_codes_by_email_runs_with_a_refresh_cookie(backend: Backend) {
    tutorial(backend, true);
}

both!(every_kind_of_factor_logs_in_on_the_page_of_the_documentation);
fn every_kind_of_factor_logs_in_on_the_page_of_the_documentation(backend: Backend) {
    let stage = Stage::new(backend, true, &[]);
    stage.log_in("Hello, alice");
    let recovery = stage.add_email();

    // An app reads the secret from the QR code, or has it typed in.
    stage.add_another("totp", &recovery[8]);
    stage.browser.wait_for("Scan this with your app");
    assert_eq!(stage.browser.ask("return document.querySelector('#qr').naturalWidth > 0"), true);
    let secret = stage.browser.find("#secret").text();
    stage.confirm(&totp_at(&secret, stage.server.time()), "Authenticator app");
    stage.server.advance(30);
    stage.log_out();
    stage.log_in("One more step");
    stage.choose("totp");
    stage.answer(&totp_at(&secret, stage.server.time()), "Hello, alice");

    stage.add_another("passkey", &recovery[9]);
    stage.browser.wait_for("Passkey");
    stage.log_out();
    stage.log_in("One more step");
    stage.choose("passkey");
    stage.click("#factor form > button:not([type])");
    stage.browser.wait_for("Hello, alice");
    stage.log_out();

    // A lost phone: a code from paper, once.
    for then in ["Hello, alice", WRONG] {
        stage.log_in("One more step");
        stage.choose("recovery");
        stage.answer(&recovery[0], then);
        if then != WRONG {
            stage.browser.wait_for("Recovery codes: 7 left");
            stage.log_out();
        }
    }
    stage.assert_quiet();
}

both!(who_must_have_a_factor_adds_one_on_the_page_and_is_in);
fn who_must_have_a_factor_adds_one_on_the_page_and_is_in(backend: Backend) {
    let stage = Stage::new(backend, true, &[("SECOND_FACTOR", "required")]);
    stage.log_in("Your account needs one before you can log in.");
    stage.click("#add option[value=email]");
    stage.click("#add form > button:not([type])");
    stage.browser.wait_for("A code is on its way to your address.");
    stage.confirm("abc", "The code is wrong");
    stage.confirm(&stage.server.mailed_code(&stage.smtp), "Your recovery codes");
    stage.click("#kept");
    stage.browser.wait_for("Hello, alice");
    stage.assert_quiet();
}
