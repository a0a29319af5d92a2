//! Writes the JSON of answers and pages: on one line, or indented for people.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

/// The text of an answer, indented by this many spaces; 0 puts it on one line.
pub fn json(body: &Value, indent: usize) -> String {
    if indent == 0 {
        return body.to_string();
    }
    let spaces = " ".repeat(indent);
    let mut out = Vec::new();
    let mut writer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(spaces.as_bytes()));
    match body.serialize(&mut writer) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => body.to_string(),
    }
}

/// A line of indented JSON, with its key separated.
pub struct Line {
    /// The spaces before it.
    pub indent: String,
    /// The key with its quotes, if the line begins with one.
    pub key: String,
    /// The rest of the line.
    pub rest: String,
}

/// Indented JSON, line by line.
pub fn lines(body: &Value) -> Vec<Line> {
    let line = |line: &str| {
        let text = line.trim_start();
        let (indent, (key, rest)) = (&line[..line.len() - text.len()], text.split_at(key_length(text)));
        Line { indent: indent.to_owned(), key: key.to_owned(), rest: rest.to_owned() }
    };
    json(body, 2).lines().map(line).collect()
}

/// The length in bytes of a quoted key at the beginning of a line; 0 if there is none.
fn key_length(text: &str) -> usize {
    let (mut end, mut is_escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if at > 0 && !is_escaped => {
                end = at + 1;
                break;
            }
            _ if at == 0 && c != '"' => break,
            _ => is_escaped = c == '\\' && !is_escaped,
        }
    }
    if text[end..].starts_with(": ") { end } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as value;

    #[test]
    fn json_is_indented_as_asked() {
        assert_eq!(json(&value!({"a": [1]}), 0), "{\"a\":[1]}");
        assert_eq!(json(&value!({"a": [1]}), 2), "{\n  \"a\": [\n    1\n  ]\n}");
    }

    #[test]
    fn keys_stand_apart_and_nothing_is_lost() {
        let body = value!({"a": "\": ", "\"b\\": {"ä": []}, "c": ["x: ", "\\\": "]});
        let lines = lines(&body);
        let keys: Vec<_> = lines.iter().map(|line| line.key.as_str()).filter(|key| !key.is_empty()).collect();
        assert_eq!(keys, ["\"a\"", "\"\\\"b\\\\\"", "\"ä\"", "\"c\""]);
        let text: Vec<_> = lines.iter().map(|line| format!("{}{}{}", line.indent, line.key, line.rest)).collect();
        assert_eq!(text.join("\n"), json(&body, 2));
    }
}
