//! What is counted and written down when something happens, and how it is kept in order.

use std::collections::BTreeMap;

use latchkey::accounts::upkeep;
use latchkey::db::latchkey_rollup::{self, Sum};
use latchkey::db::latchkey_statistic::{self, Statistic};
use latchkey::db::types::Instant;
use serde_json::{Value, json};

use crate::harness::server::NOW;
use crate::harness::{Backend, PASSWORD, Pair, Server, TestDatabase};

const DAY: i64 = 24 * 3600;

/// How often each event was counted, over all hours and shards.
fn counted(server: &Server) -> BTreeMap<String, i64> {
    let rows = server.db.texts(
        "SELECT event || '=' || CAST(sum(count) AS bigint) AS t FROM latchkey_rollup GROUP BY event ORDER BY event",
    );
    let pair = |row: Option<String>| {
        let (event, count) = row.unwrap().split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        (event, count.parse().unwrap())
    };
    rows.into_iter().map(pair).collect()
}

fn expect(counts: &[(&str, i64)]) -> BTreeMap<String, i64> {
    counts.iter().map(|(event, count)| ((*event).to_owned(), *count)).collect()
}

fn log_out(server: &Server, pair: &Pair, body: &Value) {
    server.client.bearer("POST", "/api/logout/", &pair.access, body).expect_status(200);
}

both!(everything_that_happens_is_counted);
fn everything_that_happens_is_counted(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let alice = server.add_user("alice");
    let first = server.log_in("alice");
    let second = Pair::of(&server.refresh(&first.refresh));
    log_out(&server, &second, &json!({"refresh_token": second.refresh}));
    let third = server.log_in("alice");
    server.client.post("/api/token/blacklist/", &json!({"refresh": third.refresh})).expect_status(200);
    server.client.post("/api/token/blacklist/", &json!({"refresh": third.refresh})).expect_status(401);
    let fourth = server.log_in("alice");
    server.client.post("/api/token/revoke/", &json!({"token": fourth.refresh})).expect_status(200);
    server.client.post("/api/token/revoke/", &json!({"token": fourth.refresh})).expect_status(200);
    let stolen = server.log_in("alice");
    server.refresh(&stolen.refresh).expect_status(200);
    server.advance(60);
    server.refresh(&stolen.refresh).expect_status(401);
    let (one, two) = (server.log_in("alice"), server.log_in("alice"));
    log_out(&server, &two, &json!({"others": true}));
    log_out(&server, &one, &json!({"all": true}));
    server.log_in("alice");
    server.set_password(alice.id, "orange-bridge-23");
    server.obtain("alice", PASSWORD).expect_status(401);
    server.obtain("nobody", PASSWORD).expect_status(401);
    server.panel_of("root");
    server.panel().log_in("alice", "orange-bridge-23").expect_status(200);
    assert_eq!(
        counted(&server),
        expect(&[
            ("blacklisted.blacklist", 1),
            ("blacklisted.logout", 1),
            ("blacklisted.logout_all", 1),
            ("blacklisted.logout_others", 1),
            ("blacklisted.password_change", 1),
            ("blacklisted.reuse", 1),
            ("blacklisted.revoke", 1),
            ("blacklisted.rotated", 2),
            ("login", 8),
            ("login.failed", 3),
            ("session.reuse", 1),
            ("token.create", 9),
            ("token.refresh", 2),
            ("user.create", 2),
        ])
    );
    let table = |name: &str| server.db.count(&format!("SELECT count(*) FROM token_blacklist_{name}"));
    assert_eq!((table("outstandingtoken"), table("blacklistedtoken")), (9, 9));
    let before = counted(&server);
    server.advance(40 * DAY);
    server.wait(latchkey::tokens::purge::flush_expired(&server.app, |_| ())).unwrap();
    assert_eq!((table("outstandingtoken"), counted(&server)), (0, before));
}

#[test]
fn parallel_transactions_count_everything() {
    let server = Server::with(Backend::Postgres, &[("DATABASE_POOL_SIZE", "8")]);
    let names: Vec<String> = (0..8).map(|number| format!("user{number}")).collect();
    for name in &names {
        server.add_user(name);
    }
    std::thread::scope(|scope| {
        for name in &names {
            let client = server.client.clone();
            scope.spawn(move || {
                let login = json!({"username": name, "password": PASSWORD});
                let mut pair = Pair::of(&client.post("/api/token/", &login));
                for _ in 0..10 {
                    pair = Pair::of(&client.post("/api/token/refresh/", &json!({"refresh": pair.refresh})));
                }
                client.post("/api/token/", &json!({"username": name, "password": "x"})).expect_status(401);
            });
        }
    });
    let expected = expect(&[
        ("blacklisted.rotated", 80),
        ("login", 8),
        ("login.failed", 8),
        ("token.create", 88),
        ("token.refresh", 80),
        ("user.create", 8),
    ]);
    assert_eq!(counted(&server), expected);
    server.advance(2 * 3600);
    server.wait(upkeep::once(&server.app)).unwrap();
    assert_eq!(counted(&server), expected);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_rollup WHERE shard <> 0"), 0);
}

/// The audit log's entries of one action: object, count, user, address.
fn entries(server: &Server, action: &str) -> Vec<String> {
    let rows = server.db.texts(&format!(
        "SELECT object || '|' || count || '|' || coalesce(CAST(user_id AS text), '-') || '|' || actor || '|' || \
         coalesce(ip, '-') AS t FROM latchkey_audit_log WHERE action = '{action}' ORDER BY id"
    ));
    rows.into_iter().map(Option::unwrap).collect()
}

both!(failed_logins_of_a_source_within_a_minute_are_one_entry);
fn failed_logins_of_a_source_within_a_minute_are_one_entry(backend: Backend) {
    let server = Server::with(backend, &[("TRUSTED_PROXIES", "127.0.0.1")]);
    let (alice, _) = (server.add_user("alice").id, server.add_user("bob").id);
    let fail = |from: &str, name: &str| {
        let body = json!({"username": name, "password": "typed wrong"}).to_string();
        let headers = [("x-forwarded-for", from), ("content-type", "application/json")];
        server.client.send("POST", "/api/token/", &headers, &body).expect_status(401);
    };
    for _ in 0..3 {
        fail("192.0.2.7", "alice");
    }
    fail("2001:db8:1:2:aaaa::1", "my secret");
    fail("2001:db8:1:2:bbbb::2", "other");
    fail("198.51.100.1", "alice");
    fail("198.51.100.1", "bob");
    fail("203.0.113.5", "nobody");
    fail("203.0.113.5", "alice");
    fail("203.0.113.5", "alice");
    server.advance(60);
    fail("192.0.2.7", "alice");
    assert_eq!(
        entries(&server, "login.failed"),
        [
            format!("alice|3|{alice}|Somebody|192.0.2.7"),
            "unknown account|2|-|Somebody|2001:db8:1:2::/64".to_owned(),
            "several accounts|2|-|Somebody|198.51.100.1".to_owned(),
            "several accounts|3|-|Somebody|203.0.113.5".to_owned(),
            format!("alice|1|{alice}|Somebody|192.0.2.7"),
        ]
    );
    assert_eq!(counted(&server)["login.failed"], 11);
    let everything =
        server.db.texts("SELECT object || actor || detail || coalesce(source, '') AS t FROM latchkey_audit_log");
    assert!(everything.iter().flatten().all(|text| !text.contains("secret") && !text.contains("wrong")));
}

both!(logins_and_logouts_are_written_down);
fn logins_and_logouts_are_written_down(backend: Backend) {
    let server = Server::start(backend);
    let root = server.add_superuser("root").id;
    let pair = server.log_in("root");
    log_out(&server, &pair, &json!({"refresh_token": pair.refresh}));
    log_out(&server, &pair, &json!({"all": true}));
    let other = server.log_in("root");
    server.client.post("/api/token/revoke/", &json!({"token": other.refresh})).expect_status(200);
    let mut panel = server.panel_of("root");
    let home = panel.get("/admin/");
    panel.submit(&home, "/admin/logout/", &[]).expect_status(303);
    let line = format!("root|1|{root}|root|127.0.0.1");
    assert_eq!(entries(&server, "login"), [line.clone(), line.clone()]);
    assert_eq!(entries(&server, "logout"), [line.clone(), line.clone()]);
    assert_eq!(entries(&server, "admin.login"), std::slice::from_ref(&line));
    assert_eq!(entries(&server, "admin.logout"), [line]);
    let jti = crate::harness::forge::jti(&other.refresh);
    assert_eq!(entries(&server, "token.revoke"), [format!("{jti}|1|{root}|Somebody|127.0.0.1")]);
}

both!(old_entries_of_the_audit_log_are_deleted);
fn old_entries_of_the_audit_log_are_deleted(backend: Backend) {
    let server = Server::with(backend, &[("AUDIT_LOG_RETENTION", "30 days")]);
    server.add_user("alice");
    server.advance(29 * DAY);
    server.log_in("alice");
    server.advance(DAY);
    let left = || server.db.texts("SELECT action AS t FROM latchkey_audit_log ORDER BY id");
    server.wait(upkeep::once(&server.app)).unwrap();
    assert_eq!(left().len(), 2);
    server.advance(1);
    server.wait(upkeep::once(&server.app)).unwrap();
    assert_eq!(left(), [Some("login".to_owned())]);
}

both!(an_audit_log_can_be_kept_for_ever);
fn an_audit_log_can_be_kept_for_ever(backend: Backend) {
    let server = Server::with(backend, &[("AUDIT_LOG_RETENTION", "0")]);
    server.add_user("alice");
    server.advance(4000 * DAY);
    server.wait(upkeep::once(&server.app)).unwrap();
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_audit_log"), 1);
}

both!(tokens_that_django_made_are_counted_once);
fn tokens_that_django_made_are_counted_once(backend: Backend) {
    let database = TestDatabase::django(backend);
    database.migrate().unwrap();
    let table = |name: &str, what: &str| database.count(&format!("SELECT count({what}) FROM token_blacklist_{name}"));
    let (made, blacklisted) = (table("outstandingtoken", "created_at"), table("blacklistedtoken", "*"));
    assert!(made > 0 && blacklisted > 0);
    let server = Server::on(database, &[]);
    server.add_user("zoe");
    server.log_in("zoe");
    for _ in 0..2 {
        server.wait(latchkey::accounts::backfill::run(&server.app)).unwrap();
        let counted = counted(&server);
        assert_eq!(counted["token.create"], made + 1);
        assert_eq!(counted["blacklisted.unknown"], blacklisted);
    }
    let hours = backend
        .pick("strftime('%Y-%m-%d %H', created_at)", "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')");
    let rollup = backend.pick("strftime('%Y-%m-%d %H', hour)", "to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')");
    assert_eq!(
        server.db.texts(&format!(
            "SELECT {hours} || ' ' || count(*) AS t FROM token_blacklist_outstandingtoken WHERE created_at IS NOT NULL \
             GROUP BY {hours} ORDER BY {hours}"
        )),
        server.db.texts(&format!(
            "SELECT {rollup} || ' ' || sum(count) AS t FROM latchkey_rollup WHERE event = 'token.create' \
             GROUP BY {rollup} ORDER BY {rollup}"
        )),
    );
}

both!(hours_become_days_when_they_are_old);
fn hours_become_days_when_they_are_old(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    for _ in 0..3 {
        server.log_in("alice");
        server.advance(3600);
    }
    let at = |seconds: i64| Instant::from_timestamp(NOW + seconds).unwrap();
    let sums = |bounds: Vec<Instant>| {
        let query =
            server.app.db.read(move |conn| latchkey_rollup::list_sums(conn, &["login", "user.create"], &bounds));
        let mut sums = server.wait(query).unwrap();
        sums.sort_by(|a, b| (&a.event, a.period).cmp(&(&b.event, b.period)));
        sums
    };
    let sum = |event: &str, period, count| Sum { event: event.to_owned(), period, count };
    let hours = || sums(vec![at(-3600), at(0), at(3600), at(7200), at(10800)]);
    let by_hour = [sum("login", 1, 1), sum("login", 2, 1), sum("login", 3, 1), sum("user.create", 1, 1)];
    assert_eq!(hours(), by_hour);
    server.advance(35 * DAY);
    server.wait(upkeep::once(&server.app)).unwrap();
    assert_eq!(hours(), by_hour);
    server.advance(DAY);
    server.wait(upkeep::once(&server.app)).unwrap();
    assert_eq!(hours(), []);
    let noon = 12 * 3600;
    assert_eq!(sums(vec![at(-noon), at(DAY - noon)]), [sum("login", 0, 3), sum("user.create", 0, 1)]);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_rollup"), 3);
}

both!(statistics_are_what_the_tables_hold);
fn statistics_are_what_the_tables_hold(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let old = server.log_in("alice");
    server.advance(DAY - 60);
    let pair = server.log_in("alice");
    let next = Pair::of(&server.refresh(&pair.refresh));
    server.log_in("alice");
    log_out(&server, &next, &json!({"refresh_token": next.refresh}));
    server.advance(60);
    server.refresh(&old.refresh).expect_status(401);
    server.wait(upkeep::once(&server.app)).unwrap();
    let statistics = || server.wait(server.app.db.read(latchkey_statistic::list)).unwrap();
    let values = |of: &latchkey_statistic::Statistics| {
        let all = <Statistic as strum::VariantArray>::VARIANTS.iter();
        all.map(|statistic| of.of(*statistic).unwrap().value).collect::<Vec<_>>()
    };
    // Users, active sessions, outstanding, live, expired and waiting, rotated, blacklisted, shared addresses.
    assert_eq!(values(&statistics()), [1, 1, 4, 1, 1, 1, 2, 0]);
    server.log_in("alice");
    server.wait(upkeep::once(&server.app)).unwrap();
    assert_eq!(values(&statistics()), [1, 1, 4, 1, 1, 1, 2, 0], "not again within the hour");
    server.advance(3600);
    server.wait(upkeep::once(&server.app)).unwrap();
    assert_eq!(values(&statistics()), [1, 2, 5, 2, 1, 1, 2, 0]);
}
