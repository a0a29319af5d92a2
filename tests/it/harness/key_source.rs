//! A key set on the network: a small HTTP server whose answer a test chooses, and key pairs for it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

/// An Ed25519 key pair with an id.
pub struct Signer {
    kid: String,
    pair: Ed25519KeyPair,
}

impl Signer {
    pub fn new(kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: Ed25519KeyPair::generate().unwrap() }
    }

    /// The public half as a JSON Web Key.
    pub fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "use": "sig", "alg": "EdDSA"})
    }

    /// A token with these claims that names the key.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": self.kid});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(&header), encode(claims));
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(self.pair.sign(text.as_bytes())))
    }

    /// A token without claims.
    pub fn token(&self) -> String {
        self.sign(&json!({}))
    }

    /// The private half, for `JWT_SIGNING_KEY`.
    pub fn pem(&self) -> String {
        let der = STANDARD.encode(self.pair.to_pkcs8v1().unwrap());
        format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n")
    }
}

/// What the source does with a request.
#[derive(Clone)]
enum Reply {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes and then nothing, with the connection open.
    Stall(Vec<u8>),
    /// Closes the connection.
    Away,
}

/// The server. Its thread ends with the test process.
pub struct KeySource {
    pub port: u16,
    reply: Arc<Mutex<Reply>>,
    asked: Arc<AtomicUsize>,
    arrivals: Receiver<()>,
    gate: Arc<Mutex<()>>,
}

impl KeySource {
    /// A source with the keys of `signers`.
    pub fn of(signers: &[&Signer]) -> Self {
        let source = Self::start(None);
        source.publish(signers);
        source
    }

    /// The same over TLS, as `localhost`, with a certificate of `ca_file`.
    pub fn with_tls(signers: &[&Signer]) -> Self {
        let certificate = CertificateDer::from_pem_file(data("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(data("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        let source = Self::start(Some(Arc::new(config)));
        source.publish(signers);
        source
    }

    /// The authority that signed the certificate.
    pub fn ca_file() -> String {
        data("ca.pem")
    }

    fn start(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (arrived, arrivals) = mpsc::channel();
        let (reply, asked) = (Arc::new(Mutex::new(Reply::Away)), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(Mutex::new(()));
        let source = Self { port, reply, asked, arrivals, gate };
        let (reply, asked, gate) = (Arc::clone(&source.reply), Arc::clone(&source.asked), Arc::clone(&source.gate));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                asked.fetch_add(1, Ordering::SeqCst);
                let (reply, arrived, gate) = (reply.lock().unwrap().clone(), arrived.clone(), Arc::clone(&gate));
                let tls = tls.clone();
                thread::spawn(move || match tls {
                    None => answer(stream, reply, &arrived, &gate),
                    Some(config) => {
                        let session = rustls::ServerConnection::new(config).unwrap();
                        answer(rustls::StreamOwned::new(session, stream), reply, &arrived, &gate);
                    }
                });
            }
        });
        source
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/jwks.json", self.port)
    }

    /// From now on, serves the keys of these signers.
    pub fn publish(&self, signers: &[&Signer]) {
        self.answer(200, &json!({"keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()}).to_string());
    }

    /// From now on, sends this answer.
    pub fn answer(&self, status: u16, body: &str) {
        self.send(&format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()));
    }

    /// From now on, sends these bytes.
    pub fn send(&self, bytes: &str) {
        *self.reply.lock().unwrap() = Reply::Send(bytes.into());
    }

    /// From now on, begins an answer and does not finish it.
    pub fn stall_after(&self, bytes: &str) {
        *self.reply.lock().unwrap() = Reply::Stall(bytes.into());
    }

    /// From now on, closes every connection.
    pub fn go_away(&self) {
        *self.reply.lock().unwrap() = Reply::Away;
    }

    /// How many requests it has received.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Holds all answers back until the returned guard is dropped.
    pub fn hold(&self) -> std::sync::MutexGuard<'_, ()> {
        self.gate.lock().unwrap()
    }

    /// Waits until a request has arrived.
    pub fn wait_for_request(&self) {
        self.arrivals.recv_timeout(super::http::PATIENCE).unwrap();
    }
}

fn answer(mut stream: impl Read + Write, reply: Reply, arrived: &Sender<()>, gate: &Mutex<()>) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        let Ok(1) = stream.read(&mut byte) else { return };
        request.push(byte[0]);
    }
    let _ = arrived.send(());
    drop(gate.lock().unwrap());
    match reply {
        Reply::Away => {}
        Reply::Send(bytes) => {
            // A client that has read enough closes the connection.
            let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
        }
        Reply::Stall(bytes) => {
            let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
            // Until the client closes the connection.
            let _ = stream.read(&mut byte);
        }
    }
}

fn data(name: &str) -> String {
    format!("{}/tests/it/data/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// An address without a key set: a port that was free just now.
pub fn nobody() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("http://127.0.0.1:{port}/jwks.json")
}
