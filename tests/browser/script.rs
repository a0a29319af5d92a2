//! What `static/admin/panel.js` adds to the panel: keys, copying, forms that are sent once, rows that are ticked together,
//! rules of a password that are met, the browser's time zone. The pages without it are tested everywhere else.

use super::pages::Site;
use super::webdriver::Browser;
use crate::harness::Backend;

const ESCAPE: char = '\u{e00c}';

fn open(path: &str) -> (Site, Browser) {
    let site = Site::seeded(Backend::Sqlite);
    let browser = site.browser();
    browser.resize(1280, 1600);
    browser.go(&format!("http://127.0.0.1:{}{path}", site.server.port));
    (site, browser)
}

#[test]
fn a_slash_goes_to_the_search_and_a_question_mark_helps() {
    let (_site, browser) = open("/admin/account/");
    let is_open = || browser.ask("return document.getElementById('help').open") == true;
    let focus = || browser.ask("return document.activeElement.id");
    browser.press('?');
    assert!(is_open() && browser.text().contains("Keyboard shortcuts"), "{}", browser.text());
    browser.press(ESCAPE);
    assert!(!is_open());
    browser.press('/');
    assert_eq!(focus(), "find");
    // In a field both are letters like any other.
    browser.press('/');
    browser.press('?');
    assert_eq!(browser.ask("return document.activeElement.value"), "/?");
    assert!(!is_open());
}

#[test]
fn escape_and_a_click_elsewhere_close_the_account_menu() {
    let (_site, browser) = open("/admin/account/");
    let is_open = || browser.ask("return document.querySelector('details.drop').open") == true;
    browser.find("details.drop summary").click();
    assert!(is_open());
    browser.press(ESCAPE);
    assert!(!is_open());
    browser.find("details.drop summary").click();
    browser.find("main h1").click();
    assert!(!is_open());
}

#[test]
fn a_double_click_sends_a_form_once() {
    let (site, browser) = open("/admin/auth/user/add/");
    browser.find("#id_username").fill("twice");
    browser.find("#id_unusable_password").click();
    browser.ask("const save = document.querySelector('main form .primary'); save.click(); save.click();");
    browser.wait_for("The user “twice” was added.");
    assert_eq!(site.server.db.count("SELECT count(*) FROM auth_user WHERE username = 'twice'"), 1);
}

#[test]
fn the_rules_of_a_password_are_ticked_as_they_are_met() {
    let (_site, browser) = open("/admin/auth/user/add/");
    let met = || browser.ask("return document.querySelectorAll('.rules .met').length");
    assert_eq!(met(), 0);
    browser.find("#id_password1").fill("quiet-lantern-23");
    assert_eq!(met(), 1);
    browser.find("#id_password2").fill("quiet-lantern-23");
    assert_eq!(met(), 2);
    browser.find("#id_password2").fill("quiet-lantern");
    assert_eq!(met(), 1);
}

#[test]
fn a_copy_button_says_that_it_copied() {
    let (_site, browser) = open("/admin/token_blacklist/outstandingtoken/");
    browser.find("main tbody th a").open();
    browser.find(".facts .copy").click();
    browser.wait_for("Copied");
}

#[test]
fn all_rows_are_ticked_at_once_or_a_stretch_of_them() {
    let (_site, browser) = open("/admin/token_blacklist/outstandingtoken/");
    let ticked = || browser.ask("return document.querySelectorAll('[name=selected]:checked').length");
    let rows = browser.ask("return document.querySelectorAll('[name=selected]').length").as_i64().unwrap();
    assert!(rows > 3);
    browser.find("thead [type=checkbox]").click();
    assert_eq!(ticked(), rows);
    browser.find("thead [type=checkbox]").click();
    assert_eq!(ticked(), 0);
    browser.ask(
        "const [one, , three] = document.querySelectorAll('[name=selected]'); one.click();\
         three.dispatchEvent(new MouseEvent('click', {shiftKey: true, bubbles: true}));",
    );
    assert_eq!(ticked(), 3);
    assert_eq!(browser.ask("return document.querySelector('thead [type=checkbox]').indeterminate"), true);
}

#[test]
fn the_browsers_time_zone_is_taken_with_one_click() {
    let (_site, browser) = open("/admin/account/");
    let own = browser.ask("return Intl.DateTimeFormat().resolvedOptions().timeZone").as_str().unwrap().to_owned();
    let other = if own == "Asia/Tokyo" { "Europe/Berlin" } else { "Asia/Tokyo" };
    browser.ask_of("document.getElementById('id_time_zone').value = arguments[0]", &[other.into()]);
    browser.find("#time-zone [type=submit]").open();
    assert!(browser.text().contains(&format!("Times in {other}")));
    browser.find("#time-zone [type=button]").click();
    browser.wait_for(&format!("Times in {own}"));
}
