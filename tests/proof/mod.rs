//! The proof of docs/proof.md: calls interleaved at statement boundaries and compared with a model, a server that is
//! killed at every statement, and many clients that lose replies. `scripts/proof` runs all of it and makes a report.

use std::fs;
use std::path::Path;

mod conductor;
mod crash;
mod factors;
mod history;
mod interleavings;
mod load;
mod model;
mod named;
mod scenarios;
mod search;
mod world;

/// What `scripts/proof` says to its tests.
#[expect(clippy::disallowed_methods, reason = "the tests are not the program: they have no settings but these")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether this is `scripts/proof`, not `scripts/proof --quick`.
fn is_full() -> bool {
    setting("LATCHKEY_PROOF").is_some_and(|extent| extent == "full")
}

/// Writes a part of the report, if one is wanted.
fn report(part: &str, text: &str) {
    println!("{text}");
    if let Some(folder) = setting("LATCHKEY_PROOF_REPORT") {
        fs::write(Path::new(&folder).join(format!("{part}.md")), text).unwrap();
    }
}
