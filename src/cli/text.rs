//! Texts that commands print: the last part of a command's help, counts, and names made safe for a terminal. Nothing here
//! prints.

use std::borrow::Cow;

/// The last part of a command's `--help`.
pub fn help(examples: &str, environment: &str) -> String {
    format!(
        "Examples:\n{examples}\n\nEnvironment:\n{environment}\n\n\
         Exit codes:\n  0  success\n  1  failure; stderr says why\n  2  usage error"
    )
}

/// A text from the database for a terminal: control and direction characters become `\u{…}`.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().fold(String::new(), |mut out, c| {
        if is_unsafe(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
        out
    });
    Cow::Owned(escaped)
}

/// A library's text as part of a sentence: libpq's has line breaks.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(['.', '?']).to_owned()
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `yes` or `no`.
pub fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

/// `1 user`, `2 users`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_send_control_sequences_to_a_terminal() {
        assert_eq!(plain("ana"), "ana");
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\n"), "a\\u{1b}[2Jb\\u{202e}c\\u{a}");
    }

    #[test]
    fn counts_read_well() {
        assert_eq!(count(1, "user"), "1 user");
        assert_eq!(count(0, "user"), "0 users");
    }
}
