//! A TCP proxy that can be cut, so that the database disappears for the server and comes back.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Forwards connections to `target` while it is open.
pub struct Proxy {
    pub port: u16,
    line: Arc<Mutex<Line>>,
}

struct Line {
    open: bool,
    streams: Vec<TcpStream>,
}

impl Proxy {
    /// Listens on a free port; its thread ends with the test process.
    pub fn to(target: (String, u16)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(Mutex::new(Line { open: true, streams: Vec::new() }));
        let shared = Arc::clone(&line);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let mut line = shared.lock().unwrap();
                if line.open
                    && let Ok(far) = TcpStream::connect((target.0.as_str(), target.1))
                {
                    line.streams.extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                    forward(near.try_clone().unwrap(), far.try_clone().unwrap());
                    forward(far, near);
                }
            }
        });
        Self { port, line }
    }

    /// Ends every connection and refuses new ones.
    pub fn cut(&self) {
        let mut line = self.line.lock().unwrap();
        line.open = false;
        for stream in line.streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Forwards again.
    pub fn mend(&self) {
        self.line.lock().unwrap().open = true;
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}
