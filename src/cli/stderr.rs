//! What commands print on stderr, for people.

use std::io::{self, Write as _};

/// Prints a line on stderr; an error is ignored, since nothing could report it.
pub fn warn(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A library's text as part of a sentence: libpq breaks lines and ends with one.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(['.', '?']).to_owned()
}
