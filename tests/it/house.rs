//! The rules of the house that the compiler does not hold: who may know whom, how long a file may be, what it opens with.
//! ARCHITECTURE.md explains them. Each test walks the source and names every line that breaks its rule.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of `src/` without comments and unit tests.
struct Source {
    path: String,
    text: String,
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

#[test]
fn rooms_know_only_the_rooms_below_them() {
    // Left: a room. Right: what it may know. Nothing is below `config` and `clock`.
    let allowed: [(&str, &[&str]); 18] = [
        ("main", &["cli", "latchkey"]),
        (
            "cli",
            &[
                "web",
                "tokens",
                "factors",
                "accounts",
                "sessions",
                "guard",
                "journal",
                "app",
                "key_set",
                "mail",
                "crypto",
                "db",
                "telemetry",
                "config",
                "clock",
            ],
        ),
        (
            "web",
            &[
                "tokens",
                "factors",
                "accounts",
                "sessions",
                "guard",
                "journal",
                "app",
                "crypto",
                "db",
                "telemetry",
                "config",
                "clock",
            ],
        ),
        (
            "tokens",
            &["factors", "accounts", "sessions", "guard", "journal", "app", "mail", "crypto", "db", "config", "clock"],
        ),
        ("factors", &["accounts", "sessions", "guard", "journal", "app", "mail", "crypto", "db", "config", "clock"]),
        ("accounts", &["sessions", "guard", "journal", "app", "mail", "crypto", "db", "config", "clock"]),
        ("sessions", &["guard", "journal", "app", "mail", "crypto", "db", "config", "clock"]),
        ("guard", &["journal", "app", "mail", "crypto", "db", "config", "clock"]),
        ("journal", &["app", "mail", "crypto", "db", "config", "clock"]),
        ("app", &["key_set", "mail", "crypto", "db", "config", "clock"]),
        ("key_set", &["crypto", "config", "clock"]),
        ("mail", &["crypto", "db", "config", "clock"]),
        ("crypto", &["config", "clock"]),
        ("db", &["config", "clock"]),
        ("telemetry", &["config"]),
        ("config", &[]),
        ("clock", &[]),
        ("lib", &[]),
    ];
    let mut findings = Vec::new();
    for source in sources("src") {
        let Some((room, below)) = allowed.iter().find(|(room, _)| *room == source.room()) else {
            findings.push(format!("{}: a new room; say here and in ARCHITECTURE.md what it may know", source.path));
            continue;
        };
        for known in source.knows() {
            if known != *room && !below.contains(&known) {
                findings.push(format!("{}: {room} must not know {known}", source.path));
            }
        }
    }
    nothing_in(findings);
}

#[test]
fn outside_libraries_and_the_outside_world_each_have_one_room() {
    let owners: [(&str, &[&str]); 17] = [
        ("diesel", &["src/db/"]),
        ("actix", &["src/web/"]),
        ("askama", &["src/web/", "src/mail/"]),
        ("clap", &["src/cli/", "src/main.rs"]),
        ("lettre", &["src/mail/", "src/config/mail.rs"]),
        ("ureq", &["src/key_set/"]),
        ("rustls", &["src/key_set/"]),
        ("jsonwebtoken", &["src/crypto/"]),
        ("aws_lc_rs", &["src/crypto/"]),
        ("webauthn_rs", &["src/crypto/"]),
        ("totp_rs", &["src/crypto/"]),
        ("qrcode", &["src/crypto/"]),
        ("env::var", &["src/config/"]),
        ("dotenvy", &["src/config/"]),
        ("Utc::now", &["src/clock.rs"]),
        ("Local::now", &["src/clock.rs"]),
        ("SystemTime::now", &["src/clock.rs"]),
    ];
    let mut findings = Vec::new();
    for source in sources("src") {
        for (name, homes) in owners {
            let used = source.code.match_indices(name).any(|(at, _)| {
                let before = source.code[..at].chars().next_back();
                let path = source.code[at + name.len()..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"')
                    && (name.contains("::") || path.starts_with("::"))
            });
            if used && !homes.iter().any(|home| source.path.starts_with(home)) {
                findings.push(format!("{}: {name} belongs to {}", source.path, homes.join(" and ")));
            }
        }
    }
    nothing_in(findings);
}

#[test]
fn web_writes_only_through_accounts_and_tokens() {
    let web = sources("src/web");
    let writers = web.iter().filter(|source| source.code.contains("db.write(") || source.code.contains(".write(|"));
    nothing_in(writers.map(|source| source.path.clone()).collect());
}

#[test]
fn nobody_but_a_test_observes_statements() {
    let sources = sources("src");
    let observers =
        sources.iter().filter(|source| source.code.contains(".observe(") && !source.path.starts_with("src/db/"));
    nothing_in(observers.map(|source| source.path.clone()).collect());
}

#[test]
fn files_stay_short_and_say_first_what_lives_in_them() {
    let mut findings = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        let lines = source.text.lines().count();
        if lines > 400 {
            findings.push(format!("{}: {lines} lines; past 400 it is two things", source.path));
        }
        if !source.text.starts_with("//! ") {
            findings.push(format!("{}: opens without //! lines", source.path));
        }
    }
    nothing_in(findings);
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

#[test]
fn migrations_are_the_same_on_both_databases() {
    let names = |database: &str| -> Vec<String> {
        let folder = root().join("migrations").join(database);
        walk(&folder).iter().map(|path| path.strip_prefix(&folder).unwrap().display().to_string()).collect()
    };
    let sqlite = names("sqlite");
    assert_eq!(sqlite, names("postgres"));
    assert!(sqlite.iter().all(|name| name.ends_with("up.sql") || name.ends_with("down.sql")), "{sqlite:?}");
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    let mut findings = Vec::new();
    let folders = ["src", "templates", "static", "migrations", "docs", "scripts"].map(|folder| root().join(folder));
    for folder in folders.iter().filter(|folder| folder.exists()) {
        for path in walk(folder) {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            findings.extend(
                ["/root/", "/home/", "/Users/"]
                    .iter()
                    .filter(|private| text.contains(**private))
                    .map(|private| format!("{}: {private}", path.display())),
            );
        }
    }
    nothing_in(findings);
}
