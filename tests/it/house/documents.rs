//! What the documentation names is there: files that stand in backticks, and the scripts that it shows.

use std::fs;
use std::path::Path;

use super::{nothing_in, root, walk};

/// Where a path of the repository begins.
const FOLDERS: [&str; 7] = ["src/", "tests/", "scripts/", "docs/", "templates/", "static/", "migrations/"];

/// Being written anew; take it out when that is done.
const NOT_YET: [&str; 1] = ["ARCHITECTURE.md"];

#[test]
fn files_that_the_documentation_names_are_there() {
    let mut pages: Vec<_> = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"].map(|name| root().join(name)).into();
    pages.extend(walk(&root().join("docs")).into_iter().filter(|path| path.extension().is_some_and(|end| end == "md")));
    let mut findings = Vec::new();
    for page in pages {
        let name = page.strip_prefix(root()).unwrap().display().to_string();
        let text = fs::read_to_string(&page).unwrap();
        let missing = named_files(&text).into_iter().filter(|file| !is_there(file));
        findings.extend(missing.map(|file| format!("{name}: `{file}` is not there")));
    }
    findings.retain(|finding| !NOT_YET.iter().any(|page| finding.starts_with(page)));
    nothing_in(findings);
}

/// From the root, or from `src/`: `accounts/login.rs`.
fn is_there(file: &str) -> bool {
    let begins = FOLDERS.iter().any(|folder| file.starts_with(folder));
    let places = if begins { vec![root().join(file)] } else { vec![root().join("src").join(file), root().join(file)] };
    places.iter().any(|place| Path::exists(place))
}

/// The paths in backticks, outside of blocks of code.
fn named_files(text: &str) -> Vec<String> {
    let mut is_block = false;
    let mut files = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        } else if !is_block {
            files.extend(line.split('`').skip(1).step_by(2).flat_map(paths));
        }
    }
    files
}

/// The path at the beginning of a text, `{a,b}` taken apart; none where it has a placeholder.
fn paths(text: &str) -> Vec<String> {
    let path = text.split("::").next().unwrap_or_default().split(' ').next().unwrap_or_default();
    let is_ours = FOLDERS.iter().any(|folder| path.starts_with(folder))
        || path.contains('/') && Path::new(path).extension().is_some_and(|end| end == "rs");
    if !is_ours || path.contains(['*', '…', '<', '$']) {
        return Vec::new();
    }
    match path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        Some((before, (names, after))) => names.split(',').map(|name| format!("{before}{name}{after}")).collect(),
        None => vec![path.to_owned()],
    }
}

#[test]
fn paths_are_found_in_backticks() {
    let text = "`src/db/` and `tokens/refresh.rs::rotate`, not `Config` or `GET /api/x.rs?` or `src/*.rs`;\n\
                `migrations/{sqlite,postgres}/`, `scripts/proof --quick`\n```\n`src/no.rs`\n```\n";
    let expected = ["src/db/", "tokens/refresh.rs", "migrations/sqlite/", "migrations/postgres/", "scripts/proof"];
    assert_eq!(named_files(text), expected);
}

#[test]
fn the_documentation_shows_the_scripts_that_are_tested() {
    let read = |name: &str| fs::read_to_string(root().join("docs").join(name)).unwrap();
    for (page, script) in [("front-end.md", "front-end/client.js"), ("second-factors.md", "second-factors/page.js")] {
        let (text, code, name) = (read(page), read(script), script.split('/').next_back().unwrap());
        let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
        let shown = text.split(&begin).nth(1).and_then(|rest| rest.split(&end).next());
        let is_shown = shown == Some(format!("```js\n{code}```\n").as_str());
        assert!(is_shown, "copy docs/{script} between the marks of docs/{page}");
    }
}
