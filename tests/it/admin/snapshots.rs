//! What stands on each page of the panel, word for word, but for what is drawn by lot. A change is looked at and accepted with
//! `INSTA_UPDATE=always scripts/test --test it snapshots`; `git diff` shows it. Both databases give the same pages.

use std::collections::BTreeSet;

use crate::browser::pages::{BEFORE, PAGES, Page, Site};
use crate::harness::Backend;

/// Beside the folder of this file.
const FOLDER: &str = "../snapshots";

/// Where secrets stand that are too short, or too split, to be known by how they look.
const DRAWN: [(&str, &str); 5] = [
    ("href=\"otpauth:", "\""),
    ("class=\"qr\"", "</div>"),
    ("class=\"secret\"", "</code>"),
    ("class=\"codes\"", "</ol>"),
    ("data-options=\"", "\""),
];

/// A page without what stands there.
fn without_secrets(page: &str) -> String {
    DRAWN.iter().fold(page.to_owned(), |page, (from, to)| match page.split_once(from) {
        Some((before, rest)) => format!("{before}{from}…{}", &rest[rest.find(to).expect("an end")..]),
        None => page,
    })
}

/// The main content without what differs from run to run: ids, guards and tokens are numbered in their order.
fn normalised(page: &str) -> String {
    let main = page.split_once("<main").and_then(|(_, rest)| rest.split_once("</main>")).expect("a <main>").0;
    let main = &without_secrets(main);
    let mut known = Vec::new();
    let mut text = String::new();
    let mut word = String::new();
    for c in main.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            word.push(c);
            continue;
        }
        text += &stand_in(&word, &mut known);
        word.clear();
        text.push(c);
    }
    text.lines()
        .map(str::trim_end)
        .filter(|line| !line.trim_start().is_empty())
        .fold(String::new(), |all, line| all + line + "\n")
}

/// `‹1›` for the first word that is drawn by lot, and again wherever it or its beginning stands.
fn stand_in(word: &str, known: &mut Vec<String>) -> String {
    let is_id = word.len() >= 12 && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_id && word.len() < 40 && !word.starts_with("eyJ") {
        return word.to_owned();
    }
    let at = known.iter().position(|one| one.starts_with(word) || word.starts_with(one.as_str()));
    let at = at.unwrap_or_else(|| {
        known.push(word.to_owned());
        known.len() - 1
    });
    format!("‹{}›", at + 1)
}

fn pages() -> impl Iterator<Item = &'static Page> {
    // The settings name the database, which is another one in every run.
    BEFORE.into_iter().chain(PAGES).filter(|page| !page.is_of_the_api() && page.name != "settings")
}

both!(every_page_says_what_it_said);
fn every_page_says_what_it_said(backend: Backend) {
    let site = Site::seeded(backend);
    let (mut visitor, mut panel) = (site.server.panel(), site.server.panel_of("root"));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(FOLDER);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for page in pages() {
        let answer = site
            .get(if BEFORE.iter().any(|one| one.name == page.name) { &mut visitor } else { &mut panel }, page)
            .text();
        let answer = answer.replace(&site.server.db.url, "‹database›");
        settings.bind(|| insta::assert_snapshot!(page.name, normalised(&answer)));
    }
}

#[test]
fn every_snapshot_is_of_a_page() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots");
    let kept: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".snap", ""))
        .collect();
    assert_eq!(kept, pages().map(|page| page.name.to_owned()).collect());
}

#[test]
fn what_is_drawn_by_lot_is_numbered() {
    let page = "<main id=main><p>0123456789abcdef0123456789abcdef</p>\n\n<p>0123456789ab…, 1772366400, eyJh.x, 2026-03-01</main>";
    assert_eq!(normalised(page), " id=main><p>‹1›</p>\n<p>‹1›…, 1772366400, ‹2›.x, 2026-03-01\n");
}
