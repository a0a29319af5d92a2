//! The front end of docs/front-end/, in two tabs of a real browser, on another origin than the server: in both modes it
//! refreshes for all tabs, survives lost answers, and logs out everywhere at once.

use super::site::{Network, serve_page};
use super::webdriver::{Browser, Tab};
use crate::harness::{Backend, PASSWORD, Server};

/// A browser with two tabs in which alice is logged in, and all that it needs.
struct Stage {
    server: Server,
    network: Network,
    browser: Browser,
    page: String,
    other: Tab,
}

impl Stage {
    fn new(backend: Backend, cookie: bool) -> Self {
        let network = Network::default();
        let page = serve_page(network.open(), cookie);
        let mut settings = vec![("CORS_ALLOWED_ORIGINS", page.as_str())];
        if cookie {
            settings.extend([("JWT_COOKIE", "refresh"), ("CORS_ALLOW_CREDENTIALS", "true")]);
        }
        let server = Server::with(backend, &settings);
        network.connect(server.port);
        server.add_user("alice");

        let browser = Browser::open();
        browser.go(&page);
        browser.wait_for("Logged out.");
        browser.find("input[name=username]").fill("alice");
        browser.find("input[name=password]").fill(PASSWORD);
        browser.find("#login button").click();
        browser.wait_for("Welcome.");
        let other = browser.open_tab();
        browser.go(&page);
        browser.wait_for("Logged in.");
        Self { server, network, browser, page, other }
    }

    fn switch(&mut self) {
        self.other = self.browser.switch_to(&self.other);
    }

    fn click(&self, id: &str) {
        self.browser.find(&format!("#{id}")).click();
    }

    /// Both tabs can say who is logged in.
    #[track_caller]
    fn both_are_logged_in(&mut self) {
        for _ in 0..2 {
            self.click("me");
            self.browser.wait_for("\"username\": \"alice\"");
            self.switch();
        }
    }

    fn sessions(&self, condition: &str) -> i64 {
        self.server.db.count(&format!("SELECT count(*) FROM latchkey_session WHERE {condition}"))
    }
}

fn walk_through(backend: Backend, cookie: bool) {
    let mut stage = Stage::new(backend, cookie);
    stage.both_are_logged_in();

    // Both refresh at once. The lock lets one of them wait, and mostly it needs no refresh of its own then.
    let before = stage.network.refreshes();
    stage.network.hold();
    stage.click("refresh");
    stage.network.wait_for_refreshes(before + 1);
    stage.switch();
    stage.click("refresh");
    stage.network.release();
    for _ in 0..2 {
        stage.browser.wait_for("Refreshed.");
        stage.switch();
    }
    assert!((1..=2).contains(&(stage.network.refreshes() - before)));
    stage.both_are_logged_in();

    // An answer is lost, and the client asks again.
    let before = stage.network.refreshes();
    stage.network.lose_next_answer();
    stage.click("refresh");
    stage.browser.wait_for("Refreshed.");
    assert_eq!(stage.network.refreshes() - before, 2);
    stage.both_are_logged_in();

    // An answer is lost, and the page is reloaded before the client can ask again.
    stage.network.lose_next_answer();
    stage.click("refresh");
    stage.network.wait_for_refreshes(before + 3);
    stage.browser.go(&stage.page);
    stage.both_are_logged_in();
    assert_eq!((stage.sessions("ended_at IS NULL"), stage.sessions("ended_at IS NOT NULL")), (1, 0));

    // No script can read a refresh token that is in a cookie.
    let readable = stage.browser.ask("return document.cookie + JSON.stringify(localStorage)");
    assert_eq!(readable.as_str().unwrap().contains("eyJ"), !cookie, "{readable}");

    // One tab logs out, and so does the other.
    stage.click("logout");
    stage.browser.wait_for("Goodbye.");
    stage.switch();
    stage.browser.wait_for("Logged out.");
    stage.click("me");
    stage.browser.wait_for("The session has ended.");
    assert_eq!(stage.sessions("end_reason = 'logout'"), 1);
    stage.browser.go(&stage.page);
    stage.browser.wait_for("Logged out.");
}

both!(a_front_end_with_its_tokens_in_storage_stays_logged_in);
fn a_front_end_with_its_tokens_in_storage_stays_logged_in(backend: Backend) {
    walk_through(backend, false);
}

both!(a_front_end_with_its_refresh_token_in_a_cookie_stays_logged_in);
fn a_front_end_with_its_refresh_token_in_a_cookie_stays_logged_in(backend: Backend) {
    walk_through(backend, true);
}
