//! `./.env`, read with dotenvy, and the check that dotenvy does not silently cut a key.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use super::reader::Problem;

/// The file's variables; none where there is no file. A line given twice counts the last time, as in a shell.
pub(super) fn read(path: &Path, problems: &mut Vec<Problem>) -> HashMap<String, String> {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, problems),
        Err(error) if error.kind() == io::ErrorKind::NotFound => HashMap::new(),
        Err(error) => {
            problems.push(Problem { name: ".env".to_owned(), message: format!("cannot be read ({})", error.kind()) });
            HashMap::new()
        }
    }
}

fn parse(text: &str, problems: &mut Vec<Problem>) -> HashMap<String, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // dotenvy takes white space at the very end for an unfinished line.
    let lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    let given = Rc::new(Cell::new(0));
    let mut entries = dotenvy::from_read_iter(LineByLine { lines: &lines, given: Rc::clone(&given), offset: 0 });
    let mut values = HashMap::new();
    loop {
        let first = given.get();
        let Some(entry) = entries.next() else { break };
        // An entry may stand behind empty lines and comments; its own lines are the last ones.
        let taken = &lines[first..given.get()];
        let skipped =
            taken.iter().take_while(|line| line.trim().is_empty() || line.trim_start().starts_with('#')).count();
        let number = first + skipped + 1;
        let problem = match entry {
            Ok((name, value)) => {
                let is_cut = name.ends_with("_KEY") && is_cut(&taken[skipped..].concat());
                values.insert(name.clone(), value);
                is_cut.then(|| format!("line {number} ({name}) has a `$` or `#` outside single quotes, which would cut the key; put the whole value into single quotes: {name}='…'"))
            }
            Err(_) => {
                Some(format!("line {number} is not NAME=value; a value with spaces or quotes needs quotes around it"))
            }
        };
        problems.extend(problem.map(|message| Problem { name: ".env".to_owned(), message }));
    }
    values
}

/// Whether the value holds a `$` that dotenvy would replace or a `#` that may start a comment.
/// Double quotes protect only a `#`: dotenvy replaces `$name` in them too.
fn is_cut(entry: &str) -> bool {
    let value = entry.split_once('=').map_or("", |(_, value)| value);
    let mut quote = None;
    let mut characters = value.trim_end().chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => drop(characters.next()),
            (_, '$') | (None, '#') => return true,
            (None, '\'' | '"') => quote = Some(character),
            _ => {}
        }
    }
    false
}

/// Hands out one line at a time, so that the number of lines handed out says where dotenvy is.
struct LineByLine<'a> {
    lines: &'a [String],
    given: Rc<Cell<usize>>,
    offset: usize,
}

impl Read for LineByLine<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = match (self.offset, self.given.get()) {
            (0, next) => {
                let Some(line) = self.lines.get(next) else { return Ok(0) };
                self.given.set(next + 1);
                line.as_bytes()
            }
            (offset, next) => &self.lines[next - 1].as_bytes()[offset..],
        };
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.offset = if count == rest.len() { 0 } else { self.offset + count };
        Ok(count)
    }
}
