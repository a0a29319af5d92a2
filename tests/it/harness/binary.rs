//! The real `latchkey`, as an operator runs it: in its own folder and environment, without a terminal.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::database::TestDatabase;
use super::http::{Client, PATIENCE};
use super::server::SECRET;

/// The command line on one database.
pub struct Latchkey {
    pub database: TestDatabase,
    settings: Vec<(String, String)>,
}

/// The output of a command, and its exit code.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Asserts that the output contains all of these.
    #[track_caller]
    pub fn expect_words(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "{word} is missing: {self:?}");
        }
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Latchkey {
    pub fn on(database: TestDatabase) -> Self {
        let settings = [("DATABASE_URL", database.url.as_str()), ("SECRET_KEY", SECRET), ("BCRYPT_ROUNDS", "4")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { database, settings: settings.to_vec() }
    }

    /// Sets a variable for all further commands; an empty value unsets it.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, "")
    }

    /// Runs a command with this text on its stdin.
    pub fn run_with(&self, arguments: &[&str], stdin: &str) -> Said {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A command that does not read its stdin may have exited already.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Said {
            code: code(output.status),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts the server on a free port and waits until it reports its address.
    pub fn serve(&self) -> Serving {
        self.serve_logging_to(Stdio::piped())
    }

    /// The same with the log sent elsewhere.
    pub fn serve_logging_to(&self, log: Stdio) -> Serving {
        let mut command = self.command(&["runserver", "127.0.0.1:0"]);
        let mut child = command.stdin(Stdio::null()).stderr(log).spawn().unwrap();
        let (out, lines) = mpsc::channel();
        let (err, log) = mpsc::channel();
        forward(child.stdout.take().unwrap(), out);
        if let Some(stderr) = child.stderr.take() {
            forward(stderr, err);
        }
        let mut serving = Serving { child, port: 0, client: Client::new(0), said: String::new(), lines, log };
        while let Ok(line) = serving.lines.recv_timeout(PATIENCE) {
            serving.said += &line;
            serving.said.push('\n');
            if let Some((_, rest)) = line.split_once("http://127.0.0.1:") {
                serving.port = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
                serving.client = Client::new(serving.port);
                return serving;
            }
        }
        let _ = serving.child.kill();
        panic!("the server did not start: {}\n{}", serving.said, serving.log.iter().collect::<Vec<_>>().join("\n"));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.args(arguments).env_clear().current_dir(self.database.folder.path());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A running server in its own process.
pub struct Serving {
    child: Child,
    pub port: u16,
    pub client: Client,
    /// Its output until it was ready.
    pub said: String,
    lines: Receiver<String>,
    log: Receiver<String>,
}

impl Serving {
    /// Sends SIGTERM and waits for it to exit.
    pub fn stop(mut self) -> Said {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let code = code(self.child.wait().unwrap());
        let rest: String = self.lines.iter().map(|line| line + "\n").collect();
        Said { code, out: format!("{}{rest}", self.said), err: self.log.iter().map(|line| line + "\n").collect() }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn forward(from: impl Read + Send + 'static, to: mpsc::Sender<String>) {
    thread::spawn(move || {
        BufReader::new(from)
            .lines()
            .map_while(Result::ok)
            .take_while(|line| to.send(line.clone()).is_ok())
            .for_each(drop);
    });
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| panic!("ended by a signal: {status}"))
}
