//! What commands print on stdout: lines for people, aligned tables, JSON for scripts. Nothing here panics when the reader of
//! a pipe has gone. What goes to stderr is in `stderr`, how texts are made safe to print in `text`.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde::Serialize;

use super::failure::Failure;

/// Prints a line on stdout.
pub fn say(text: impl AsRef<str>) -> Result<(), Failure> {
    print(&format!("{}\n", text.as_ref()))
}

/// Prints on stdout, unchanged.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Prints a value as JSON, indented, with a line break at the end.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::say(error.to_string()))?;
    say(harmless(&text))
}

/// A value as JSON on one line.
pub fn compact(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map(|text| harmless(&text)).map_err(|error| Failure::say(error.to_string()))
}

/// JSON that cannot control a terminal: serde does not escape U+007F to U+009F, and some terminals obey them.
fn harmless(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        if matches!(c, '\u{7f}'..='\u{9f}') {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
        out
    })
}

/// A table that is printed in parts: each column is as wide as its widest cell so far.
pub struct Table<const N: usize> {
    widths: [usize; N],
}

impl<const N: usize> Table<N> {
    /// A table with room for its heads and these rows.
    pub fn new(heads: [&str; N], rows: &[[String; N]]) -> Self {
        let mut table = Self { widths: heads.map(|head| head.chars().count()) };
        table.widen(rows);
        table
    }

    /// Makes room for more rows.
    pub fn widen(&mut self, rows: &[[String; N]]) {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
    }

    /// One line, without spaces at its end.
    pub fn line(&self, cells: &[impl AsRef<str>; N]) -> String {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(self.widths) {
            let _ = write!(line, "{:<width$}  ", cell.as_ref());
        }
        line.truncate(line.trim_end().len());
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_cannot_send_control_sequences_to_a_terminal() {
        assert_eq!(compact(&"a\u{9b}2J\u{7f}\u{1b}").unwrap(), r#""a\u009b2J\u007f\u001b""#);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_without_spaces() {
        let rows = [["1".to_owned(), "ana".to_owned()], ["20".to_owned(), String::new()]];
        let table = Table::new(["ID", "USERNAME"], &rows);
        assert_eq!(table.line(&["ID", "USERNAME"]), "ID  USERNAME");
        assert_eq!(table.line(&rows[0]), "1   ana");
        assert_eq!(table.line(&rows[1]), "20");
    }
}
