//! `latchkey runserver`: opens everything, migrates or refuses, makes a first superuser where that is safe, serves, and
//! stops in good order.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::Failure;
use super::text::help;
use super::{makesuperuser, open, output};
use crate::accounts::upkeep;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, SecretKeySource};
use crate::db::{self, DbError};
use crate::mail::queue;
use crate::telemetry;
use crate::tokens::purge;
use crate::web::server;

/// How long requests in flight have after the first signal; together with `WRITE_TIME` ten seconds.
const REQUEST_TIME: Duration = Duration::from_secs(9);
/// How long writes that are still queued have after that.
const WRITE_TIME: Duration = Duration::from_secs(1);

/// Start the server
///
/// Serves the API and the admin panel until it is stopped. It applies pending migrations, or refuses to start with some,
/// as AUTO_MIGRATE says. On a SQLite database without a superuser it makes one and prints the password, once; on
/// PostgreSQL and beside a Django it only says how to make one.
///
/// SIGTERM or Ctrl-C stops it: requests that are being answered and writes that are queued get ten seconds to finish. A
/// second signal stops it at once.
#[derive(Debug, Default, clap::Args)]
#[command(after_long_help = help(
    "  latchkey runserver                  on 127.0.0.1:8000, or as HOST and PORT say\n  \
       latchkey runserver 8080             another port\n  \
       latchkey runserver 0.0.0.0:8000     every network of this machine\n  \
       latchkey runserver '[::1]:8000'     IPv6\n  \
       DATABASE_URL=postgres://latchkey@db/latchkey SECRET_KEY=… latchkey runserver",
    "  HOST, PORT     where to listen; port 0 picks a free one\n  \
       PUBLIC_URL     how users reach it, for example https://auth.example.com\n  \
       DATABASE_URL   sqlite:///latchkey.sqlite3 or postgres://…\n  \
       AUTO_MIGRATE   apply pending migrations at start: true on SQLite, false on PostgreSQL\n  \
       SECRET_KEY     needed on PostgreSQL; on SQLite one is made and kept in a file\n  \
       LOG_FORMAT, RUST_LOG\n  \
       'latchkey check' lists all the others.",
))]
pub struct Args {
    /// Where to listen, in place of HOST and PORT
    #[arg(value_name = "HOST:PORT", value_parser = listen)]
    listen: Option<Listen>,
}

/// What was given in place of `HOST` and `PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listen {
    host: Option<IpAddr>,
    port: u16,
}

/// Reads `PORT`, `HOST:PORT` or `[HOST]:PORT`; the host `0` is every network, as in Django.
fn listen(text: &str) -> Result<Listen, String> {
    let bad = || "not PORT, HOST:PORT or [HOST]:PORT with an IP address, such as 8080 or 0.0.0.0:8000".to_owned();
    if let Ok(port) = text.parse() {
        return Ok(Listen { host: None, port });
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
    let port = port.parse().map_err(|_| bad())?;
    let host = match host {
        "0" => Ipv4Addr::UNSPECIFIED.into(),
        "localhost" => Ipv4Addr::LOCALHOST.into(),
        host => match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(host) => IpAddr::V6(host.parse().map_err(|_| bad())?),
            None => IpAddr::V4(host.parse().map_err(|_| bad())?),
        },
    };
    Ok(Listen { host: Some(host), port })
}

/// Serves until a signal stops it.
pub fn run(args: Args) -> Result<(), Failure> {
    let mut overrides = Vec::new();
    if let Some(Listen { host, port }) = args.listen {
        overrides.extend(host.map(|host| ("HOST", host.to_string())));
        overrides.push(("PORT", port.to_string()));
    }
    let config = open::server_config(&overrides)?;
    telemetry::init(&config.log);
    server::block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), Failure> {
    if let SecretKeySource::NewFile(path) = &config.secret_key_source {
        output::say(format!(
            "Made a secret key in {}: keep it safe. Without it nobody stays logged in.",
            path.display()
        ))?;
    }
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let app = App::open(config, Clock::System)?;
    migrate(&app).await?;
    // From here on a signal is an orderly stop.
    let mut stop = StopSignals::new().map_err(|error| Failure::say(error.to_string()))?;
    let app = Arc::new(app);
    let running = server::start(Arc::clone(&app)).map_err(|error| cannot_listen(&app.config, &error))?;
    // Not before the port is ours: a password that is shown once must not scroll away above an error.
    first_superuser(&app).await?;
    announce(running.address)?;
    // A look at every user's hash; the first answer does not wait for it.
    let learner = Arc::clone(&app);
    tokio::spawn(async move { learner.learn_password_schemes().await });
    let warmed = Arc::clone(&app);
    tokio::spawn(async move {
        if let Some(set) = &warmed.key_set {
            set.warm().await;
        }
    });
    tokio::spawn(purge::run(Arc::clone(&app)));
    tokio::spawn(upkeep::run(Arc::clone(&app)));
    let sender = Arc::clone(&app);
    let mail = tokio::spawn(async move { queue::run(&sender.db, &sender.mailer, &sender.clock).await });
    let (handle, mut server) = (running.handle, running.server);
    tokio::select! {
        ended = &mut server => return ended.map_err(|error| Failure::say(format!("The server stopped: {error}."))),
        () = stop.next() => tracing::info!("stopping: requests in flight may finish"),
    }
    app.mailer.stop();
    let orderly = async {
        // What is queued stays there for the next start; only a mail that is being sent is waited for.
        let work = async { tokio::join!(handle.stop(true), server, mail) };
        let requests = tokio::time::timeout(REQUEST_TIME, work).await;
        // SQLite's writes are done in order: when this one is, all that were queued are. PostgreSQL has no queue.
        let write = tokio::time::timeout(WRITE_TIME, app.db.write(|_| Ok::<_, DbError>(())));
        requests.is_ok() && (app.db.is_postgres() || matches!(write.await, Ok(Ok(()))))
    };
    tokio::select! {
        done = orderly => if done { Ok(()) } else { leave(0, "stopped with requests or writes unfinished") },
        () = stop.next() => leave(1, "stopped at once by a second signal"),
    }
}

/// Ends the process without waiting for anything that still runs.
fn leave(code: i32, reason: &str) -> Result<(), Failure> {
    tracing::warn!("{reason}");
    std::process::exit(code)
}

/// Applies pending migrations, or refuses to start with some.
async fn migrate(app: &App) -> Result<(), Failure> {
    let database = &app.config.database;
    let (_, pending) = open::look(&database.url).await?;
    if pending.is_empty() {
        return Ok(());
    }
    if !database.auto_migrate {
        return Err(open::unapplied(&pending));
    }
    output::say("Running migrations:")?;
    open::migrate(&database.url, pending).await
}

/// Nobody could open the panel: on a database of our own a superuser is made, elsewhere it is said how to make one.
async fn first_superuser(app: &App) -> Result<(), Failure> {
    if app.db.read(db::users::has_superuser).await? {
        return Ok(());
    }
    if app.db.is_postgres() || app.beside_django {
        return output::say(
            "There is no superuser yet: 'latchkey createsuperuser' or 'latchkey makesuperuser' makes one.",
        );
    }
    let text = makesuperuser::make(app).await?;
    output::print(&text).map_err(makesuperuser::unseen)
}

fn announce(address: SocketAddr) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    output::say(format!("Latchkey {version} at http://{address}/, panel at http://{address}/admin/"))?;
    output::say("Stop it with Ctrl-C.")
}

fn cannot_listen(config: &Config, error: &io::Error) -> Failure {
    let address = SocketAddr::new(config.server.host, config.server.port);
    let other = "choose another one, for example 'latchkey runserver 8001'";
    Failure::Said(match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("That port is already in use ({address}). Stop what listens there, or {other}.")
        }
        io::ErrorKind::PermissionDenied => format!("You don't have permission to listen on {address}; {other}."),
        io::ErrorKind::AddrNotAvailable => format!("{address} can't be assigned: this machine has no such address."),
        _ => format!("Cannot listen on {address}: {error}."),
    })
}

/// SIGTERM and SIGINT.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_django_reads_them() {
        let read = |text| listen(text).map(|at| (at.host.map(|host| host.to_string()), at.port));
        let on = |host: &str, port| Ok((Some(host.to_owned()), port));
        assert_eq!(read("8001"), Ok((None, 8001)));
        assert_eq!(read("127.0.0.1:0"), on("127.0.0.1", 0));
        assert_eq!(read("0:8000"), on("0.0.0.0", 8000));
        assert_eq!(read("localhost:8000"), on("127.0.0.1", 8000));
        assert_eq!(read("[::1]:8000"), on("::1", 8000));
        for bad in
            ["", "latchkey", "127.0.0.1", "127.0.0.1:", ":8000", "::1:8000", "[::1]", "1.2.3.4:65536", "[1.2.3.4]:80"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
