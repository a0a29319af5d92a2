//! Keys as they come in: inline or from a file, and the secret key that is made once and kept beside a SQLite database.
//! Whether a key fits its algorithm is not looked at here but in `crypto/keys.rs`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::parse::Fault;

/// What `SECRET_KEY` needs at least, in bytes.
pub const SHORTEST: usize = 32;

/// More than any key; a log file named by mistake is not read into memory.
const LONGEST_FILE: u64 = 64 * 1024;

/// Where the secret key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretKeySource {
    /// From `SECRET_KEY`.
    Setting,
    /// From this file, which an earlier start made.
    File(PathBuf),
    /// From this file, which was made just now: the start says so.
    NewFile(PathBuf),
}

/// `SECRET_KEY` as it was set.
pub(super) fn secret_key(value: &str) -> Result<SecretString, Fault> {
    if value.len() < SHORTEST {
        return Err(format!("has {} bytes and needs at least {SHORTEST}", value.len()));
    }
    Ok(value.into())
}

/// A key itself, or a path to it where the value starts with `/`, `./` or `file:`.
pub(super) fn inline_or_file(value: &str) -> Result<SecretString, Fault> {
    let path = match value.strip_prefix("file:") {
        Some(path) => Some(path.strip_prefix("//").unwrap_or(path)),
        None => (value.starts_with('/') || value.starts_with("./")).then_some(value),
    };
    match path {
        Some(path) => read_file(Path::new(path.trim_end())).map(SecretString::from),
        // Without a file a PEM has to fit into one line, with `\n` for the ends of its lines.
        None if value.contains("-----BEGIN") => Ok(value.replace("\\r", "").replace("\\n", "\n").into()),
        None => Ok(value.into()),
    }
}

/// The text of a key file. Faults do not repeat the path: it may be a secret that begins with a slash.
fn read_file(path: &Path) -> Result<String, Fault> {
    let taken = "is taken for a path (it starts with `/`, `./` or `file:`), but";
    // Looked at before it is opened: opening a pipe waits for somebody to write.
    let metadata = fs::metadata(path).map_err(|error| format!("{taken} the file cannot be read: {}", error.kind()))?;
    if !metadata.is_file() || metadata.len() > LONGEST_FILE {
        return Err(format!("{taken} it does not name a file with a key"));
    }
    let mut text =
        fs::read_to_string(path).map_err(|error| format!("{taken} the file cannot be read: {}", error.kind()))?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() { Err(format!("{taken} the file is empty")) } else { Ok(text) }
}

/// `latchkey.sqlite3` keeps its key in `latchkey.sqlite3.secret_key`, so two databases in one folder never share one.
pub(super) fn file_beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".secret_key");
    path.into()
}

/// Reads the key file, or makes it where there is none. Two processes that start at once agree on one key.
pub(super) fn read_or_make(path: &Path, random: fn() -> [u8; 32]) -> Result<(SecretString, SecretKeySource), Fault> {
    let unusable = |error: io::Error| {
        format!(
            "is not set, and {} cannot be made ({}): make its folder writable, or set the variable",
            path.display(),
            error.kind()
        )
    };
    match make(path, random) {
        Ok(key) => Ok((key, SecretKeySource::NewFile(path.to_owned()))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok((read_kept(path)?, SecretKeySource::File(path.to_owned())))
        }
        Err(error) => Err(unusable(error)),
    }
}

/// Writes the key under another name and links it: whoever finds the file finds all of it.
fn make(path: &Path, random: fn() -> [u8; 32]) -> io::Result<SecretString> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let key = hex(&random());
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", hex(&random()[..8])));
    let draft = PathBuf::from(draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = writeln!(file, "{key}").and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    written?;
    Ok(key.into())
}

/// A kept key counts only if nobody but its owner can read it.
fn read_kept(path: &Path) -> Result<SecretString, Fault> {
    let shown = path.display();
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("is not set, and {shown} belongs to another user: chown the file to this one")
        }
        kind => format!("is not set, and {shown} cannot be read ({kind})"),
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(format!("is not set, and {shown} is no file"));
    }
    if metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o777;
        return Err(format!("is not set, and {shown} is open to others (mode {mode:04o}): run chmod 600 on it"));
    }
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(LONGEST_FILE).read_to_string(&mut text)).map_err(unreadable)?;
    match text.trim() {
        key if key.len() < SHORTEST => Err(format!(
            "is not set, and the key in {shown} is shorter than {SHORTEST} bytes: restore it from a copy, or remove the file to have a new key made (which ends all sessions)"
        )),
        key => Ok(key.into()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
