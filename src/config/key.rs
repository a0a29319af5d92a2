//! Keys as they are given: inline or in a file, and the secret key that is created once and kept beside a SQLite database.
//! Whether a key fits its algorithm is checked in `crypto/keys.rs`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::parse::{ValueError, cause};

/// Minimum length of `SECRET_KEY`, in bytes.
pub const MIN_SECRET_BYTES: usize = 32;

/// Maximum size of a key file, in bytes: a log file named by mistake is not read into memory.
const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

/// Where the secret key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretKeySource {
    /// From `SECRET_KEY`.
    Setting,
    /// From this file, which an earlier start created.
    File(PathBuf),
    /// From this file, which was just created: the start reports it.
    NewFile(PathBuf),
}

/// `SECRET_KEY` as it was set.
pub(super) fn secret_key(value: &str) -> Result<SecretString, ValueError> {
    if value.len() < MIN_SECRET_BYTES {
        return Err(format!("has {} bytes and needs at least {MIN_SECRET_BYTES}", value.len()));
    }
    Ok(value.into())
}

/// A key itself, or a path to it where the value starts with `/`, `./`, `../` or `file:`.
pub(super) fn inline_or_file(value: &str) -> Result<SecretString, ValueError> {
    let path = match value.strip_prefix("file:") {
        Some(path) => Some(path.strip_prefix("//").unwrap_or(path)),
        None => (value.starts_with('/') || value.starts_with("./") || value.starts_with("../")).then_some(value),
    };
    match path {
        Some(path) => read_file(Path::new(path.trim_end())).map(SecretString::from),
        // A PEM in a variable is one line, with `\n` for line breaks.
        None if value.contains("-----BEGIN") => Ok(value.replace("\\r", "").replace("\\n", "\n").into()),
        None => Ok(value.into()),
    }
}

/// The text of a key file. Errors do not repeat the path: it may be a secret that begins with a slash.
fn read_file(path: &Path) -> Result<String, ValueError> {
    let taken = "is taken for a path (it starts with `/`, `./`, `../` or `file:`), but";
    // Checked before it is opened: opening a pipe would wait for a writer.
    let metadata = fs::metadata(path).map_err(|error| format!("{taken} the file cannot be read: {}", cause(&error)))?;
    if !metadata.is_file() || metadata.len() > MAX_KEY_FILE_BYTES {
        return Err(format!("{taken} it does not name a file with a key"));
    }
    let mut text =
        fs::read_to_string(path).map_err(|error| format!("{taken} the file cannot be read: {}", cause(&error)))?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() { Err(format!("{taken} the file is empty")) } else { Ok(text) }
}

/// `latchkey.sqlite3` keeps its key in `latchkey.sqlite3.secret_key`, so two databases in one folder never share one.
pub(super) fn file_beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".secret_key");
    path.into()
}

/// Reads the key file, or creates it if there is none. Two processes that start at once agree on one key.
pub(super) fn read_or_make(
    path: &Path,
    random_key: fn() -> String,
) -> Result<(SecretString, SecretKeySource), ValueError> {
    let unusable = |error: io::Error| {
        format!(
            "is not set, and {} cannot be made ({}): its folder must be there and be writable; or set the variable",
            path.display(),
            cause(&error)
        )
    };
    match make(path, random_key) {
        Ok(key) => Ok((key, SecretKeySource::NewFile(path.to_owned()))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok((read_kept(path)?, SecretKeySource::File(path.to_owned())))
        }
        Err(error) => Err(unusable(error)),
    }
}

/// Writes the key under another name and then links it, so that the file is never incomplete.
fn make(path: &Path, random_key: fn() -> String) -> io::Result<SecretString> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let key = random_key();
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{:.16}", random_key()));
    let draft = PathBuf::from(draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = writeln!(file, "{key}").and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    written?;
    Ok(key.into())
}

/// A kept key is used only if nobody but its owner can read it.
fn read_kept(path: &Path) -> Result<SecretString, ValueError> {
    let shown = path.display();
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("is not set, and {shown} belongs to another user: chown the file to this one")
        }
        _ => format!("is not set, and {shown} cannot be read ({})", cause(&error)),
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
    File::open(path).and_then(|file| file.take(MAX_KEY_FILE_BYTES).read_to_string(&mut text)).map_err(unreadable)?;
    match text.trim() {
        key if key.len() < MIN_SECRET_BYTES => Err(format!(
            "is not set, and the key in {shown} is shorter than {MIN_SECRET_BYTES} bytes: restore it from a copy, or remove the file to have a new key made (which ends all sessions)"
        )),
        key => Ok(key.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicU8, Ordering};

    use secrecy::ExposeSecret;

    use super::*;

    fn counted() -> String {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        format!("{:02x}", NEXT.fetch_add(1, Ordering::SeqCst)).repeat(32)
    }

    fn put(folder: &tempfile::TempDir, text: &str, mode: u32) -> PathBuf {
        let path = folder.path().join("key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_secret_key_is_made_once_and_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = file_beside(&folder.path().join("a.sqlite3"));
        assert!(path.ends_with("a.sqlite3.secret_key"));
        let (first, source) = read_or_make(&path, counted).unwrap();
        assert_eq!(source, SecretKeySource::NewFile(path.clone()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(first.expose_secret().len(), 64);
        let (second, source) = read_or_make(&path, counted).unwrap();
        assert_eq!(source, SecretKeySource::File(path));
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn starts_at_the_same_time_agree_on_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| read_or_make(&path, counted).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|(key, _)| key.expose_secret() == keys[0].0.expose_secret()));
        assert_eq!(keys.iter().filter(|(_, source)| matches!(source, SecretKeySource::NewFile(_))).count(), 1);
    }

    #[test]
    fn a_key_file_that_cannot_be_trusted_is_refused_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let key = "k".repeat(64);
        let fault = |path: &Path| read_or_make(path, counted).unwrap_err();
        assert!(fault(&put(&folder, &key, 0o644)).contains("chmod 600"));
        assert!(fault(&put(&folder, "short\n", 0o600)).contains("shorter than 32 bytes"));
        assert!(fault(folder.path()).contains("is no file"));
        assert!(fault(&folder.path().join("nowhere/key")).contains("cannot be made"));
        assert!(read_or_make(&put(&folder, &key, 0o400), counted).is_ok());
    }

    #[test]
    fn a_value_that_looks_like_a_path_is_read_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = put(&folder, "the key\r\n", 0o600);
        for value in
            [path.display().to_string(), format!("file:{}", path.display()), format!("file://{}", path.display())]
        {
            assert_eq!(inline_or_file(&value).unwrap().expose_secret(), "the key");
        }
        for value in ["/nowhere/hush", "./hush", "file:hush", "/dev/null", "/"] {
            let fault = inline_or_file(value).unwrap_err();
            assert!(fault.contains("path") && !fault.contains("hush"), "{fault}");
        }
        assert!(inline_or_file(&put(&folder, "\n", 0o600).display().to_string()).unwrap_err().contains("empty"));
    }

    #[test]
    fn only_a_pem_has_its_line_ends_written_out() {
        let inline = |value| inline_or_file(value).unwrap().expose_secret().to_owned();
        assert_eq!(inline("-----BEGIN X-----\\nabc\\n-----END X-----"), "-----BEGIN X-----\nabc\n-----END X-----");
        assert_eq!(inline("a\\nb$#"), "a\\nb$#");
    }
}
