//! A mail server: aiosmtpd (`tests/it/data/smtp_server.py`) in a separate process, which reports the mail that it
//! receives and answers as a test says. `Server::with(backend, &[("EMAIL_URL", &smtp.url())])` sends to it,
//! `Server::deliver_mail` works the queue off.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde::Deserialize;
use serde_json::{Value, json};

use super::http::PATIENCE;

/// The server. It is stopped when this is dropped.
pub struct Smtp {
    pub port: u16,
    child: Child,
    inner: Mutex<Inner>,
}

struct Inner {
    stdin: ChildStdin,
    lines: Receiver<String>,
    mails: Vec<Received>,
}

/// A mail as it arrived.
#[derive(Debug, Clone, Deserialize)]
pub struct Received {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The client's name in HELO or EHLO.
    pub hello: String,
    pub is_encrypted: bool,
    /// The user that logged in.
    pub user: Option<String>,
    /// Decoded, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The media type.
    pub kind: String,
    /// The plain text part, decoded.
    pub text: String,
    /// The HTML part, decoded.
    pub html: String,
    /// The whole mail as received.
    pub raw: String,
}

impl Received {
    pub fn subject(&self) -> &str {
        &self.headers["subject"]
    }

    /// The first address in the text with this beginning: the link of the mail.
    #[track_caller]
    pub fn link(&self, beginning: &str) -> String {
        let word = self.text.split_whitespace().find(|word| word.starts_with(beginning));
        word.unwrap_or_else(|| panic!("no link to {beginning} in {}", self.text)).to_owned()
    }

    /// The token of the link, after `token=`.
    #[track_caller]
    pub fn token(&self) -> String {
        let (_, token) = self.text.split_once("token=").unwrap_or_else(|| panic!("no token in {}", self.text));
        token.split_whitespace().next().unwrap().to_owned()
    }
}

impl Smtp {
    /// A server that accepts all mail.
    pub fn start() -> Self {
        Self::with(&json!({}))
    }

    /// A server that requires STARTTLS (as `localhost`, with a certificate of `KeySource::ca_file()`) and then a login.
    pub fn with_starttls(user: &str, password: &str) -> Self {
        Self::with(&json!({"tls": "starttls", "user": user, "password": password}))
    }

    /// A server with these options of the script.
    pub fn with(options: &Value) -> Self {
        let data = format!("{}/tests/it/data", env!("CARGO_MANIFEST_DIR"));
        let mut options = options.clone();
        options["certificate"] = json!(format!("{data}/tls/server.pem"));
        options["key"] = json!(format!("{data}/tls/server.key"));
        let mut command = Command::new(python());
        command.arg(format!("{data}/smtp_server.py")).arg(options.to_string());
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // It reports every client that disconnects.
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let (tell, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let first: Value = serde_json::from_str(&lines.recv_timeout(PATIENCE).expect("it starts")).unwrap();
        let port = u16::try_from(first["port"].as_u64().unwrap()).unwrap();
        let inner = Mutex::new(Inner { stdin: child.stdin.take().unwrap(), lines, mails: Vec::new() });
        Self { port, child, inner }
    }

    /// The value for `EMAIL_URL`, without TLS.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=none", self.port)
    }

    /// From now on, answers like this: `{"RCPT": "550 5.1.1 No such user"}`; `{}` accepts everything again. `{"DATA":
    /// "nothing"}` takes the mail and leaves the client waiting.
    pub fn answer(&self, answers: &Value) {
        self.inner.lock().unwrap().ask(answers);
    }

    /// All mail received so far.
    pub fn received(&self) -> Vec<Received> {
        let mut inner = self.inner.lock().unwrap();
        inner.ask(&Value::Null);
        inner.mails.clone()
    }

    /// The only mail received.
    #[track_caller]
    pub fn only(&self) -> Received {
        let mut mails = self.received();
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    /// The last mail to this address.
    #[track_caller]
    pub fn last_to(&self, address: &str) -> Received {
        let mails = self.received();
        let found = mails.iter().rfind(|mail| mail.to.iter().any(|to| to == address));
        found.unwrap_or_else(|| panic!("nothing was sent to {address}: {mails:?}")).clone()
    }

    /// The token of the last mail that has one.
    #[track_caller]
    pub fn last_token(&self) -> String {
        let mails = self.received();
        let found = mails.iter().rfind(|mail| mail.text.contains("token="));
        found.unwrap_or_else(|| panic!("no link in {mails:?}")).token()
    }

    /// Waits for one more mail, if the server sends in the background.
    pub fn wait(&self) -> Received {
        let mut inner = self.inner.lock().unwrap();
        let line = inner.lines.recv_timeout(PATIENCE).expect("a mail");
        inner.keep(&line);
        inner.mails.last().unwrap().clone()
    }
}

impl Inner {
    /// Sends a line and reads everything up to its echo. `null` changes nothing.
    fn ask(&mut self, answers: &Value) {
        writeln!(self.stdin, "{answers}").unwrap();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("an echo");
            if line.starts_with("{\"answers\"") {
                return;
            }
            self.keep(&line);
        }
    }

    fn keep(&mut self, line: &str) {
        self.mails.push(serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Debian's Python has Debian's aiosmtpd; another Python may come before it in the PATH.
fn python() -> &'static str {
    let mut command = Command::new("python3");
    let has = command.args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status().is_ok_and(|end| end.success());
    if has { "python3" } else { "/usr/bin/python3" }
}
