//! Media types with parameters, read as Python's email package and Django REST framework read them: never an error.

/// `text/html; q=0.5`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    main: String,
    sub: String,
    params: Vec<(String, String)>,
}

impl MediaType {
    /// Longer ones are ignored in `Accept` and refused in `Content-Type`.
    pub const MAX_LENGTH: usize = 256;

    /// Takes any text apart.
    pub fn parse(text: &str) -> Self {
        let mut parts = split_outside_quotes(text).into_iter();
        let full = parts.next().unwrap_or_default().trim().to_lowercase();
        let (main, sub) = full.split_once('/').unwrap_or((&full, ""));
        let params = parts.map(parameter).filter(|(name, _)| !name.is_empty()).collect();
        Self { main: main.to_owned(), sub: sub.to_owned(), params }
    }

    /// A parameter's value; of repeated ones the last.
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
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let value = value.trim();
    let value = match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\\\\", "\\").replace("\\\"", "\""),
        None => value.to_owned(),
    };
    (name.trim().to_lowercase(), value)
}

fn split_outside_quotes(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
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
