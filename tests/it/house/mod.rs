//! The rules of the house that the compiler cannot check; ARCHITECTURE.md explains them. Each test walks the source and names
//! every line that breaks its rule. Here is what they share: the files of `src/`, without comments and unit tests.

mod circles;
mod documents;
mod files;
mod imports;
mod parameters;
mod rooms;
mod tokens;
mod writes;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of `src/` or `tests/`.
struct Source {
    path: String,
    text: String,
    /// Without comments and unit tests.
    code: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn sources(folder: &str) -> Vec<Source> {
    let files = walk(&root().join(folder));
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let tested = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code = tested.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        Source { path: path.strip_prefix(root()).unwrap().display().to_string(), text, code }
    })
    .collect()
}

impl Source {
    /// `web` for `src/web/api/token.rs`, `app` for `src/app.rs`.
    fn room(&self) -> &str {
        self.path.split('/').nth(1).unwrap().trim_end_matches(".rs")
    }

    /// The rooms that it names: `crate::db::users` and `use crate::{db, tokens}` alike.
    fn knows(&self) -> BTreeSet<&str> {
        let mut rooms = BTreeSet::new();
        for (at, start) in self.code.match_indices("crate::") {
            let rest = &self.code[at + start.len()..];
            let names = match rest.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap().split(',').collect(),
                None => vec![rest],
            };
            rooms.extend(names.into_iter().map(|name| {
                let name = name.trim_start();
                name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()
            }));
        }
        rooms
    }
}

/// Fails with every finding at once.
#[track_caller]
fn nothing_in(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}
