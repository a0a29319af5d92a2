//! Binds the address and builds the HTTP server. `latchkey runserver` and the tests start it through the same function.
//! The caller handles signals and stops the server through `Running::handle`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App as Actix, HttpServer};

use crate::app::App;

use super::api::schema::Document;
use super::{cors, middleware, routes};

/// How long a client may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long an idle connection is kept for the next request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long open requests may take to finish after a graceful stop.
const STOP_TIME: u64 = 10;

/// A bound server, which serves while `server` is awaited.
pub struct Running {
    /// Where it listens, with the actual port if the settings say 0.
    pub address: SocketAddr,
    /// Stops it: `handle.stop(true)` lets open requests finish.
    pub handle: ServerHandle,
    /// The server itself: await it inside `block_on`.
    pub server: Server,
}

/// Binds `HOST` and `PORT` and builds the server, which answers nothing until `server` is awaited.
///
/// # Errors
/// The address is in use, not local or not permitted.
pub fn start(app: App) -> io::Result<Running> {
    let (host, port, workers) = (app.config.server.host, app.config.server.port, app.config.server.workers);
    let document = Data::new(Document::new(&app.config).map_err(io::Error::other)?);
    let app = Data::new(app);
    let http = HttpServer::new(move || {
        // The last `wrap` is the outermost: it sees every request first and every answer last.
        Actix::new()
            .app_data(app.clone())
            .app_data(document.clone())
            .wrap(from_fn(middleware::check_host))
            .wrap(from_fn(cors::share))
            .wrap(from_fn(middleware::observe))
            .configure(|cfg| routes(cfg, &app))
    })
    .workers(workers)
    .client_request_timeout(HEAD_TIME)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(STOP_TIME)
    .disable_signals()
    .bind((host, port))?;
    let address = http.addrs().first().copied().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let server = http.run();
    Ok(Running { address, handle: server.handle(), server })
}

/// Runs a future inside an Actix system, which awaiting a server needs.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(future)
}
