//! Every page is valid where a program can tell without a browser: the parser of a browser engine has nothing to complain
//! of, whatever is named by its id is there, headings are in order, forms are guarded. Over the list of tests/browser/.

use std::path::Path;

use html5ever::driver::ParseOpts;
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use crate::browser::pages::{BEFORE, PAGES, Page, Site};
use crate::harness::{Answer, Backend};

/// Attributes that name other elements by their ids.
const NAMING: [&str; 6] = ["for", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "popovertarget"];

/// An element of a page, with what a check needs of it.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    /// The names of all elements inside it, with their attributes.
    inside: Vec<Element>,
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn walk<'a>(&'a self, into: &mut Vec<&'a Element>) {
        into.push(self);
        self.inside.iter().for_each(|element| element.walk(into));
    }
}

/// The elements below a node.
fn elements(node: &Handle) -> Vec<Element> {
    let children = node.children.borrow();
    children
        .iter()
        .flat_map(|child| match &child.data {
            NodeData::Element { name, attrs, .. } => {
                let attributes = attrs.borrow();
                let attributes = attributes.iter().map(|one| (one.name.local.to_string(), one.value.to_string()));
                vec![Element {
                    name: name.local.to_string(),
                    attributes: attributes.collect(),
                    inside: elements(child),
                }]
            }
            _ => elements(child),
        })
        .collect()
}

/// All that is wrong with a page.
fn faults(page: &str) -> Vec<String> {
    let tree_builder = TreeBuilderOpts { exact_errors: true, scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    let dom = html5ever::parse_document(RcDom::default(), options).one(page);
    let mut found: Vec<String> = dom.errors.borrow().iter().map(ToString::to_string).collect();
    let root = Element { name: String::new(), attributes: Vec::new(), inside: elements(&dom.document) };
    let mut all = Vec::new();
    root.walk(&mut all);
    references(&all, &mut found);
    headings(&all, &mut found);
    forms(&all, &mut found);
    for element in all {
        let forbidden = |name: &str| name == "style" || name.starts_with("on");
        let names = element.attributes.iter().map(|(name, _)| name).filter(|name| forbidden(name));
        found.extend(names.map(|name| format!("<{}> has {name}", element.name)));
    }
    found
}

/// Ids are unique, and who is named is there.
fn references(all: &[&Element], found: &mut Vec<String>) {
    let mut ids: Vec<&str> = all.iter().filter_map(|element| element.get("id")).collect();
    ids.sort_unstable();
    found.extend(ids.windows(2).filter(|two| two[0] == two[1]).map(|two| format!("the id {} twice", two[0])));
    for element in all {
        let named = NAMING.iter().filter_map(|name| element.get(name)).flat_map(str::split_whitespace);
        let linked = element.get("href").and_then(|href| href.strip_prefix('#'));
        for id in named.chain(linked).filter(|id| ids.binary_search(id).is_err()) {
            found.push(format!("<{}> names {id}, which is not there", element.name));
        }
    }
}

/// One first heading, and none that skips a level.
fn headings(all: &[&Element], found: &mut Vec<String>) {
    let level = |element: &&Element| ["h1", "h2", "h3", "h4", "h5", "h6"].iter().position(|name| *name == element.name);
    let mut main = Vec::new();
    if let Some(element) = all.iter().find(|element| element.name == "main") {
        element.walk(&mut main);
    }
    let levels: Vec<usize> = main.iter().filter_map(level).collect();
    let in_order = levels.windows(2).all(|two| two[1] <= two[0] + 1);
    if levels.first() != Some(&0) || !in_order || all.iter().filter_map(level).filter(|level| *level == 0).count() != 1
    {
        found.push(format!("headings of these levels, counted from 0: {levels:?}"));
    }
}

/// What a form sends is guarded, and each field has a name to speak of.
fn forms(all: &[&Element], found: &mut Vec<String>) {
    for form in all.iter().filter(|element| element.name == "form") {
        let mut inside = Vec::new();
        form.walk(&mut inside);
        let action = form.get("action").unwrap_or_default();
        let posts = form.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
        let guards = inside.iter().filter(|element| element.get("name") == Some("csrf_token")).count();
        if action.starts_with("/admin/") && guards != usize::from(posts) {
            found.push(format!("the form to {action} has {guards} guards"));
        }
    }
}

both!(every_page_is_valid_html);
fn every_page_is_valid_html(backend: Backend) {
    check(&Site::seeded(backend));
}

both!(every_page_is_valid_html_whatever_is_stored);
fn every_page_is_valid_html_whatever_is_stored(backend: Backend) {
    check(&Site::hostile(backend));
}

#[track_caller]
fn check(site: &Site) {
    let mut findings = Vec::new();
    for (page, answer) in pages(site) {
        let mut found = faults(&answer.text());
        if answer.status != page.status {
            found.push(format!("status {}", answer.status));
        }
        findings.extend(found.into_iter().map(|found| format!("{}: {found}", page.name)));
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// Every page, the login as somebody sees it who has not logged in.
fn pages(site: &Site) -> Vec<(&'static Page, Answer)> {
    let (mut visitor, mut panel) = (site.server.panel(), site.server.panel_of("root"));
    let before: Vec<_> = BEFORE.into_iter().map(|page| (page, site.get(&mut visitor, page))).collect();
    before.into_iter().chain(PAGES.iter().map(|page| (page, site.get(&mut panel, page)))).collect()
}

#[test]
fn faults_are_found() {
    let page = |main: &str| format!("<!DOCTYPE html><html lang=en><title>x</title><main><h1>One</h1>{main}</main>");
    assert_eq!(faults(&page("<h2>Two</h2><p id=a>x</p><label for=a>y</label>")), [""; 0]);
    for bad in [
        "<p id=a></p><p id=a></p>",
        "<label for=gone>x</label>",
        "<a href='#gone'>x</a>",
        "<h3>Three</h3>",
        "<h1>One</h1>",
        "<p style='color: red'>x</p>",
        "<p onclick='x()'>x</p>",
        "<form method=post action=/admin/x/></form>",
        "<div></p></div>",
        "<p>a & b &nonsense; <b></p>",
        "<table><p>x</p></table>",
    ] {
        assert!(!faults(&page(bad)).is_empty(), "{bad}");
    }
}

#[test]
#[ignore = "writes the pages for scripts/validate-html"]
fn pages_are_written() {
    for (kind, site) in [("seeded", Site::seeded(Backend::Sqlite)), ("hostile", Site::hostile(Backend::Sqlite))] {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages").join(kind);
        std::fs::create_dir_all(&folder).unwrap();
        for (page, answer) in pages(&site) {
            std::fs::write(folder.join(format!("{}.html", page.name)), answer.body).unwrap();
        }
    }
}
