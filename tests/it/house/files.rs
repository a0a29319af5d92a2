//! How long a file may be and what it begins with; that both databases have the same migrations; that nobody's private folder
//! is named.

use std::fs;

use super::{nothing_in, root, sources, walk};

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
