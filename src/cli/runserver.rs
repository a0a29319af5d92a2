//! `latchkey runserver`: opens everything, migrates or refuses to start, creates a first superuser where that is safe, serves,
//! and stops in an orderly way.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::Failure;
use super::text::help;
use super::{makesuperuser, open, output};
use crate::accounts::upkeep;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, SecretKeySource};
use crate::db::DbError;
use crate::db::migrations::Plan;
use crate::mail::queue;
use crate::telemetry;
use crate::tokens::purge;
use crate::web::server;

/// How long requests in progress may take after the first signal; with `WRITE_TIME` ten seconds.
const REQUEST_TIME: Duration = Duration::from_secs(9);
/// How long queued writes may take after that.
const WRITE_TIME: Duration = Duration::from_secs(1);

/// Start the server
///
/// Serves the API and the admin panel until it is stopped. AUTO_MIGRATE decides whether it applies pending migrations or
/// refuses to start with them. On a SQLite database without a superuser it creates one and prints the password, once; on
/// PostgreSQL, or when sharing a Django database, it only says how to create one.
///
/// SIGTERM or Ctrl-C stops it: requests in progress and queued writes get ten seconds to finish. A second signal stops it
/// immediately.
#[derive(Debug, Default, clap::Args)]
#[command(after_long_help = help(
    "  latchkey runserver                  on 127.0.0.1:8000, or where HOST and PORT say\n  \
       latchkey runserver 8080             another port\n  \
       latchkey runserver 0.0.0.0:8000     every network of this machine\n  \
       latchkey runserver '[::1]:8000'     IPv6\n  \
       DATABASE_URL=postgres://latchkey@db/latchkey SECRET_KEY=… latchkey runserver",
    "  HOST, PORT     where to listen; port 0 picks a free one\n  \
       PUBLIC_URL     how users reach it, for example https://auth.example.com\n  \
       DATABASE_URL   sqlite:///latchkey.sqlite3 or postgres://…\n  \
       AUTO_MIGRATE   apply pending migrations at start (default: only on SQLite)\n  \
       SECRET_KEY     required on PostgreSQL; on SQLite one is created and kept in a file\n  \
       LOG_FORMAT, RUST_LOG\n  \
       'latchkey check' lists all settings.",
))]
pub struct Args {
    /// Where to listen; overrides HOST and PORT
    #[arg(value_name = "HOST:PORT", value_parser = listen)]
    listen: Option<Listen>,
}

/// What overrides `HOST` and `PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listen {
    host: Option<IpAddr>,
    port: u16,
}

/// Parses `PORT`, `HOST:PORT` or `[HOST]:PORT`; the host `0` means every network, as in Django.
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
            "Created a secret key in {}. Back it up: losing it logs everyone out and voids authenticator apps.",
            path.display()
        ))?;
    }
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let app = App::open(config, Clock::System)?;
    migrate(&app).await?;
    // From here on a signal stops the server in an orderly way.
    let mut stop = StopSignals::new().map_err(|error| Failure::say(error.to_string()))?;
    let running = server::start(app.clone()).map_err(|error| cannot_listen(&app.config, &error))?;
    // Not before the port is ours: a password that is shown only once must not be followed by an error.
    first_superuser(&app).await?;
    announce(running.address)?;
    // Looks at every user's hash; the first request does not wait for it.
    let learner = app.clone();
    tokio::spawn(async move { learner.learn_password_schemes().await });
    let warmed = app.clone();
    tokio::spawn(async move {
        if let Some(set) = &warmed.key_set {
            set.warm().await;
        }
    });
    tokio::spawn(purge::run(app.clone()));
    tokio::spawn(upkeep::run(app.clone()));
    let sender = app.clone();
    let mail = tokio::spawn(async move { queue::run(&sender.db, &sender.mailer, &sender.clock).await });
    let (handle, mut server) = (running.handle, running.server);
    tokio::select! {
        ended = &mut server => return ended.map_err(|error| Failure::say(format!("The server stopped: {error}."))),
        () = stop.next() => tracing::info!("stopping: requests in flight may finish"),
    }
    app.mailer.stop();
    let orderly = async {
        // Queued mail stays for the next start; only mail that is being sent is waited for.
        let work = async { tokio::join!(handle.stop(true), server, mail) };
        let requests = tokio::time::timeout(REQUEST_TIME, work).await;
        // SQLite's writes are done in order: when this one is done, so are all that were queued. PostgreSQL has no queue.
        let write = tokio::time::timeout(WRITE_TIME, app.write(|_| Ok::<_, DbError>(())));
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

/// Applies pending migrations, or refuses to start with them.
async fn migrate(app: &App) -> Result<(), Failure> {
    let database = &app.config.database;
    let Plan { pending, .. } = open::look(&app.config).await?;
    if pending.is_empty() {
        return Ok(());
    }
    if !database.auto_migrate {
        return Err(open::unapplied(&pending));
    }
    output::say("Running migrations:")?;
    open::migrate(&app.config, pending).await
}

/// Without a superuser nobody could open the panel: in a SQLite database of our own one is created, elsewhere the operator is told
/// how to create one.
async fn first_superuser(app: &App) -> Result<(), Failure> {
    if app.read(|tx| tx.app.users.has_superuser(tx.conn)).await? {
        return Ok(());
    }
    if app.db.is_postgres() || app.beside_django {
        return output::say("There is no superuser yet. Run 'latchkey createsuperuser' or 'latchkey makesuperuser'.");
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
    let other = "choose another port, for example 'latchkey runserver 8001'";
    Failure::Said(match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("That port is already in use ({address}). Stop the other server, or {other}.")
        }
        io::ErrorKind::PermissionDenied => format!("You don't have permission to listen on {address}; {other}."),
        io::ErrorKind::AddrNotAvailable => format!("{address} can't be used: this machine has no such address."),
        _ => format!("Can't listen on {address}: {error}."),
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
