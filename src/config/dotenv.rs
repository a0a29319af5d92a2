//! `./.env`, read with dotenvy, and a check that dotenvy does not silently truncate a key.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use super::parse::cause;
use super::reader::Problem;

/// The file's variables; none if there is no file. Of repeated lines the last counts, as in a shell.
pub(super) fn read(path: &Path, problems: &mut Vec<Problem>) -> HashMap<String, String> {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, problems),
        Err(error) if error.kind() == io::ErrorKind::NotFound => HashMap::new(),
        Err(error) => {
            problems.push(Problem { name: ".env".to_owned(), message: format!("cannot be read ({})", cause(&error)) });
            HashMap::new()
        }
    }
}

pub(super) fn parse(text: &str, problems: &mut Vec<Problem>) -> HashMap<String, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // dotenvy takes trailing white space for an unfinished line.
    let lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    let given = Rc::new(Cell::new(0));
    let mut entries = dotenvy::from_read_iter(LineByLine { lines: &lines, given: Rc::clone(&given), offset: 0 });
    let mut values = HashMap::new();
    loop {
        let first = given.get();
        let Some(entry) = entries.next() else { break };
        // An entry may follow empty lines and comments; its own lines are the last ones.
        let taken = &lines[first..given.get()];
        let skipped =
            taken.iter().take_while(|line| line.trim().is_empty() || line.trim_start().starts_with('#')).count();
        let number = first + skipped + 1;
        let message = match (entry, cut_key(&taken[skipped..].concat())) {
            (_, Some(name)) => format!(
                "line {number} ({name}) has a `$` or `#` outside single quotes, which would cut the key; \
                 put the whole value into single quotes: {name}='…', and a comment on a line of its own"
            ),
            (Ok((name, value)), None) => {
                values.insert(name, value);
                continue;
            }
            (Err(_), None) => format!("line {number} is not NAME=value; put a value with spaces or quotes into quotes"),
        };
        problems.push(Problem { name: ".env".to_owned(), message });
    }
    values
}

/// The name of a `*_KEY` whose value contains a `$` that dotenvy would expand or a `#` that may start a comment.
/// Double quotes protect only `#`: dotenvy expands `$name` in them too.
fn cut_key(entry: &str) -> Option<&str> {
    let (name, value) = entry.split_once('=')?;
    let name = name.trim().trim_start_matches("export").trim_start();
    (name.ends_with("_KEY") && is_cut(value)).then_some(name)
}

fn is_cut(value: &str) -> bool {
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

/// Hands out one line at a time, so that their number tells which line dotenvy is at.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn good(text: &str) -> HashMap<String, String> {
        let mut problems = Vec::new();
        let values = parse(text, &mut problems);
        assert_eq!(problems, Vec::new());
        values
    }

    fn bad(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        parse(text, &mut problems);
        problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn comments_quotes_and_white_space_are_understood() {
        let values =
            good("\u{feff}# a comment\n\nPORT=9000 # why\r\nexport HOST = '::1'\nJWT_ISSUER=\"a b\"\nEMPTY=\nLAST=x ");
        for (name, value) in [("PORT", "9000"), ("HOST", "::1"), ("JWT_ISSUER", "a b"), ("EMPTY", ""), ("LAST", "x")] {
            assert_eq!(values.get(name).map(String::as_str), Some(value), "{name}");
        }
    }

    #[test]
    fn a_key_may_go_over_several_lines_in_quotes() {
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQA+/=\n-----END PRIVATE KEY-----";
        for quote in ['"', '\''] {
            let values = good(&format!("A=1\nJWT_SIGNING_KEY={quote}{pem}{quote}\nB=2\n"));
            assert_eq!(values["JWT_SIGNING_KEY"], pem);
            assert_eq!(values["B"], "2");
        }
    }

    #[test]
    fn a_key_that_would_be_cut_is_an_error() {
        for value in ["a$b", "a#b", "'a'$b", "\"a$b\"", "#abc", "$abc", "a #b"] {
            let messages = bad(&format!("A=1\nSECRET_KEY={value}\n"));
            assert_eq!(messages.len(), 1, "{value}");
            assert!(messages[0].starts_with("line 2 (SECRET_KEY)"), "{}", messages[0]);
            assert!(!messages[0].contains(value));
        }
        for (value, kept) in
            [("'a$b#c'", "a$b#c"), ("a\\$b", "a$b"), ("\"a#b\"", "a#b"), ("\"a\\$b\"", "a$b"), ("'a\"#'", "a\"#")]
        {
            assert_eq!(good(&format!("SECRET_KEY={value}"))["SECRET_KEY"], kept);
        }
    }

    #[test]
    fn a_malformed_line_is_named_by_its_number_and_never_shown() {
        let messages =
            bad("# top\n\nPORT=1\n\n# more\nhush hush\nSECRET_KEY=a b c\nHOST=::1\nJWT_SIGNING_KEY='hush\nX=1\n");
        let numbers: Vec<_> = messages.iter().map(|message| message.split(' ').nth(1).unwrap()).collect();
        assert_eq!(numbers, ["6", "7", "9"]);
        assert!(!messages.concat().contains("hush"));
    }

    #[test]
    fn the_last_of_two_lines_counts() {
        assert_eq!(good("PORT=1\nPORT=2\n")["PORT"], "2");
    }

    #[test]
    fn long_lines_come_through_whole() {
        let long = "x".repeat(100_000);
        assert_eq!(good(&format!("A={long}\nB=2"))["A"].len(), 100_000);
    }

    #[test]
    fn only_a_missing_file_is_no_problem() {
        let folder = tempfile::tempdir().unwrap();
        let mut problems = Vec::new();
        assert!(read(&folder.path().join(".env"), &mut problems).is_empty());
        assert!(problems.is_empty());
        std::fs::write(folder.path().join(".env"), b"A=\xff").unwrap();
        read(&folder.path().join(".env"), &mut problems);
        assert_eq!(problems.len(), 1);
    }
}
