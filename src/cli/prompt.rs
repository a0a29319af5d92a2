//! Questions to a person at a terminal, and passwords from a pipe. Questions go to stderr, so that stdout has only the command's
//! output. The end of the input and Ctrl-C are both `Failure::Cancelled`.

use std::io::{self, IsTerminal, Read, Write};

use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;

/// Maximum length of a password; no more is read from a pipe.
const MAX_PASSWORD_BYTES: usize = 4096;

/// Whether there is somebody to ask.
pub fn is_possible() -> bool {
    io::stdin().is_terminal()
}

/// Asks, and returns the typed line without its line break.
pub async fn line(question: &str) -> Result<String, Failure> {
    let _ = write!(io::stderr().lock(), "{question}").and_then(|()| io::stderr().flush());
    // On another thread, so that Ctrl-C works while the terminal is read.
    let (read, text) = tokio::task::spawn_blocking(|| {
        let mut text = String::new();
        (io::stdin().read_line(&mut text), text)
    })
    .await
    .map_err(|_| Failure::Cancelled)?;
    match read {
        Ok(0) => Err(Failure::Cancelled),
        Ok(_) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(Failure::say("The input is not UTF-8 text.")),
        Err(error) => Err(Failure::say(format!("The terminal can't be read: {error}."))),
    }
}

/// Asks a yes-or-no question; only `y` and `yes` mean yes.
pub async fn agrees(question: &str) -> Result<bool, Failure> {
    let answer = line(&format!("{question} [y/N]: ")).await?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Asks for a password; nothing shows while it is typed.
///
/// Blocks this thread on purpose: rpassword turns Ctrl-C into a signal before it restores the terminal, and whoever waits for
/// that signal must not end the program in between.
pub fn hidden(question: &str) -> Result<SecretString, Failure> {
    // Without a handler that signal would end the program and leave the terminal without echo.
    let _handler = signal(SignalKind::interrupt()).map_err(|error| Failure::say(error.to_string()))?;
    match rpassword::prompt_password(question) {
        Ok(password) => Ok(SecretString::from(password)),
        Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof) => {
            Err(Failure::Cancelled)
        }
        Err(error) => Err(Failure::say(format!("The terminal can't be read: {error}."))),
    }
}

/// The one line on stdin, as `--password-stdin` takes it.
pub fn password_from_stdin() -> Result<SecretString, Failure> {
    let mut bytes = Vec::new();
    let limit = MAX_PASSWORD_BYTES as u64 + 1;
    io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|error| Failure::say(error.to_string()))?;
    one_line(bytes).map_err(Failure::say)
}

fn one_line(bytes: Vec<u8>) -> Result<SecretString, &'static str> {
    if bytes.len() > MAX_PASSWORD_BYTES {
        return Err("The password on stdin is longer than 4096 bytes.");
    }
    let text = String::from_utf8(bytes).map_err(|_| "The password on stdin is not UTF-8 text.")?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |rest| rest.strip_suffix('\r').unwrap_or(rest));
    if text.contains('\n') {
        return Err("There is more than one line on stdin: --password-stdin takes one password.");
    }
    unfit(text).map_or_else(|| Ok(SecretString::from(text)), Err)
}

/// Why nobody could log in with this password, if that is so.
pub fn unfit(password: &str) -> Option<&'static str> {
    if password.trim().is_empty() {
        Some("Blank passwords aren't allowed.")
    } else if password.trim() != password {
        Some("A password can't begin or end with a space: the API removes it at login.")
    } else if password.contains('\0') {
        Some("Null characters are not allowed.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(bytes: &[u8]) -> Result<String, &'static str> {
        one_line(bytes.to_vec()).map(|password| password.expose_secret().to_owned())
    }

    #[test]
    fn a_piped_password_loses_only_its_line_break() {
        assert_eq!(read(b"correct horse\n").unwrap(), "correct horse");
        assert_eq!(read(b"correct horse\r\n").unwrap(), "correct horse");
        assert_eq!(read("pässwörd".as_bytes()).unwrap(), "pässwörd");
    }

    #[test]
    fn a_piped_password_that_nobody_could_log_in_with_is_refused() {
        assert!(read(b"").unwrap_err().contains("Blank"));
        assert!(read(b"   \n").unwrap_err().contains("Blank"));
        assert!(read(b"secret \n").unwrap_err().contains("space"));
        assert!(read(b"one\ntwo\n").unwrap_err().contains("more than one line"));
        assert!(read(b"\xff\n").unwrap_err().contains("UTF-8"));
        assert!(read(&[b'a'; 5000]).unwrap_err().contains("4096"));
    }
}
