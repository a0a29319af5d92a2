//! The first tutorial's way through the API, in a browser alone: log in on the page, read the tokens, send them on to
//! where they belong, and see a blacklisted one refused.

use super::webdriver::Browser;
use crate::api::second_factor::stage_with_mail;
use crate::harness::{Backend, PASSWORD, Server};

both!(the_tutorial_is_walked_through_on_the_pages_of_the_api);
fn the_tutorial_is_walked_through_on_the_pages_of_the_api(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let browser = Browser::open();
    browser.resize(1280, 900);
    let shows = |texts: &[&str]| {
        let text = browser.text();
        assert!(texts.iter().all(|wanted| text.contains(wanted)), "{texts:?} in\n{text}");
    };
    // The buttons under the tokens: the first that sends to this endpoint.
    let next = |endpoint: &str| browser.find(&format!(".card-foot form[action='{endpoint}'] button")).open();

    browser.go(&format!("http://127.0.0.1:{}/api/token/", server.port));
    shows(&["Token Obtain Pair", "405 Method Not Allowed"]);
    browser.find("input[name=username]").fill("alice");
    browser.find("input[name=password]").fill("not-this-one");
    browser.find("form button.primary").open();
    shows(&["401 Unauthorized: No active account found with the given credentials"]);
    browser.find("input[name=password]").fill(PASSWORD);
    browser.find("form button.primary").open();
    shows(&["200 OK", "Refresh token", "Good for 1 day", "Access token", "Good for 5 minutes", "(in 5 minutes)"]);

    next("/api/token/refresh/");
    shows(&["Token Refresh", "200 OK, with an access token and a refresh token.", "Refresh token that you sent"]);
    next("/api/me/");
    shows(&["200 OK", "\"username\": \"alice\"", "Access token that you sent", "Expires in 5 minutes"]);
    assert!(browser.address().ends_with("/api/me/"), "{}", browser.address());
    next("/api/token/verify/");
    shows(&["Token Verify", "200 OK"]);

    // A page can be filled by hand, too: the navigation leads to it, and a token is pasted.
    let pair = server.log_in("alice");
    browser.find("nav[aria-label=Endpoints]").link("Blacklist").open();
    browser.find("textarea[name=refresh]").fill(&pair.refresh);
    browser.find("form button.primary").open();
    shows(&["Token Blacklist", "200 OK"]);
    next("/api/token/refresh/");
    shows(&["401 Unauthorized: Token is blacklisted", "Refresh token that you sent"]);
    let described = browser.ask(
        "let field = document.querySelector('textarea[name=refresh]');\
        return document.getElementById(field.getAttribute('aria-describedby')).textContent.trim()",
    );
    assert_eq!(described, "Token is blacklisted");
}

both!(a_login_with_a_second_factor_is_finished_on_the_pages_of_the_api);
fn a_login_with_a_second_factor_is_finished_on_the_pages_of_the_api(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[("SECOND_FACTOR", "required")]);
    let browser = Browser::open();
    let here = format!("http://127.0.0.1:{}", server.port);
    let step = |verb: &str| {
        let clicked = browser.ask_of(
            "let found = [...document.querySelectorAll('[role=group] button')].find(step => step.textContent == arguments[0]);\
            found.id = 'step'; return true",
            &[verb.into()],
        );
        assert_eq!(clicked, true);
        browser.find("#step").open();
    };
    let log_in = || {
        browser.go(&format!("{here}/api/token/"));
        browser.find("input[name=username]").fill("alice");
        browser.find("input[name=password]").fill(PASSWORD);
        browser.find("form button.primary").open();
    };
    let send = |code: &str| {
        browser.find("input[name=code]").fill(code);
        browser.find("form button.primary").open();
    };
    // Without a factor she has to add one first.
    log_in();
    step("Add codes by email");
    step("Confirm it");
    send("1");
    assert!(browser.text().contains("The code is wrong or was used before."), "{}", browser.text());
    send(&server.mailed_code(&smtp));
    assert!(browser.text().contains("200 OK, with a refresh token and an access token."), "{}", browser.text());

    log_in();
    step("Mail a code");
    step("Type the code in");
    send(&server.mailed_code(&smtp));
    assert!(browser.text().contains("200 OK, with a refresh token and an access token."), "{}", browser.text());
}

both!(the_pages_of_the_api_fit_a_phone_and_run_nothing);
fn the_pages_of_the_api_fit_a_phone_and_run_nothing(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let browser = Browser::open();
    browser.resize(500, 740);
    browser.go(&format!("http://127.0.0.1:{}/api/token/", server.port));
    browser.find("input[name=username]").fill("alice");
    browser.find("input[name=password]").fill(PASSWORD);
    browser.find("form button.primary").open();
    let wider = browser.ask("return document.documentElement.scrollWidth - window.innerWidth");
    assert!(wider.as_i64().unwrap() <= 0, "{wider} pixels wider than the screen");
    assert_eq!(browser.ask("return document.scripts.length"), 0);
    let loose = "return [...document.querySelectorAll('main input:not([type=hidden]), main textarea')]\
        .filter(field => !field.labels.length).length";
    assert_eq!(browser.ask(loose), 0, "a field without a label");
}
