//! Which file takes something from which: from `use` and from paths. A name that a `mod.rs` only hands on (`pub use`) belongs to
//! the file that defines it; a name that a module is known by is no arrow before something is taken from it.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{Token, without_tests};
use super::{Source, sources};

/// A path as it is written, without its generics: `["crate", "db", "users"]`.
type Path = Vec<String>;

/// Files, and the files that each takes something from.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

struct Module {
    file: String,
    tokens: Vec<Token>,
    /// What `use` calls things here.
    names: BTreeMap<String, Path>,
    /// Every path of a `use`.
    uses: Vec<Path>,
}

/// The modules of the library, by their path below `crate`.
struct Modules(BTreeMap<Path, Module>);

/// The arrows between the files of `src/`, unit tests left out.
pub fn graph() -> Graph {
    graph_of(sources("src"))
}

fn graph_of(sources: Vec<Source>) -> Graph {
    let modules = Modules::read(sources);
    let mut graph = Graph::new();
    for (path, module) in &modules.0 {
        let paths = module.uses.iter().cloned().chain(paths(&module.tokens));
        let files = paths.filter_map(|taken| modules.file_of(path, &taken, 0)).filter(|file| *file != module.file);
        graph.insert(module.file.clone(), files.collect());
    }
    graph
}

impl Modules {
    fn read(sources: Vec<Source>) -> Self {
        let mut modules = BTreeMap::new();
        let mut of_tests = Vec::new();
        for source in sources {
            let path = module_path(&source.path);
            let (tokens, test_modules) = without_tests(&source.text);
            of_tests.extend(test_modules.into_iter().map(|name| [path.clone(), vec![name]].concat()));
            let (uses, names) = uses(&tokens);
            modules.insert(path, Module { file: source.path, tokens, names, uses });
        }
        modules.retain(|path, _| !of_tests.contains(path));
        Self(modules)
    }

    /// The file that defines what a path names, seen from a module.
    fn file_of(&self, from: &Path, path: &[String], depth: usize) -> Option<String> {
        if depth > 8 {
            return None;
        }
        let (mut at, mut rest) = (from.clone(), path);
        match rest.first()?.as_str() {
            "crate" => (at, rest) = (Vec::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|first| first == "super") {
                    at.pop()?;
                    rest = &rest[1..];
                }
            }
            name if self.0.contains_key(&[at.clone(), vec![name.to_owned()]].concat()) => {}
            name => {
                // A name that means itself (`use serde::…`) is a library's.
                let meant = self.0.get(from)?.names.get(name).filter(|meant| meant[0] != name)?;
                return self.file_of(from, &[meant, &rest[1..]].concat(), depth + 1);
            }
        }
        while let Some((name, more)) = rest.split_first() {
            let inner = [at.clone(), vec![name.clone()]].concat();
            if self.0.contains_key(&inner) {
                (at, rest) = (inner, more);
            } else if let Some(meant) = self.0.get(&at)?.names.get(name).filter(|meant| meant[0] != *name) {
                return self.file_of(&at, &[meant, more].concat(), depth + 1);
            } else {
                return Some(self.0.get(&at)?.file.clone());
            }
        }
        // A module, and nothing of it.
        None
    }
}

/// `["db", "users"]` for `src/db/users.rs`, `["db"]` for `src/db/mod.rs`, nothing for `src/lib.rs`.
fn module_path(file: &str) -> Path {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    path.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main")).map(str::to_owned).collect()
}

/// The paths of all `use` items, and the names that they give.
fn uses(tokens: &[Token]) -> (Vec<Path>, BTreeMap<String, Path>) {
    let (mut all, mut names) = (Vec::new(), BTreeMap::new());
    for at in 0..tokens.len() {
        // `+ use<>` is no import.
        if tokens[at] != "use" || tokens.get(at + 1).is_none_or(|next| next == "<") {
            continue;
        }
        let mut leaves = Vec::new();
        use_tree(tokens, at + 1, &mut Vec::new(), &mut leaves);
        for (path, name) in leaves {
            if let Some(name) = name {
                names.insert(name, path.clone());
            }
            all.push(path);
        }
    }
    (all, names)
}

/// Reads one tree of a `use`; answers where it ends.
fn use_tree(tokens: &[Token], mut at: usize, before: &mut Path, leaves: &mut Vec<(Path, Option<String>)>) -> usize {
    let length = before.len();
    loop {
        match tokens[at].as_str() {
            "{" => {
                at += 1;
                while tokens[at] != "}" {
                    at = use_tree(tokens, at, before, leaves);
                    at += usize::from(tokens[at] == ",");
                }
                at += 1;
                break;
            }
            "*" => {
                leaves.push((before.iter().cloned().chain(["*".to_owned()]).collect(), None));
                at += 1;
                break;
            }
            "self" if !before.is_empty() => at += 1,
            word => {
                before.push(word.to_owned());
                at += 1;
            }
        }
        if tokens[at] == "::" {
            at += 1;
            continue;
        }
        let mut name = before.last().cloned();
        if tokens[at] == "as" {
            name = Some(tokens[at + 1].clone()).filter(|name| name != "_");
            at += 2;
        }
        leaves.push((before.clone(), name));
        break;
    }
    before.truncate(length);
    at
}

/// Every path of two and more parts, those of `use` too.
fn paths(tokens: &[Token]) -> impl Iterator<Item = Path> {
    let is_word = |token: &Token| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let starts = (1..tokens.len()).filter(move |at| is_word(&tokens[*at]) && tokens[at - 1] != "::");
    starts.filter_map(move |start| {
        let mut path = vec![tokens[start].clone()];
        let mut at = start + 1;
        while tokens.get(at).is_some_and(|token| token == "::") && tokens.get(at + 1).is_some_and(is_word) {
            path.push(tokens[at + 1].clone());
            at += 2;
        }
        (path.len() > 1).then_some(path)
    })
}

#[test]
fn arrows_are_seen_through_lists_renamings_and_names_that_are_handed_on() {
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned(), code: String::new() };
    let graph = graph_of(vec![
        source(
            "src/a/mod.rs",
            "mod b;\npub mod c;\nmod d;\n#[cfg(test)]\nmod samples;\npub use b::{Bee, self as bees};",
        ),
        source("src/a/b.rs", "use super::c::{self, Sea as S};\nfn f() { c::swim() }\npub struct Bee;"),
        source("src/a/c.rs", "use crate::a::Bee;\npub struct Sea;"),
        source("src/a/d.rs", "use super::c;\nuse std::fmt;\n#[cfg(test)]\nmod tests { use super::super::b::X; }"),
        source("src/a/samples.rs", "use super::d::X;"),
        source("src/e.rs", "fn f() -> impl Sized + use<> { crate::a::d::g(); super::a::bees::h() }"),
    ]);
    let arrows = |file: &str| graph[file].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(arrows("src/a/mod.rs"), ["src/a/b.rs"]);
    assert_eq!(arrows("src/a/b.rs"), ["src/a/c.rs"]);
    assert_eq!(arrows("src/a/c.rs"), ["src/a/b.rs"]);
    assert!(arrows("src/a/d.rs").is_empty(), "a module alone is no arrow, and tests are left out");
    assert_eq!(arrows("src/e.rs"), ["src/a/b.rs", "src/a/d.rs"]);
    assert!(!graph.contains_key("src/a/samples.rs"));
}
