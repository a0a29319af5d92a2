//! Clients with two tabs each that lose replies, on two server processes with one database: nobody is logged out, and
//! nothing is accepted twice. The clients behave as the page of docs/ does.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use latchkey::accounts::confirm::Confirmed;
use latchkey::accounts::manage;
use serde_json::json;

use super::search::Random;
use super::{is_full, report};
use crate::harness::binary::{Latchkey, Serving};
use crate::harness::http::Client;
use crate::harness::server::{fixed_clock, new_user, open_app};
use crate::harness::{Backend, PASSWORD, Pair, TestDatabase, forge};

/// What all tabs of a client see: `localStorage`.
#[derive(Clone)]
struct Stored {
    pair: Pair,
    /// Made when the pair was stored, so that every tab presents its token with the same key.
    key: String,
}

/// One browser.
struct Browser {
    number: usize,
    storage: Mutex<Stored>,
    /// Web Locks: an old browser has none, and then the tabs do refresh at the same time.
    lock: Option<Mutex<()>>,
}

/// What happened, of all tabs together.
#[derive(Default)]
struct Tally {
    refreshes: usize,
    lost: usize,
    looked_again: usize,
    busy: usize,
    calls: usize,
    /// For each presented token what it was exchanged for.
    successors: BTreeMap<String, BTreeSet<String>>,
    logged_out: Vec<String>,
}

/// How a request to refresh ended, as a tab sees it.
enum Seen {
    Pair(Pair),
    Refused,
    Lost,
    Busy,
}

impl Browser {
    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.storage.lock().unwrap()
    }

    /// Refreshes once for all tabs, as the page does; `mine` is the token whose access token the tab used last.
    fn refresh(&self, mine: &str, servers: &[Client], random: &mut Random, tally: &Mutex<Tally>) {
        let _lock = self.lock.as_ref().map(|lock| lock.lock().unwrap());
        let presented = self.stored().clone();
        if presented.pair.refresh != mine {
            return;
        }
        loop {
            let server = &servers[random.below(servers.len())];
            let seen = ask(server, &presented, random);
            let mut tally = tally.lock().unwrap();
            tally.refreshes += 1;
            match seen {
                Seen::Lost => tally.lost += 1,
                Seen::Busy => tally.busy += 1,
                Seen::Refused => {
                    // Another tab may have refreshed and gone on since.
                    tally.looked_again += 1;
                    if self.stored().pair.refresh == presented.pair.refresh {
                        tally.logged_out.push(format!("client {}", self.number));
                    }
                    return;
                }
                Seen::Pair(pair) => {
                    let (old, new) = (forge::jti(&presented.pair.refresh), forge::jti(&pair.refresh));
                    tally.successors.entry(old).or_default().insert(new);
                    let mut stored = self.stored();
                    if stored.pair.refresh == presented.pair.refresh {
                        *stored = Stored { pair, key: random.next().to_string() };
                    }
                    return;
                }
            }
        }
    }
}

/// Sends a refresh. Some replies get lost: the client hangs up, or the answer never arrives.
fn ask(server: &Client, presented: &Stored, random: &mut Random) -> Seen {
    let headers = [("content-type", "application/json"), ("idempotency-key", presented.key.as_str())];
    let body = json!({ "refresh": presented.pair.refresh }).to_string();
    let luck = random.below(100);
    if luck < 10 {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        let head = format!(
            "POST /api/token/refresh/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
             Idempotency-Key: {}\r\nContent-Length: {}\r\n\r\n{body}",
            presented.key,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        return Seen::Lost;
    }
    let answer = server.send("POST", "/api/token/refresh/", &headers, body);
    match answer.status {
        _ if luck < 25 => Seen::Lost,
        200 => Seen::Pair(Pair::of(&answer)),
        401 => Seen::Refused,
        503 => Seen::Busy,
        other => panic!("{other}: {}", answer.text()),
    }
}

/// One tab until the time is up: a call with the access token, then a refresh.
fn browse(browser: &Browser, servers: &[Client], until: Instant, tally: &Mutex<Tally>, mut random: Random) {
    while Instant::now() < until {
        let pair = browser.stored().pair.clone();
        let server = &servers[random.below(servers.len())];
        let answer = server.get("/api/me/", &[("authorization", &format!("Bearer {}", pair.access))]);
        tally.lock().unwrap().calls += 1;
        assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
        browser.refresh(&pair.refresh, servers, &mut random, tally);
    }
}

fn log_in(database: &TestDatabase, serving: &Serving, clients: usize) -> Vec<Browser> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = open_app(&database.url, &[], fixed_clock());
    (0..clients)
        .map(|number| {
            let name = format!("client-{number}");
            runtime.block_on(manage::create(&app, &Confirmed::command_line(), new_user(&name))).unwrap();
            let answer = serving.client.post("/api/token/", &json!({"username": name, "password": PASSWORD}));
            let storage = Mutex::new(Stored { pair: Pair::of(&answer), key: "first".to_owned() });
            Browser { number, storage, lock: number.is_multiple_of(2).then(Mutex::default) }
        })
        .collect()
}

fn load(backend: Backend) {
    let (clients, seconds) = if is_full() { (64, 60) } else { (8, 5) };
    let latchkey = Latchkey::on(TestDatabase::migrated(backend)).set("JWT_CHECK_SESSION", "true");
    let processes = [latchkey.serve(), latchkey.serve()];
    let browsers = log_in(&latchkey.database, &processes[0], clients);
    let servers = processes.each_ref().map(|process| process.client.clone());
    let (tally, until) = (Mutex::default(), Instant::now() + Duration::from_secs(seconds));
    thread::scope(|scope| {
        for (seed, browser) in (0..).zip(browsers.iter().flat_map(|browser| [browser, browser])) {
            let (servers, tally) = (&servers, &tally);
            scope.spawn(move || browse(browser, servers, until, tally, Random::new(seed)));
        }
    });
    let tally = tally.into_inner().unwrap();
    assert_eq!(tally.logged_out, Vec::<String>::new());
    nothing_twice(&latchkey.database, &tally, clients);
    for browser in &browsers {
        let presented = browser.stored().clone();
        let headers = [("content-type", "application/json"), ("idempotency-key", presented.key.as_str())];
        let body = json!({ "refresh": presented.pair.refresh }).to_string();
        Pair::of(&servers[1].send("POST", "/api/token/refresh/", &headers, body));
    }
    for process in processes {
        process.stop().expect(0);
    }
    let Tally { refreshes, lost, looked_again, busy, calls, successors, .. } = tally;
    let text = format!(
        "## {clients} clients with 2 tabs each for {seconds} s, two processes on one {}\n\n\
         {refreshes} requests to refresh, of which {lost} lost their reply, {looked_again} were refused because another \
         tab was further, and {busy} were told to come back (503); {calls} other calls. {} tokens were exchanged, each \
         for one successor. Nobody was logged out.\n",
        backend.pick("SQLite file", "PostgreSQL"),
        successors.len()
    );
    report(&format!("{}-load", backend.pick("sqlite", "postgres")), &text);
}

/// One successor for each token, by the clients' account and by the database's; and every session goes on.
fn nothing_twice(database: &TestDatabase, tally: &Tally, clients: usize) {
    let several: Vec<_> = tally.successors.iter().filter(|(_, next)| next.len() > 1).collect();
    assert!(several.is_empty(), "{several:?}");
    let twice = "SELECT count(*) FROM (SELECT rotated_from FROM latchkey_token WHERE rotated_from IS NOT NULL \
                 GROUP BY rotated_from HAVING count(*) > 1) t";
    assert_eq!(database.count(twice), 0);
    let live = "SELECT count(*) FROM token_blacklist_outstandingtoken o WHERE NOT EXISTS \
                (SELECT 1 FROM token_blacklist_blacklistedtoken b WHERE b.token_id = o.id)";
    assert_eq!(database.count(live), i64::try_from(clients).unwrap());
    assert_eq!(database.count("SELECT count(*) FROM latchkey_session WHERE ended_at IS NOT NULL"), 0);
    assert_eq!(database.count("SELECT count(*) FROM latchkey_session"), i64::try_from(clients).unwrap());
}

#[test]
#[ignore = "takes long: scripts/proof"]
fn tabs_that_lose_replies_on_sqlite() {
    load(Backend::Sqlite);
}

#[test]
#[ignore = "takes long: scripts/proof"]
fn tabs_that_lose_replies_on_postgres() {
    load(Backend::Postgres);
}
