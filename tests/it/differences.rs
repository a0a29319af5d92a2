//! docs/differences.md: every row names its proof. Here is also what no scenario of `tests/conformance/differences.json`
//! can show, because it is about data at rest or about settings that the scenarios undo.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use latchkey::accounts::confirm::Confirmed;
use latchkey::accounts::manage::{self, NewPassword, NewUser};
use latchkey::tokens::purge;
use serde_json::{Value, json};

use crate::harness::{Backend, PASSWORD, Server};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all tests under a folder: whatever function follows `#[test]`, `#[tokio::test]` or `both!`.
fn tests(folder: &Path, names: &mut BTreeSet<String>) {
    let entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for path in entries {
        if path.is_dir() {
            tests(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).unwrap();
            for after in text.split("test]\n").chain(text.split("both!(")).skip(1) {
                let name = after.trim_start().trim_start_matches("async ").trim_start_matches("fn ");
                names.insert(name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned());
            }
        }
    }
}

/// `no-jti` of `differences/no-jti/refresh`.
fn scenarios() -> BTreeSet<String> {
    let file = fs::read_to_string(root().join("tests/conformance/differences.json")).unwrap();
    let corpus: Value = serde_json::from_str(&file).unwrap();
    let ids = corpus["scenarios"].as_array().unwrap().iter().map(|scenario| scenario["id"].as_str().unwrap());
    ids.map(|id| id.strip_prefix("differences/").unwrap().split('/').next().unwrap().to_owned()).collect()
}

#[test]
fn every_difference_has_its_proof_and_every_scenario_its_row() {
    let page = fs::read_to_string(root().join("docs/differences.md")).unwrap();
    let (mut tests_of_ours, scenarios) = (BTreeSet::new(), scenarios());
    tests(&root().join("src"), &mut tests_of_ours);
    tests(&root().join("tests/it"), &mut tests_of_ours);
    let (mut named, mut findings) = (BTreeSet::new(), Vec::new());
    // What is missing can have no proof.
    let differences = page.split("## What is missing").next().unwrap();
    let rows = differences.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    for row in rows.filter(|row| !row.ends_with("| proof |")) {
        let proofs: Vec<&str> = row
            .trim_end_matches(" |")
            .rsplit(" | ")
            .next()
            .unwrap()
            .split(", ")
            .map(|name| name.trim_matches('`'))
            .collect();
        if !proofs.iter().all(|proof| scenarios.contains(*proof) || tests_of_ours.contains(*proof)) {
            findings.push(format!("no such scenario and no such test: {row}"));
        }
        named.extend(proofs.into_iter().map(str::to_owned));
    }
    findings.extend(scenarios.difference(&named).map(|name| format!("no row names the scenario {name}")));
    assert!(findings.is_empty() && named.len() > 40, "\n{}", findings.join("\n"));
}

both!(a_sliding_token_is_recorded_until_its_last_refresh);
fn a_sliding_token_is_recorded_until_its_last_refresh(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    server.client.post("/api/token/sliding/", &json!({"username": "alice", "password": PASSWORD})).expect_status(200);
    let flush = |seconds| {
        server.advance(seconds);
        server.wait(purge::flush_expired(&server.app, |_| {})).unwrap()
    };
    assert_eq!(flush(3600), 0, "it is past its exp, but can still be refreshed");
    assert_eq!(flush(86_400), 1);
}

both!(a_flush_leaves_what_the_leeway_still_accepts);
fn a_flush_leaves_what_the_leeway_still_accepts(backend: Backend) {
    let server = Server::with(backend, &[("JWT_LEEWAY", "60")]);
    server.add_user("alice");
    let refresh = server.log_in("alice").refresh;
    let blacklist = || server.client.post("/api/token/blacklist/", &json!({"refresh": refresh}));
    blacklist().expect_status(200);
    let flush = |seconds| {
        server.advance(seconds);
        server.wait(purge::flush_expired(&server.app, |_| {})).unwrap()
    };
    assert_eq!(flush(86_400 + 30), 0);
    blacklist().expect(401, json!({"detail": "Token is blacklisted", "code": "token_not_valid"}));
    assert_eq!(flush(60), 1);
}

both!(the_stored_token_has_the_custom_claims);
fn the_stored_token_has_the_custom_claims(backend: Backend) {
    let server = Server::with(backend, &[("JWT_EXTRA_CLAIMS", "email")]);
    server.add_user("alice");
    let refresh = server.log_in("alice").refresh;
    let stored = server.db.text("SELECT token AS t FROM token_blacklist_outstandingtoken").unwrap();
    assert_eq!(Some(stored.as_str()), refresh.rsplit_once('.').map(|(unsigned, _)| unsigned));
    assert_eq!(crate::harness::forge::claims(&refresh)["email"], "alice@example.com");
}

both!(an_address_belongs_to_one_user);
fn an_address_belongs_to_one_user(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let create = |username: &str, email: &str| {
        let user = NewUser {
            username: username.to_owned(),
            email: email.to_owned(),
            password: NewPassword::Plain(PASSWORD.into()),
            ..NewUser::default()
        };
        server.wait(manage::create(&server.app, &Confirmed::command_line(), user)).map(drop)
    };
    assert!(create("bob", "Alice@example.com").is_err());
    assert!(create("alice@example.com", "bob@example.com").is_err());
    assert!(create("bob", "alice").is_err());
    assert!(create("bob", "bob@example.com").is_ok());
}
