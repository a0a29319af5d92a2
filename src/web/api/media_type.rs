//! Media types with parameters, parsed as Python's email package and Django REST framework parse them: without errors.

use super::python;

/// A media type and its parameters: `text/html; q=0.5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    main: String,
    sub: String,
    params: Vec<(String, String)>,
}

impl MediaType {
    /// Longer media types are ignored in `Accept` and refused in `Content-Type`.
    pub const MAX_LENGTH: usize = 256;

    /// Parses any text.
    pub fn parse(text: &str) -> Self {
        let mut parts = split_outside_quotes(text).into_iter();
        let full = parts.next().unwrap_or_default();
        // If parameters follow, Python parses the first part as a parameter too.
        let full = if text.contains(';') { full.split('=').next().unwrap_or_default() } else { full };
        let full = python::strip(full).to_lowercase();
        let (main, sub) = full.split_once('/').unwrap_or((&full, ""));
        let params = parts.map(parameter).filter(|(name, _)| !name.is_empty()).collect();
        Self { main: main.to_owned(), sub: sub.to_owned(), params }
    }

    /// A parameter's value; the last one if it is repeated.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How specific it is: 0 for `*/*`, 1 for `text/*`, 2 for `text/html`, 3 with parameters (`q` does not count).
    pub fn precedence(&self) -> usize {
        if self.main == "*" {
            0
        } else if self.sub == "*" {
            1
        } else if self.params.iter().all(|(name, _)| name == "q") {
            2
        } else {
            3
        }
    }

    /// Whether it covers `main/sub`.
    pub fn covers(&self, main: &str, sub: &str) -> bool {
        let fits = |ours: &str, theirs: &str| ours == "*" || ours == theirs;
        fits(&self.sub, sub) && fits(&self.main, main)
    }
}

fn parameter(part: &str) -> (String, String) {
    let (name, value) = part.split_once('=').map_or((part, ""), |(name, value)| (name, python::strip(value)));
    let name = python::strip(name).to_lowercase();
    match name.strip_suffix('*') {
        // `name*=charset'language'value` (RFC 2231): percent-encoding is not decoded, since no such value is ever needed.
        Some(name) if !name.is_empty() => {
            (name.to_owned(), unquote(value).rsplit('\'').next().unwrap_or_default().to_owned())
        }
        _ => (name, unquote(value)),
    }
}

/// Python's `email.utils.unquote`.
fn unquote(value: &str) -> String {
    let inside = |open, close| value.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
    match (inside('"', '"'), inside('<', '>')) {
        (Some(quoted), _) => quoted.replace("\\\\", "\\").replace("\\\"", "\""),
        (None, Some(bracketed)) => bracketed.to_owned(),
        (None, None) => value.to_owned(),
    }
}

/// Splits at semicolons outside quotes. A quote after a backslash does not count, whatever precedes the backslash.
fn split_outside_quotes(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut is_quoted, mut before) = (Vec::new(), 0, false, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '"' if before != '\\' => is_quoted = !is_quoted,
            ';' if !is_quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_taken_apart() {
        let parsed = MediaType::parse("Multipart/Form-Data; boundary=\"a;b\\\"c\"; charset = utf-8");
        assert!(parsed.covers("multipart", "form-data"));
        assert_eq!(parsed.param("boundary"), Some("a;b\"c"));
        assert_eq!(parsed.param("charset"), Some("utf-8"));
        assert_eq!(parsed.param("q"), None);
        let parsed = MediaType::parse("form-data=x; name*=utf-8''a; filename=<b>; c; x=1; x=2; d=\"\\\\\";e\"");
        assert!(parsed.covers("form-data", ""));
        assert_eq!(
            ["name", "filename", "c", "x", "d"].map(|name| parsed.param(name).unwrap()),
            ["a", "b", "", "2", "\";e"]
        );
    }

    #[test]
    fn precedence_grows_with_detail() {
        let precedence = |text| MediaType::parse(text).precedence();
        assert_eq!(precedence("*/*;q=0.8"), 0);
        assert_eq!(precedence("text/*"), 1);
        assert_eq!(precedence("text/html;q=0.8"), 2);
        assert_eq!(precedence("text/html;indent=4;q=0.8"), 3);
    }

    #[test]
    fn any_text_is_taken() {
        for text in ["", ";", "\"", "/", ";;=;", "a/b;\"", "a/b;x=\"\\", "ä/ö;ü=\"ß\"", "\u{0}"] {
            let _ = MediaType::parse(text).precedence();
        }
    }
}
