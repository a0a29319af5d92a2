//! Reads the file of `users load`: a JSON list of objects, or CSV with a header, into records with their line numbers.
//! What a record means is in `rows.rs`.

use serde_json::Value;

/// The fields that a row may have.
pub const FIELDS: [&str; 9] = [
    "username",
    "email",
    "password",
    "password_hash",
    "first_name",
    "last_name",
    "is_active",
    "is_staff",
    "is_superuser",
];

/// What is wrong with a row, or with the file at a line.
#[derive(Debug, PartialEq, Eq)]
pub struct RowError {
    /// Where, from 1.
    pub line: usize,
    /// What.
    pub text: String,
}

impl RowError {
    /// An error at this line.
    pub fn new(line: usize, text: impl Into<String>) -> Self {
        Self { line, text: text.into() }
    }
}

/// A value of a row, from either format.
pub enum Cell {
    /// Nothing: null or an empty text.
    Empty,
    /// A text.
    Text(String),
    /// True or false, in JSON.
    Flag(bool),
    /// Something that no field accepts; the words say what.
    Other(&'static str),
}

/// A row before it becomes a user: its line and its named values.
pub struct Record {
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// Names and values as in the file.
    pub cells: Vec<(String, Cell)>,
}

/// The records of a file, and the errors in other rows; or why the file has neither format.
pub fn read(bytes: Vec<u8>) -> Result<(Vec<Record>, Vec<RowError>), RowError> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        RowError::new(1 + good.matches('\n').count(), "this is not UTF-8 text; save the file as UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match text.trim_start().chars().next() {
        None => Err(RowError::new(1, "the file is empty")),
        Some('[' | '{') => read_json(text).map(|records| (records, Vec::new())),
        Some(_) => read_csv(text),
    }
}

/// The objects of a JSON list, each with the line that it begins on.
fn read_json(text: &str) -> Result<Vec<Record>, RowError> {
    let line_of = |at: usize| 1 + text[..at].matches('\n').count();
    let skip = |at: usize| text.len() - text[at..].trim_start().len();
    let mut at = skip(0);
    if !text[at..].starts_with('[') {
        return Err(RowError::new(line_of(at), "a JSON list of objects is expected, beginning with ["));
    }
    let mut records = Vec::new();
    at = skip(at + 1);
    let mut line = line_of(at);
    while !text[at..].starts_with(']') {
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        let cells = match values.next() {
            Some(Ok(Value::Object(object))) => object.into_iter().map(|(name, value)| (name, cell(value))).collect(),
            Some(Ok(value)) => return Err(RowError::new(line, format!("an object is expected, not {}", kind(&value)))),
            Some(Err(error)) => return Err(RowError::new(line + error.line().saturating_sub(1), json_fault(&error))),
            None => return Err(RowError::new(line, "the list is not closed: a ] is missing")),
        };
        records.push(Record { line, cells });
        let end = skip(at + values.byte_offset());
        line += text[at..end].matches('\n').count();
        at = end;
        match text[at..].chars().next() {
            Some(',') => {
                let next = skip(at + 1);
                line += text[at..next].matches('\n').count();
                at = next;
            }
            Some(']') => break,
            Some(_) => return Err(RowError::new(line, "a comma or ] is expected after an object")),
            None => return Err(RowError::new(line, "the list is not closed: a ] is missing")),
        }
    }
    match text[at + 1..].trim() {
        "" => Ok(records),
        _ => Err(RowError::new(line_of(skip(at + 1)), "nothing may follow the list")),
    }
}

/// serde's text without its "at line … column …", which counts from the object.
fn json_fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    format!("this is not JSON: {text}")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Empty,
        Value::Bool(flag) => Cell::Flag(flag),
        Value::String(text) if text.is_empty() => Cell::Empty,
        Value::String(text) => Cell::Text(text),
        // SQLite's own export writes flags like this.
        Value::Number(number) if number.as_u64().is_some_and(|n| n < 2) => Cell::Flag(number.as_u64() == Some(1)),
        other => Cell::Other(kind(&other)),
    }
}

/// The records of a CSV file with a header, and the rows whose length differs.
fn read_csv(text: &str) -> Result<(Vec<Record>, Vec<RowError>), RowError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| RowError::new(1, format!("this is not CSV: {error}"));
    let heads: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(|head| head.trim().to_owned()).collect();
    check_heads(&heads)?;
    let (mut records, mut faults) = (Vec::new(), Vec::new());
    let (mut line, mut counted) = (1, 0);
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        // csv counts from where it started reading, before blank lines.
        let start = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
        let start = start + text[start..].len() - text[start..].trim_start_matches(['\r', '\n']).len();
        line += text[counted..start].matches('\n').count();
        counted = start;
        if record.len() != heads.len() {
            faults.push(RowError::new(line, format!("{} values, but the header names {}", record.len(), heads.len())));
            continue;
        }
        let values =
            record.iter().map(|value| if value.is_empty() { Cell::Empty } else { Cell::Text(value.to_owned()) });
        records.push(Record { line, cells: heads.iter().cloned().zip(values).collect() });
    }
    Ok((records, faults))
}

fn check_heads(heads: &[String]) -> Result<(), RowError> {
    if heads.iter().any(|head| head.contains(';') || head.contains('\t')) {
        return Err(RowError::new(1, "the header's names must be separated by commas"));
    }
    if let Some(twice) = heads.iter().enumerate().find_map(|(at, head)| heads[..at].contains(head).then_some(head)) {
        return Err(RowError::new(1, format!("the header names {twice:?} twice")));
    }
    if let Some(unknown) = heads.iter().find(|head| !FIELDS.contains(&head.as_str())) {
        return Err(RowError::new(1, unknown_field(unknown)));
    }
    if !heads.iter().any(|head| head == "username") {
        return Err(RowError::new(1, "the header names no username"));
    }
    Ok(())
}

/// The error for an unknown field.
pub fn unknown_field(name: &str) -> String {
    format!("unknown field {name:?}; known are {}", FIELDS.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `line: text` of what is wrong with the whole file.
    fn bad(text: &str) -> String {
        let fault = read(text.as_bytes().to_vec()).err().unwrap();
        format!("{}: {}", fault.line, fault.text)
    }

    #[test]
    fn a_file_that_is_no_list_of_users_is_refused_at_its_line() {
        assert_eq!(bad(" \n"), "1: the file is empty");
        assert_eq!(bad("{\"username\": \"ana\"}"), "1: a JSON list of objects is expected, beginning with [");
        assert_eq!(bad("[{\"username\": \"ana\"}\n{}]"), "2: a comma or ] is expected after an object");
        assert_eq!(bad("[{\"username\": \"ana\"},\n"), "2: the list is not closed: a ] is missing");
        assert_eq!(bad("[\"ana\"]"), "1: an object is expected, not a text");
        assert_eq!(bad("[]\n[]"), "2: nothing may follow the list");
        assert!(bad("[\n{\n\"username\": ana}]").starts_with("3: this is not JSON: "));
        assert!(bad(&format!("[{}", "[".repeat(100_000))).starts_with("1: this is not JSON: "));
        assert!(bad("username;email\nana;a@example.com\n").contains("separated by commas"));
        assert!(bad("username,username\n").contains("twice"));
        assert!(bad("email\na@example.com\n").contains("no username"));
        assert_eq!(bad("username,age\nana,7\n"), format!("1: {}", unknown_field("age")));
        let fault = read(b"username\nana\nb\xffn\n".to_vec()).err().unwrap();
        assert_eq!(fault, RowError::new(3, "this is not UTF-8 text; save the file as UTF-8"));
    }
}
