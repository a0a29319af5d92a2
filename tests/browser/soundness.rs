//! What no page does in a browser, whatever is stored: complain in the console, break its own policy, ask for what is not
//! there, be wider than the screen, open a dialog, or take a text for HTML. With scripts and without.

use serde_json::json;

use super::pages::{PAGES, Page, Site};
use super::webdriver::Browser;
use crate::harness::Backend;

const WIDTHS: [u32; 4] = [320, 390, 768, 1280];

/// What is wrong with a page as it is shown now. A dialog needs no look: no command of the driver passes one.
fn faults(browser: &Browser, page: &Page) -> Vec<String> {
    let mut found = Vec::new();
    for width in WIDTHS {
        browser.narrow(width);
        let wider = browser.ask_of(
            "document.querySelectorAll('details').forEach(one => one.open = false);\
            const over = document.documentElement.scrollWidth - arguments[0];\
            return over > 0 && [over, ...[...document.querySelectorAll('body *')]\
                .filter(one => one.getBoundingClientRect().right > arguments[0] + 1)\
                .slice(0, 3).map(one => one.outerHTML.slice(0, 150))]",
            &[json!(width)],
        );
        if wider != false {
            found.push(format!("wider than {width}: {wider}"));
        }
    }
    if browser.ask("return !!document.querySelector('[data-injected]')") == true {
        found.push("a text became an element".to_owned());
    }
    // The browser notes the status of the page itself, too.
    let own = format!("the server responded with a status of {}", page.status);
    found.extend(browser.console().into_iter().filter(|said| page.status < 400 || !said.contains(&own)));
    found
}

#[track_caller]
fn all_is_well_on(site: &Site) {
    let mut findings = Vec::new();
    site.with_and_without_scripts(|browser, run| {
        for page in PAGES {
            browser.narrow(1280);
            site.open(browser, page);
            let found = faults(browser, page);
            findings.extend(found.into_iter().map(|found| format!("{}, scripts {run}: {found}", page.name)));
        }
    });
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn every_page_is_quiet_and_fits_every_screen() {
    all_is_well_on(&Site::seeded(Backend::Sqlite));
}

#[test]
fn hostile_texts_do_no_harm_on_any_page() {
    all_is_well_on(&Site::hostile(Backend::Sqlite));
}

#[test]
fn faults_are_found() {
    let browser = Browser::open();
    for bad in [
        "<p style='width: 1300px'>wide</p>",
        "<p data-injected>injected</p>",
        "<script>throw 1</script>",
        "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\"><script>1</script>",
        "<img src='http://127.0.0.1:1/'>",
    ] {
        browser.go(&format!("data:text/html,<!DOCTYPE html><meta name=viewport content='width=device-width'>{bad}"));
        assert!(!faults(&browser, &PAGES[0]).is_empty(), "{bad}");
        browser.go("about:blank");
    }
    assert_eq!(faults(&browser, &PAGES[0]), [""; 0]);
}

#[test]
fn pages_are_shown_without_their_scripts_where_those_are_off() {
    let browser = Browser::open();
    let page = "data:text/html,<p id=said>off</p><script>said.textContent = 'on'</script>";
    for (run, said) in [(true, "on"), (false, "off")] {
        browser.run_scripts(run);
        browser.go(page);
        assert_eq!(browser.text(), said);
    }
}
