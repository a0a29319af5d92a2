//! What stands around the server where a front end uses it: a site of another origin with a page of docs/, and
//! the network between, which counts refreshes, holds them up and loses answers. Both answer one request each time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// A file as it stands in the documentation: its address, kind and text.
type File = (&'static str, &'static str, &'static str);

const CLIENT: &str = include_str!("../../docs/front-end/client.js");
const FRONT_END: [File; 2] =
    [("/", "text/html", include_str!("../../docs/front-end/index.html")), ("/client.js", "text/javascript", CLIENT)];
const SECOND_FACTORS: [File; 3] = [
    ("/second-factors/", "text/html", include_str!("../../docs/second-factors/index.html")),
    ("/second-factors/page.js", "text/javascript", include_str!("../../docs/second-factors/page.js")),
    ("/front-end/client.js", "text/javascript", CLIENT),
];

/// Serves the page of docs/front-end/ on a port of its own; it calls the server at another one. Answers its origin.
pub fn serve_page(server: u16, cookie: bool) -> String {
    let port = serve(&FRONT_END, "/settings.js", settings("127.0.0.1", server, cookie));
    format!("http://127.0.0.1:{port}")
}

/// The same with the page of docs/second-factors/, which is opened on localhost: there browsers have passkeys.
pub fn serve_second_factors(server: u16, cookie: bool) -> String {
    let port = serve(&SECOND_FACTORS, "/second-factors/settings.js", settings("localhost", server, cookie));
    format!("http://localhost:{port}")
}

/// Only the settings are the test's.
fn settings(host: &str, server: u16, cookie: bool) -> String {
    format!("export const server = 'http://{host}:{server}';\nexport const cookie = {cookie};\n")
}

fn serve(files: &'static [File], settings_at: &'static str, settings: String) -> u16 {
    listen(move |mut near, request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let file = files.iter().find(|(name, ..)| *name == path).map(|(_, kind, text)| (*kind, *text));
        let file = file.or_else(|| (path == settings_at).then_some(("text/javascript", settings.as_str())));
        let (status, (kind, text)) = file.map_or(("404 Not Found", ("text/plain", "")), |file| ("200 OK", file));
        let length = text.len();
        let _ = write!(
            near,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
        );
    })
}

/// The network between the browser and the server.
#[derive(Clone, Default)]
pub struct Network(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    server: u16,
    refreshes: usize,
    is_held: bool,
    to_lose: usize,
}

impl Network {
    /// The port to the server, which `connect` names later.
    pub fn open(&self) -> u16 {
        let network = self.clone();
        listen(move |near, request| network.pass_on(near, request))
    }

    pub fn connect(&self, server: u16) {
        self.state().server = server;
    }

    /// How many refreshes were sent so far.
    pub fn refreshes(&self) -> usize {
        self.state().refreshes
    }

    /// Keeps refreshes waiting until `release`.
    pub fn hold(&self) {
        self.state().is_held = true;
    }

    pub fn release(&self) {
        self.state().is_held = false;
        self.0.1.notify_all();
    }

    /// The answer to the next refresh does not arrive, although the server gives it.
    pub fn lose_next_answer(&self) {
        self.state().to_lose += 1;
    }

    /// Waits until so many refreshes were sent, and none of their answers is to be lost any more.
    pub fn wait_for_refreshes(&self, count: usize) {
        let is_waiting = |state: &mut State| state.refreshes < count || state.to_lose > 0;
        drop(self.0.1.wait_while(self.state(), is_waiting).unwrap());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap()
    }

    fn pass_on(&self, mut near: TcpStream, request: &str) {
        let is_refresh = request.starts_with("POST /api/token/refresh/");
        if is_refresh {
            self.state().refreshes += 1;
            self.0.1.notify_all();
            drop(self.0.1.wait_while(self.state(), |state| state.is_held).unwrap());
        }
        let Ok(mut far) = TcpStream::connect(("127.0.0.1", self.state().server)) else { return };
        let mut answer = Vec::new();
        let _ = far.write_all(request.as_bytes());
        let _ = far.read_to_end(&mut answer);
        let mut state = self.state();
        if is_refresh && state.to_lose > 0 {
            state.to_lose -= 1;
            self.0.1.notify_all();
            return;
        }
        drop(state);
        let _ = near.write_all(&answer);
    }
}

/// Answers each connection's one request in a thread of its own, which ends with the test process at the latest.
fn listen(answer: impl Fn(TcpStream, &str) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            thread::spawn(move || {
                if let Some(request) = read(&stream) {
                    answer(stream, &request);
                }
            });
        }
    });
    port
}

/// A request whose answer ends with the connection. A browser may open one and say nothing.
fn read(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
        if !lower.starts_with("connection:") {
            head += &line;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(format!("{head}Connection: close\r\n\r\n{}", String::from_utf8(body).ok()?))
}
