//! A plain HTTP client: follows no redirects, treats no status as an error, and returns whole answers. `wire` sends
//! what no client would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, Request};

/// Far longer than any answer takes: only a hanging server reaches it.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The server that a test's requests go to.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    port: u16,
}

impl Client {
    pub fn new(port: u16) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .user_agent("latchkey-tests")
            .proxy(None)
            .allow_non_standard_methods(true)
            // A connection kept alive would delay the stop of a server, and may be closed during a request.
            .max_idle_connections(0)
            .build();
        Self { agent: config.into(), base: format!("http://127.0.0.1:{port}"), port }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends a request; the test fails only if the connection breaks.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// The same for a server that may not be running.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.as_ref();
        let sent = if body.is_empty() && matches!(method, "GET" | "HEAD" | "OPTIONS") {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body).unwrap())
        };
        let (parts, mut body) = sent?.into_parts();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body: body.read_to_vec()? })
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string())
    }

    pub fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], form(fields))
    }

    /// A request with an access token, and a JSON body unless it is null.
    pub fn bearer(&self, method: &str, path: &str, access: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {access}");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        if body.is_null() {
            self.send(method, path, &headers[..1], "")
        } else {
            self.send(method, path, &headers, body.to_string())
        }
    }
}

/// `application/x-www-form-urlencoded`
pub fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The server's answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts status and JSON body together, so that a failure shows both.
    #[track_caller]
    pub fn expect(&self, status: u16, body: Value) {
        assert_eq!((self.status, self.json()), (status, body));
    }

    #[track_caller]
    pub fn expect_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// Sends these bytes as they are and reads until the server closes. They should say `Connection: close`.
pub fn wire(port: u16, bytes: &[u8]) -> String {
    wire_in_two(port, bytes, || (), b"")
}

/// The same in two parts, with an action between them.
pub fn wire_in_two(port: u16, bytes: &[u8], between: impl FnOnce(), rest: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may answer and close before it has read everything: its answer can still be read.
    let _ = stream.write_all(bytes);
    between();
    let _ = stream.write_all(rest);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
