//! A server that is killed at every statement of a request, and after each COMMIT before the reply. Another process,
//! this same test program, is the server; it stops where it is told to and waits there for SIGKILL.

use std::fmt::Write;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use latchkey::db::Event;
use serde_json::{Value, json};

use super::{is_full, report, setting};
use crate::api::second_factor::FINISH;
use crate::harness::http::{Client, PATIENCE};
use crate::harness::server::{Running, fixed_clock, open_app};
use crate::harness::{Answer, Backend, Pair, Server, TestDatabase, forge};

const URL: &str = "LATCHKEY_PROOF_URL";
const POINT: &str = "LATCHKEY_PROOF_POINT";
/// A replay is a thief at once, so that the clock can stand still.
const SETTINGS: &[(&str, &str)] = &[("REUSE_ALARM_AFTER", "0s")];

/// The other process: a server that stops at a point of the first request. Its parent kills it.
#[test]
#[ignore = "the other process of the tests beside it"]
fn server_that_stops() {
    let (Some(url), Some(point)) = (setting(URL), setting(POINT)) else { return };
    let app = open_app(&url, SETTINGS, fixed_clock());
    let (point, passed): (usize, _) = (point.parse().unwrap(), AtomicUsize::new(0));
    app.db.observe(Box::new(move |event| {
        let place = match event {
            Event::Starts(sql) => format!("before {sql}"),
            Event::Ends("COMMIT") => "after COMMIT".to_owned(),
            Event::Keeps(_) | Event::Ends(_) => return,
        };
        if passed.fetch_add(1, Ordering::SeqCst) == point {
            say(&format!("stopped {place}"));
            loop {
                thread::park();
            }
        }
    }));
    let server = Running::start(app);
    say(&format!("listens {}", server.port));
    loop {
        thread::park();
    }
}

/// Past the test program's own capture of what is printed.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").and_then(|()| out.flush()).unwrap();
}

/// The server in the other process.
struct Doomed {
    process: Child,
    port: u16,
    said: mpsc::Receiver<Said>,
    hear: mpsc::Sender<Said>,
}

enum Said {
    Line(String),
    Answered(Option<Answer>),
}

impl Doomed {
    fn start(database: &TestDatabase, point: usize) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "proof::crash::server_that_stops"])
            .env(URL, &database.url)
            .env(POINT, point.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (hear, said) = mpsc::channel();
        let (out, tell) = (process.stdout.take().unwrap(), hear.clone());
        thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            lines.take_while(|line| tell.send(Said::Line(line.clone())).is_ok()).for_each(drop);
        });
        let mut doomed = Self { process, port: 0, said, hear };
        doomed.port = doomed.wait_for("listens ").parse().unwrap();
        doomed
    }

    fn wait_for(&self, start: &str) -> String {
        loop {
            match self.said.recv_timeout(PATIENCE).expect("the other process says something") {
                Said::Line(line) if line.starts_with(start) => return line[start.len()..].to_owned(),
                _ => {}
            }
        }
    }

    /// Sends a request and kills the server where it stops; answers where, or `None` if the request was answered.
    fn dies_in(mut self, request: &Request) -> Option<String> {
        let (client, tell, request) = (Client::new(self.port), self.hear.clone(), request.clone());
        let sender = thread::spawn(move || {
            let headers: Vec<(&str, &str)> =
                request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = client.try_send("POST", request.path, &headers, request.body.to_string());
            let _ = tell.send(Said::Answered(answer.ok()));
        });
        let place = loop {
            match self.said.recv_timeout(PATIENCE).expect("the request ends or the server stops") {
                Said::Line(line) => {
                    if let Some(place) = line.strip_prefix("stopped ") {
                        break Some(place.to_owned());
                    }
                }
                Said::Answered(answer) => {
                    assert!(answer.is_some(), "the server died without being killed");
                    break None;
                }
            }
        };
        self.kill();
        sender.join().unwrap();
        place
    }

    /// SIGKILL: nothing is flushed, rolled back or said goodbye to.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Clone)]
struct Request {
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

impl Request {
    fn new(path: &'static str, body: Value) -> Self {
        Self { path, headers: vec![("content-type", "application/json".to_owned())], body }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

fn refresh_with_key(server: &Server, refresh: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    server.client.send("POST", "/api/token/refresh/", &headers, json!({ "refresh": refresh }).to_string())
}

/// A recovery code opens one login, which has happened as a whole or is still there to be made.
fn a_code_opens_one_login(server: &Server, answer: &Value) {
    let again = [(); 2].map(|()| server.client.post(FINISH, answer).status);
    assert!(again == [200, 401] || again == [401, 401], "{again:?}");
    let left = |query: &str| server.db.count(&format!("SELECT count(*) FROM {query}"));
    // Each user with a factor logged in once before, without it.
    let users = left("latchkey_second_factor");
    assert_eq!((left("latchkey_session"), left("latchkey_challenge")), (2 * users, 0));
    assert_eq!(left("latchkey_recovery_code WHERE used_at IS NOT NULL"), users);
}

/// Kills a server at every point of a request; `check` looks at what it left behind, with a new server.
fn kill_everywhere<T>(
    backend: Backend,
    prepare: impl Fn(&Server) -> (T, Request),
    check: impl Fn(&Server, &T),
) -> Vec<String> {
    let database = Arc::new(TestDatabase::migrated(backend));
    let mut places = Vec::new();
    loop {
        let server = Server::on(Arc::clone(&database), SETTINGS);
        if places.is_empty() {
            server.add_user("alice");
        }
        let (known, request) = prepare(&server);
        // The server beside it is gone, so that the next one has to recover what the killed one left.
        drop(server);
        let place = Doomed::start(&database, places.len()).dies_in(&request);
        check(&Server::on(Arc::clone(&database), SETTINGS), &known);
        match place {
            Some(place) => places.push(place),
            None => return places,
        }
    }
}

/// The token that a token was rotated into, as nobody has ever seen it: signed by the test.
fn successor(server: &Server, of: &str) -> Option<String> {
    let query = format!(
        "SELECT s.token AS t FROM token_blacklist_outstandingtoken s JOIN latchkey_token k ON k.token_id = s.id \
         JOIN token_blacklist_outstandingtoken o ON o.id = k.rotated_from WHERE o.jti = '{}'",
        forge::jti(of)
    );
    let found = server.db.texts(&query);
    assert!(found.len() <= 1, "{found:?}");
    found.into_iter().next().flatten().map(|unsigned| forge::sign_again(&unsigned))
}

/// Of the old and the new token exactly one works.
fn one_of_two_works(server: &Server, pair: &Pair) {
    match successor(server, &pair.refresh) {
        // Before the old one: it raises the alarm.
        Some(new) => {
            Pair::of(&server.refresh(&new));
            server.refresh(&pair.refresh).expect_status(401);
        }
        None => drop(Pair::of(&server.refresh(&pair.refresh))),
    }
}

/// A retry with the key succeeds, and what it answers works, once.
fn the_retry_works(server: &Server, pair: &Pair) {
    let again = Pair::of(&refresh_with_key(server, &pair.refresh));
    let next = Pair::of(&server.refresh(&again.refresh));
    server.me(&next.access).expect_status(200);
    server.refresh(&again.refresh).expect_status(401);
}

/// A session has ended with all its tokens, or has not with any.
fn all_or_nothing(server: &Server, pair: &Pair) {
    let ended = "SELECT count(*) FROM latchkey_session s JOIN latchkey_token k ON k.session_id = s.id \
                 JOIN token_blacklist_outstandingtoken o ON o.id = k.token_id WHERE s.ended_at IS NOT NULL AND o.jti = ";
    let has_ended = server.db.count(&format!("{ended}'{}'", forge::jti(&pair.refresh))) == 1;
    server.refresh(&pair.refresh).expect_status(if has_ended { 401 } else { 200 });
}

fn crash(backend: Backend) {
    let began = Instant::now();
    let refresh = |pair: &Pair| Request::new("/api/token/refresh/", json!({ "refresh": pair.refresh }));
    let mut text = format!("## Killed at every statement, on {}\n", backend.pick("SQLite", "PostgreSQL"));
    let mut tell = |request: &str, kept: &str, places: Vec<String>| {
        assert!(places.len() > 5, "{places:?}");
        assert!(places.last().is_some_and(|place| place == "after COMMIT"), "{places:?}");
        let _ = writeln!(text, "\n{request}, killed at {} points; each time {kept}:\n", places.len());
        for place in places {
            let _ = writeln!(text, "- {}", place.chars().take(110).collect::<String>());
        }
    };

    let log_in = |server: &Server| {
        let pair = server.log_in("alice");
        (pair.clone(), refresh(&pair))
    };
    let with_key = |server: &Server| {
        let (pair, request) = log_in(server);
        (pair, request.with("idempotency-key", "k"))
    };
    let places = kill_everywhere(backend, with_key, the_retry_works);
    tell("A refresh with a key", "the retry works", places);

    let log_out = |server: &Server| {
        let pair = server.log_in("alice");
        let body = json!({ "refresh_token": pair.refresh });
        let bearer = format!("Bearer {}", pair.access);
        (pair, Request::new("/api/logout/", body).with("authorization", &bearer))
    };
    let places = kill_everywhere(backend, log_out, all_or_nothing);
    tell("A logout", "the session goes on as a whole or has ended as a whole", places);

    if is_full() {
        let places = kill_everywhere(backend, log_in, one_of_two_works);
        tell("A refresh without a key", "exactly one of old and new token works", places);

        let retried = |server: &Server| {
            let (pair, request) = with_key(server);
            Pair::of(&refresh_with_key(server, &pair.refresh));
            (pair, request)
        };
        let places = kill_everywhere(backend, retried, the_retry_works);
        tell("A retry", "another retry works", places);

        let replay = |server: &Server| {
            let old = server.log_in("alice");
            let pair = Pair::of(&server.refresh(&old.refresh));
            (pair, refresh(&old))
        };
        let places = kill_everywhere(backend, replay, all_or_nothing);
        tell("A replay that raises the alarm", "the session goes on as a whole or has ended as a whole", places);

        let with_factor = |server: &Server| {
            let name = format!("user{}", server.db.count("SELECT count(*) FROM auth_user"));
            server.add_user(&name);
            let code = server.enrol_totp(&name).recovery_codes[0].clone();
            let answer = json!({"challenge": server.challenge(&name), "method": "recovery", "code": code});
            (answer.clone(), Request::new(FINISH, answer))
        };
        let places = kill_everywhere(backend, with_factor, a_code_opens_one_login);
        tell("A login with a recovery code", "the code opens one login", places);
    }
    let _ = writeln!(text, "\n{:.0} s.", began.elapsed().as_secs_f64());
    report(&format!("{}-crash", backend.pick("sqlite", "postgres")), &text);
}

#[test]
#[ignore = "takes long: scripts/proof"]
fn killed_on_sqlite() {
    crash(Backend::Sqlite);
}

#[test]
#[ignore = "takes long: scripts/proof"]
fn killed_on_postgres() {
    crash(Backend::Postgres);
}
