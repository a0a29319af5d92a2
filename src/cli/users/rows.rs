//! Reads the file of `users load`: a JSON list of objects, or CSV with a header, into users with their line numbers.
//! Every bad row is reported, not only the first. No database here: whether a name is taken is decided later.

use std::collections::HashMap;

use secrecy::SecretString;
use serde_json::Value;

use crate::accounts::manage::{NewPassword, NewUser, Origin};
use crate::db::types::EncodedPassword;

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

/// A user of the file.
#[derive(Debug)]
pub struct Row {
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// The user to be made.
    pub user: NewUser,
}

/// What is wrong with a row, or with the file at this line.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, from 1.
    pub line: usize,
    /// What.
    pub text: String,
}

impl Fault {
    fn new(line: usize, text: impl Into<String>) -> Self {
        Self { line, text: text.into() }
    }
}

/// A value of a row, from either format.
enum Cell {
    Empty,
    Text(String),
    Flag(bool),
    Other(&'static str),
}

/// A row before it is a user: its line and its named values.
struct Record {
    line: usize,
    cells: Vec<(String, Cell)>,
}

/// The users of a file, or everything that is wrong with it.
pub fn read(bytes: Vec<u8>) -> Result<Vec<Row>, Vec<Fault>> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        vec![Fault::new(line, "this is not UTF-8 text; save the file as UTF-8")]
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut faults = Vec::new();
    let records = match text.trim_start().chars().next() {
        None => return Err(vec![Fault::new(1, "the file is empty")]),
        Some('[' | '{') => read_json(text),
        Some(_) => read_csv(text, &mut faults),
    };
    let records = records.map_err(|fault| vec![fault])?;
    let mut rows = Vec::with_capacity(records.len());
    for Record { line, cells } in records {
        match user(cells) {
            Ok(user) => rows.push(Row { line, user }),
            Err(texts) => faults.extend(texts.into_iter().map(|text| Fault::new(line, text))),
        }
    }
    faults.extend(twice(&rows));
    faults.sort_by_key(|fault| fault.line);
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

/// Names and addresses that an earlier row of the file has already.
fn twice(rows: &[Row]) -> Vec<Fault> {
    let (mut names, mut addresses) = (HashMap::new(), HashMap::new());
    let mut faults = Vec::new();
    for Row { line, user } in rows {
        if let Some(first) = names.insert(&user.username, line) {
            faults.push(Fault::new(*line, format!("username: line {first} has this name already")));
        }
        if !user.email.is_empty()
            && let Some(first) = addresses.insert(user.email.to_lowercase(), line)
        {
            faults.push(Fault::new(*line, format!("email: line {first} has this address already")));
        }
    }
    faults
}

/// The objects of a JSON list, each with the line that it begins on.
fn read_json(text: &str) -> Result<Vec<Record>, Fault> {
    let line_of = |at: usize| 1 + text[..at].matches('\n').count();
    let skip = |at: usize| text.len() - text[at..].trim_start().len();
    let mut at = skip(0);
    if !text[at..].starts_with('[') {
        return Err(Fault::new(line_of(at), "a JSON list of objects is expected, beginning with ["));
    }
    let mut records = Vec::new();
    at = skip(at + 1);
    let mut line = line_of(at);
    while !text[at..].starts_with(']') {
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        let cells = match values.next() {
            Some(Ok(Value::Object(object))) => object.into_iter().map(|(name, value)| (name, cell(value))).collect(),
            Some(Ok(value)) => return Err(Fault::new(line, format!("an object is expected, not {}", kind(&value)))),
            Some(Err(error)) => return Err(Fault::new(line + error.line().saturating_sub(1), json_fault(&error))),
            None => return Err(Fault::new(line, "the list is not closed: a ] is missing")),
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
            Some(_) => return Err(Fault::new(line, "a comma or ] is expected after an object")),
            None => return Err(Fault::new(line, "the list is not closed: a ] is missing")),
        }
    }
    match text[at + 1..].trim() {
        "" => Ok(records),
        _ => Err(Fault::new(line_of(skip(at + 1)), "nothing may follow the list")),
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
        // SQLite's own export writes flags so.
        Value::Number(number) if number.as_u64().is_some_and(|n| n < 2) => Cell::Flag(number.as_u64() == Some(1)),
        other => Cell::Other(kind(&other)),
    }
}

/// The records of a CSV file with a header. A row of another length is a fault of its own.
fn read_csv(text: &str, faults: &mut Vec<Fault>) -> Result<Vec<Record>, Fault> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| Fault::new(1, format!("this is not CSV: {error}"));
    let heads: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(|head| head.trim().to_owned()).collect();
    check_heads(&heads)?;
    let mut records = Vec::new();
    let (mut line, mut counted) = (1, 0);
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        // csv counts from where it began to look, before blank lines.
        let start = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
        let start = start + text[start..].len() - text[start..].trim_start_matches(['\r', '\n']).len();
        line += text[counted..start].matches('\n').count();
        counted = start;
        if record.len() != heads.len() {
            faults.push(Fault::new(line, format!("{} values, but the header names {}", record.len(), heads.len())));
            continue;
        }
        let values =
            record.iter().map(|value| if value.is_empty() { Cell::Empty } else { Cell::Text(value.to_owned()) });
        records.push(Record { line, cells: heads.iter().cloned().zip(values).collect() });
    }
    Ok(records)
}

fn check_heads(heads: &[String]) -> Result<(), Fault> {
    if heads.iter().any(|head| head.contains(';') || head.contains('\t')) {
        return Err(Fault::new(1, "the header's names must be separated by commas"));
    }
    if let Some(twice) = heads.iter().enumerate().find_map(|(at, head)| heads[..at].contains(head).then_some(head)) {
        return Err(Fault::new(1, format!("the header names {twice:?} twice")));
    }
    if let Some(unknown) = heads.iter().find(|head| !FIELDS.contains(&head.as_str())) {
        return Err(Fault::new(1, unknown_field(unknown)));
    }
    if !heads.iter().any(|head| head == "username") {
        return Err(Fault::new(1, "the header names no username"));
    }
    Ok(())
}

fn unknown_field(name: &str) -> String {
    format!("unknown field {name:?}; known are {}", FIELDS.join(", "))
}

/// The user of a row, or what is wrong with each of its fields.
fn user(cells: Vec<(String, Cell)>) -> Result<NewUser, Vec<String>> {
    let mut user = NewUser { is_active: true, origin: Origin::Imported, ..NewUser::default() };
    let mut faults = Vec::new();
    for (name, cell) in cells {
        if let Err(fault) = put(&mut user, &name, cell) {
            faults.push(fault);
        }
    }
    if user.username.is_empty() && !faults.iter().any(|fault| fault.starts_with("username: ")) {
        faults.insert(0, "username: This field is required.".to_owned());
    }
    if faults.is_empty() { Ok(user) } else { Err(faults) }
}

fn put(user: &mut NewUser, name: &str, cell: Cell) -> Result<(), String> {
    if !FIELDS.contains(&name) {
        return Err(unknown_field(name));
    }
    let because = |fault: &str| format!("{name}: {fault}");
    match name {
        _ if matches!(cell, Cell::Empty) => {}
        "is_active" => user.is_active = flag(cell).map_err(|fault| because(&fault))?,
        "is_staff" => user.is_staff = flag(cell).map_err(|fault| because(&fault))?,
        "is_superuser" => user.is_superuser = flag(cell).map_err(|fault| because(&fault))?,
        _ => {
            let value = text(cell).map_err(|fault| because(&fault))?;
            match name {
                "username" => user.username = value,
                "email" => user.email = value,
                "first_name" => user.first_name = value,
                "last_name" => user.last_name = value,
                _ if !matches!(user.password, NewPassword::Unusable) => {
                    return Err("give either password or password_hash, not both".to_owned());
                }
                "password" => user.password = plain(value).map_err(because)?,
                _ => user.password = encoded(value).map_err(because)?,
            }
        }
    }
    Ok(())
}

fn text(cell: Cell) -> Result<String, String> {
    match cell {
        Cell::Text(text) => Ok(text),
        Cell::Empty => Ok(String::new()),
        Cell::Flag(_) => Err("a text is expected, not a flag".to_owned()),
        Cell::Other(kind) => Err(format!("a text is expected, not {kind}")),
    }
}

fn flag(cell: Cell) -> Result<bool, String> {
    match cell {
        Cell::Flag(flag) => Ok(flag),
        Cell::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "yes" | "on" => Ok(true),
            "false" | "f" | "0" | "no" | "off" => Ok(false),
            _ => Err("true or false is expected".to_owned()),
        },
        Cell::Empty | Cell::Other(_) => Err("true or false is expected".to_owned()),
    }
}

fn plain(password: String) -> Result<NewPassword, &'static str> {
    // A column dumped from Django is called `password` and holds hashes: hashed again it would let nobody in.
    if is_encoded(&password) {
        return Err("this is an encoded hash; call the field password_hash");
    }
    // Nobody is here to choose another one, so it is taken as Django would take it.
    match password.as_str() {
        "" => Err("Blank passwords aren't allowed."),
        text if text.contains('\0') => Err("Null characters are not allowed."),
        _ => Ok(NewPassword::Plain(SecretString::from(password))),
    }
}

fn encoded(hash: String) -> Result<NewPassword, &'static str> {
    if hash.starts_with('!') {
        Ok(NewPassword::Unusable)
    } else if is_encoded(&hash) {
        Ok(NewPassword::Encoded(EncodedPassword(hash)))
    } else {
        Err("not a hash as Django encodes it (pbkdf2_sha256$…, bcrypt_sha256$…, argon2$…, scrypt$… and so on)")
    }
}

fn is_encoded(text: &str) -> bool {
    let schemes = ["pbkdf2_sha256", "pbkdf2_sha1", "bcrypt_sha256", "bcrypt", "argon2", "scrypt"];
    text.split_once('$').is_some_and(|(scheme, rest)| schemes.contains(&scheme) && !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn good(text: &str) -> Vec<Row> {
        read(text.as_bytes().to_vec()).unwrap()
    }

    /// `line: text` of every fault.
    fn bad(text: &str) -> Vec<String> {
        let faults = read(text.as_bytes().to_vec()).unwrap_err();
        faults.into_iter().map(|fault| format!("{}: {}", fault.line, fault.text)).collect()
    }

    #[test]
    fn csv_rows_become_users_with_their_lines() {
        let rows = good(
            "\u{feff}username, email,password,is_staff,is_active\r\nana,ana@example.com,s3cret pass,yes,\r\n\r\n\
             \"ben\",\"ben@example.com\",\"two\nlines\",0,false\r\ncy,,,,\r\n",
        );
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4, 6]);
        let ana = &rows[0].user;
        assert_eq!((ana.username.as_str(), ana.email.as_str()), ("ana", "ana@example.com"));
        assert!(ana.is_staff && ana.is_active && !ana.is_superuser);
        assert!(matches!(&ana.password, NewPassword::Plain(p) if p.expose_secret() == "s3cret pass"));
        assert!(!rows[1].user.is_active && !rows[1].user.is_staff);
        assert!(matches!(rows[2].user.password, NewPassword::Unusable));
    }

    #[test]
    fn json_objects_become_users_with_their_lines() {
        let rows = good(
            r#"
            [
              {"username": "ana", "first_name": "Ana [,] \"A\"", "is_superuser": true, "last_name": null},
              {
                "username": "ben", "is_staff": 1, "is_active": 0,
                "password_hash": "pbkdf2_sha256$1000$salt$aGFzaA=="
              }, {"username": "cy", "password_hash": "!unusable"}
            ]"#,
        );
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 4, 7]);
        assert_eq!(rows[0].user.first_name, "Ana [,] \"A\"");
        assert!(rows[0].user.is_superuser && rows[0].user.is_active);
        assert!(rows[1].user.is_staff && !rows[1].user.is_active);
        assert!(matches!(&rows[1].user.password, NewPassword::Encoded(hash) if hash.0.starts_with("pbkdf2_sha256$")));
        assert!(matches!(rows[2].user.password, NewPassword::Unusable));
        assert!(good("[]").is_empty());
    }

    #[test]
    fn every_bad_row_is_reported_with_its_line() {
        assert_eq!(
            bad("username,is_staff\nana,perhaps\nben\n,true\ncy,true\n"),
            [
                "2: is_staff: true or false is expected",
                "3: 1 values, but the header names 2",
                "4: username: This field is required.",
            ]
        );
        assert_eq!(
            bad("[{\"username\": 7},\n{\"username\": \"ana\", \"age\": 7, \"email\": [\"a\"]},\n{}]"),
            [
                "1: username: a text is expected, not a number".to_owned(),
                format!("2: {}", unknown_field("age")),
                "2: email: a text is expected, not a list".to_owned(),
                "3: username: This field is required.".to_owned(),
            ]
        );
    }

    #[test]
    fn a_name_or_address_that_stands_twice_in_the_file_is_reported() {
        assert_eq!(
            bad("username,email\nana,a@example.com\nben,A@EXAMPLE.com\nana,\ncy,\n"),
            ["3: email: line 2 has this address already", "4: username: line 2 has this name already"]
        );
    }

    #[test]
    fn a_file_that_is_no_list_of_users_is_refused_at_its_line() {
        assert_eq!(bad(" \n"), ["1: the file is empty"]);
        assert_eq!(bad("{\"username\": \"ana\"}"), ["1: a JSON list of objects is expected, beginning with ["]);
        assert_eq!(bad("[{\"username\": \"ana\"}\n{}]"), ["2: a comma or ] is expected after an object"]);
        assert_eq!(bad("[{\"username\": \"ana\"},\n"), ["2: the list is not closed: a ] is missing"]);
        assert_eq!(bad("[\"ana\"]"), ["1: an object is expected, not a text"]);
        assert_eq!(bad("[]\n[]"), ["2: nothing may follow the list"]);
        assert!(bad("[\n{\n\"username\": ana}]")[0].starts_with("3: this is not JSON: "));
        assert!(bad(&format!("[{}", "[".repeat(100_000)))[0].starts_with("1: this is not JSON: "));
        assert!(bad("username;email\nana;a@example.com\n")[0].contains("separated by commas"));
        assert!(bad("username,username\n")[0].contains("twice"));
        assert!(bad("email\na@example.com\n")[0].contains("no username"));
        assert_eq!(bad("username,age\nana,7\n"), [format!("1: {}", unknown_field("age"))]);
        let faults = read(b"username\nana\nb\xffn\n".to_vec()).unwrap_err();
        assert_eq!(faults, [Fault::new(3, "this is not UTF-8 text; save the file as UTF-8")]);
    }

    #[test]
    fn a_hash_is_never_taken_for_a_password_nor_a_password_for_a_hash() {
        assert_eq!(
            bad("username,password\nana,pbkdf2_sha256$1000$salt$aGFzaA==\n"),
            ["2: password: this is an encoded hash; call the field password_hash"]
        );
        assert!(bad("username,password_hash\nana,secret\n")[0].contains("not a hash as Django encodes it"));
        assert!(bad("username,password,password_hash\nana,secret,bcrypt$$2b$04$x\n")[0].contains("not both"));
    }
}
