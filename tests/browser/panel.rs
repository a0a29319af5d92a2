//! The tutorial's way through the panel: log in, find the token that was blacklisted, read it and why, see the actual
//! token of another one, log out.

use serde_json::json;

use super::webdriver::Browser;
use crate::harness::forge::jti;
use crate::harness::{Backend, PASSWORD, Pair, Server};

both!(the_blacklisted_token_of_the_tutorial_is_found_and_read);
fn the_blacklisted_token_of_the_tutorial_is_found_and_read(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("admin");
    let pair = server.log_in("admin");
    let rotated = Pair::of(&server.refresh(&pair.refresh));
    let goodbye = json!({"refresh_token": rotated.refresh});
    server.client.bearer("POST", "/logout_token/", &rotated.access, &goodbye).expect_status(200);
    let live = server.log_in("admin");

    let browser = Browser::open();
    browser.resize(1280, 900);
    browser.go(&format!("http://127.0.0.1:{}/admin/", server.port));
    assert!(browser.address().contains("/admin/login/"), "{}", browser.address());
    browser.find("input[name=username]").fill("admin");
    browser.find("input[name=password]").fill(PASSWORD);
    browser.find("main button[type=submit]").open();
    assert!(browser.address().ends_with("/admin/"), "{}", browser.text());
    let index = browser.text();
    assert!(
        ["Token blacklist", "Outstanding tokens", "Blacklisted tokens"].iter().all(|word| index.contains(word)),
        "{index}"
    );

    // The whole token is pasted; its jti is what stands in the address afterwards.
    browser.find("main").link("Blacklisted tokens").open();
    browser.find("main input[name=q]").fill(&rotated.refresh);
    browser.find("main form button[type=submit]").open();
    assert!(browser.address().ends_with(&format!("?q={}", jti(&rotated.refresh))), "{}", browser.address());
    assert!(!browser.text().contains(&jti(&pair.refresh)));
    browser.find("main tbody").link(&jti(&rotated.refresh)).open();
    assert!(browser.address().ends_with("/change/"), "{}", browser.address());
    let entry = browser.text();
    assert!(entry.contains(&jti(&rotated.refresh)) && entry.to_lowercase().contains("logout"), "{entry}");

    browser.find("nav[aria-label=Panel]").link("Outstanding tokens").open();
    browser.find("main tbody").link(&jti(&live.refresh)).open();
    assert!(!browser.text().contains(&live.refresh));
    browser.find("main form[action$='/reveal/'] button").open();
    let shown: String = browser.find("main").text().split_whitespace().collect();
    assert!(shown.contains(&live.refresh), "{shown}");

    browser.find("header details summary").click();
    browser.find("form[action='/admin/logout/'] button").open();
    browser.go(&format!("http://127.0.0.1:{}/admin/", server.port));
    assert!(browser.address().contains("/admin/login/"), "{}", browser.address());
}

both!(the_panel_fits_a_phone_and_both_themes);
fn the_panel_fits_a_phone_and_both_themes(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("admin");
    server.log_in("admin");
    let browser = Browser::open();
    browser.resize(360, 740);
    browser.go(&format!("http://127.0.0.1:{}/admin/token_blacklist/outstandingtoken/", server.port));
    browser.find("input[name=username]").fill("admin");
    browser.find("input[name=password]").fill(PASSWORD);
    browser.find("main button[type=submit]").open();
    let mut grounds = Vec::new();
    for theme in ["light", "dark"] {
        browser.find("header details summary").click();
        browser.find(&format!("button[name=theme][value={theme}]")).open();
        assert!(browser.address().ends_with("/outstandingtoken/"), "{}", browser.address());
        let wider = browser.ask("return document.documentElement.scrollWidth - window.innerWidth");
        assert!(wider.as_i64().unwrap() <= 0, "{wider} pixels wider than the screen");
        grounds.push(browser.ask("return getComputedStyle(document.body).backgroundColor"));
    }
    assert_ne!(grounds[0], grounds[1]);
}
