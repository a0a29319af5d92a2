//! axe-core finds nothing on any page: WCAG 2.2 at AA and best practices, in both themes, at phone and desktop width, with
//! everything unfolded. Two more checks that axe does not make: keyboard focus and motion.

use serde_json::{Value, json};

use super::pages::{BEFORE, LOGIN, PAGES, Page, Site, log_in};
use super::webdriver::Browser;
use crate::harness::Backend;

const AXE: &str = include_str!("vendor/axe.min.js");

/// The Tab and Enter keys, as the standard codes them.
const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// Visits every page, the login first, and fails with all findings at once.
#[track_caller]
fn on_every_page(site: &Site, check: impl Fn(&Browser, &Page) -> Vec<String>) {
    let browser = Browser::open();
    let mut findings = Vec::new();
    for page in BEFORE.into_iter().chain(PAGES) {
        site.open(&browser, page);
        findings.extend(check(&browser, page).into_iter().map(|found| format!("{}: {found}", page.name)));
        if page.name == LOGIN.name {
            log_in(&browser);
        }
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// What axe says of the page as it is shown now: by all rules, or by the one that depends on colours. What lies under an
/// open menu is no finding.
fn axe(browser: &Browser, only_contrast: bool) -> Vec<String> {
    let script = "const [colours] = arguments;\
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];\
        const only = colours ? {type: 'rule', values: ['color-contrast']} : {type: 'tag', values: tags};\
        return axe.run({runOnly: only, resultTypes: ['violations'], preload: false}).then(done =>\
            done.violations.flatMap(rule => rule.nodes.map(node =>\
                `${rule.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`))\
            .filter(said => !said.includes('partially obscured')))";
    texts(&browser.ask_of(script, &[json!(only_contrast)]))
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array()
        .unwrap_or_else(|| panic!("{list} is no list"))
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn axe_finds_nothing_on_any_page_and_nothing_moves_for_those_who_do_not_want_it() {
    on_every_page(&Site::seeded(Backend::Sqlite), |browser, _| {
        browser.prefer("light");
        let mut found = moving(browser);
        browser.ask(AXE);
        // What is folded shows nothing that is not seen when it is unfolded.
        browser.ask("document.querySelectorAll('details').forEach(one => one.open = true)");
        for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "dark"), (390, "light")] {
            browser.narrow(width);
            browser.prefer(scheme);
            // The other theme has other colours, and nothing else.
            let said = axe(browser, scheme == "dark");
            found.extend(said.into_iter().map(|said| format!("{width}, {scheme}: {said}")));
        }
        found
    });
}

/// What has an animation or a transition although the visitor's system asks for none.
fn moving(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('*')].filter(one => {\
            const style = getComputedStyle(one);\
            return [...style.transitionDuration.split(','), ...style.animationDuration.split(',')]\
                .some(time => parseFloat(time) > 0.01);\
        }).map(one => one.outerHTML.slice(0, 120))";
    texts(&browser.ask(script)).into_iter().map(|one| format!("moves: {one}")).collect()
}

#[test]
fn the_keyboard_shows_where_it_is_on_every_page() {
    on_every_page(&Site::seeded(Backend::Sqlite), |browser, _| {
        let mut found = Vec::new();
        browser.narrow(1280);
        browser.ask("document.activeElement?.blur(); getSelection().removeAllRanges()");
        browser.press(TAB);
        if browser.ask("return !!document.querySelector('a.skip')") == true {
            let first = browser.ask(
                "const here = document.activeElement;\
                return here.matches('a.skip') && here.getBoundingClientRect().top >= 0",
            );
            browser.press(ENTER);
            let there = browser.ask("return document.activeElement.id");
            if first != true || there != "main" {
                found.push(format!("the skip link is first and seen: {first}; it leads to {there}"));
            }
        } else if browser.ask("return !!document.querySelector('nav')") == true {
            // Where there is no navigation there is nothing to skip.
            found.push("no skip link".to_owned());
        }
        // The browser has seen the keyboard, so whatever gets the focus now has to show it.
        let script = "document.querySelectorAll('details').forEach(one => one.open = true);\
            const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')];\
            return all.filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled).filter(one => {\
                one.focus();\
                const style = getComputedStyle(one);\
                const around = getComputedStyle(one.closest('form, label, .field') ?? one);\
                const seen = at => at.outlineStyle !== 'none' && parseFloat(at.outlineWidth) >= 2;\
                return document.activeElement === one && !seen(style) && !seen(around) && style.boxShadow === 'none';\
            }).map(one => one.outerHTML.slice(0, 200))";
        found.extend(texts(&browser.ask(script)).into_iter().map(|one| format!("no focus to be seen on {one}")));
        found
    });
}
