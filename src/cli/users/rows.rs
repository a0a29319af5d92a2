//! Turns the records of a file into users, for `users load`. Every bad row is reported, not only the first.
//! There is no database here: whether a name is taken is checked later.

use std::collections::HashMap;

use secrecy::SecretString;

use super::records::{self, Cell, FIELDS, Record, RowError, unknown_field};
use crate::accounts::manage::{NewPassword, NewUser, Origin};
use crate::db::types::EncodedPassword;

/// A user of the file.
#[derive(Debug)]
pub struct Row {
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// The user to create.
    pub user: NewUser,
}

/// The users of a file, and everything that is wrong with its other rows.
pub fn read(bytes: Vec<u8>) -> (Vec<Row>, Vec<RowError>) {
    let (records, mut faults) = match records::read(bytes) {
        Ok(read) => read,
        Err(fault) => return (Vec::new(), vec![fault]),
    };
    let mut rows = Vec::with_capacity(records.len());
    for Record { line, cells } in records {
        match user(cells) {
            Ok(user) => rows.push(Row { line, user }),
            Err(texts) => faults.extend(texts.into_iter().map(|text| RowError::new(line, text))),
        }
    }
    faults.extend(twice(&rows));
    (rows, faults)
}

/// Names and addresses that an earlier row of the file has, too.
fn twice(rows: &[Row]) -> Vec<RowError> {
    let (mut names, mut addresses) = (HashMap::new(), HashMap::new());
    let mut faults = Vec::new();
    for Row { line, user } in rows {
        if let Some(first) = names.insert(&user.username, line) {
            faults.push(RowError::new(*line, format!("username: line {first} has this name already")));
        }
        if !user.email.is_empty()
            && let Some(first) = addresses.insert(user.email.to_lowercase(), line)
        {
            faults.push(RowError::new(*line, format!("email: line {first} has this address already")));
        }
    }
    faults
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
    // A column dumped from Django is called `password` and contains hashes: hashed again, they would let nobody in.
    if is_encoded(&password) {
        return Err("this is an encoded hash; call the field password_hash");
    }
    // Nobody can choose another one now, so it is accepted as Django would accept it.
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
        read(text.as_bytes().to_vec()).0
    }

    /// `line: text` of every fault.
    fn bad(text: &str) -> Vec<String> {
        let mut faults = read(text.as_bytes().to_vec()).1;
        faults.sort_by_key(|fault| fault.line);
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
    fn a_hash_is_never_taken_for_a_password_nor_a_password_for_a_hash() {
        assert_eq!(
            bad("username,password\nana,pbkdf2_sha256$1000$salt$aGFzaA==\n"),
            ["2: password: this is an encoded hash; call the field password_hash"]
        );
        assert!(bad("username,password_hash\nana,secret\n")[0].contains("not a hash as Django encodes it"));
        assert!(bad("username,password,password_hash\nana,secret,bcrypt$$2b$04$x\n")[0].contains("not both"));
    }
}
