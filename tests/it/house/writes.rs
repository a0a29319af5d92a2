//! `web` decides nothing about data, so it writes none: every change goes through `accounts` or `tokens`.

use super::{nothing_in, sources};

/// What a `std::io::Write` is called; on everything else `write` is the door into the database.
const STREAMS: [&str; 3] = ["file", "out", "stream"];

#[test]
fn web_writes_only_through_accounts_and_tokens() {
    let web = sources("src/web");
    let writers = web.iter().filter(|source| !writes(&source.code).is_empty());
    nothing_in(writers.map(|source| format!("{}: {}", source.path, writes(&source.code).join(", "))).collect());
}

/// The calls that open the door for writing, however rustfmt has broken their lines.
fn writes(code: &str) -> Vec<String> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let methods = code.match_indices(".write(").filter_map(|(at, _)| {
        let receiver = code[..at].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        (!STREAMS.contains(&receiver)).then(|| format!("{receiver}.write("))
    });
    let functions = ["Db::write(", "App::write("].into_iter().filter(|function| code.contains(function));
    methods.chain(functions.map(str::to_owned)).collect()
}

#[test]
fn a_write_is_seen_however_its_lines_are_broken() {
    for code in [
        "app.db.write(|conn| users::insert(conn, &row)).await",
        "let made = app\n    .db\n    .write(move |conn| users::insert(conn, &row))\n    .await?;",
        "app.write(|tx| change::delete(tx, id))",
        "staff\n    .app()\n    .write(|tx| change::delete(tx, id))",
        "self.app\n        .write(job)",
        "Arc::clone(&app).write(job)",
        "Db::write(&app.db, job)",
    ] {
        assert_eq!(writes(code).len(), 1, "{code}");
    }
    for code in [
        "app.db.read(|conn| users::find(conn, id)).await",
        "write!(out, \"{text}\")",
        "out.write(bytes)",
        "file\n    .write(bytes)",
        "out.write_all(bytes)",
        "fn write(out: &mut String) {}",
    ] {
        assert!(writes(code).is_empty(), "{code}");
    }
}
