//! Guessing: tries are counted before they are looked at, for each address, for each account at an address and for each
//! account; whoever tries too much waits, and the owner at home never does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use latchkey::guard::throttle::{ACCOUNT, ACCOUNT_AT_ADDRESS, ADDRESS, DEVICES_TOLD};
use serde_json::json;

use crate::harness::{Answer, Backend, PASSWORD, Server};

const HOME: &str = "198.51.100.77";

fn behind_a_proxy(backend: Backend) -> Server {
    Server::with(backend, &[("TRUSTED_PROXIES", "127.0.0.1")])
}

fn free(tries: i32) -> usize {
    usize::try_from(tries).unwrap()
}

impl Server {
    /// A login from an address of the world behind the proxy.
    fn try_from(&self, address: &str, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password}).to_string();
        let headers = [("x-forwarded-for", address), ("content-type", "application/json")];
        self.client.send("POST", "/api/token/", &headers, body)
    }

    fn counted_events(&self, event: &str) -> i64 {
        self.db.count(&format!("SELECT coalesce(sum(count), 0) FROM latchkey_rollup WHERE event = '{event}'"))
    }
}

#[track_caller]
fn assert_waits(answer: &Answer, seconds: u64) {
    let plural = if seconds == 1 { "" } else { "s" };
    let detail = format!("Request was throttled. Expected available in {seconds} second{plural}.");
    assert_eq!((answer.status, answer.json()), (429, json!({"detail": detail})));
    assert_eq!(answer.header("retry-after"), Some(&*seconds.to_string()));
}

both!(wrong_passwords_of_one_account_at_one_address_wait_longer_and_longer);
fn wrong_passwords_of_one_account_at_one_address_wait_longer_and_longer(backend: Backend) {
    let server = behind_a_proxy(backend);
    server.add_user("alice");
    for _ in 0..ACCOUNT_AT_ADDRESS.free {
        server.try_from("192.0.2.1", "alice", "x").expect_status(401);
    }
    for seconds in [1, 2, 4, 8] {
        // Waiting tries are not looked at, so the right password waits too, and they do not count.
        assert_waits(&server.try_from("192.0.2.1", "alice", PASSWORD), seconds);
        assert_waits(&server.try_from("192.0.2.1", "alice", "x"), seconds);
        server.advance(i64::try_from(seconds).unwrap());
        server.try_from("192.0.2.1", "alice", "x").expect_status(401);
    }
    server.advance(16);
    server.try_from("192.0.2.1", "alice", PASSWORD).expect_status(200);
    for _ in 0..ACCOUNT_AT_ADDRESS.free {
        server.try_from("192.0.2.1", "alice", "x").expect_status(401);
    }
    assert_eq!(server.try_from("192.0.2.1", "alice", "x").status, 429);
}

both!(who_is_unknown_waits_just_the_same);
fn who_is_unknown_waits_just_the_same(backend: Backend) {
    let server = behind_a_proxy(backend);
    server.add_user("alice");
    let inactive = server.add_user("carol");
    server.set_active(inactive.id, false);
    let answers = |name: &str, from: &str| -> Vec<(u16, Vec<u8>)> {
        (0..8).map(|_| server.try_from(from, name, "x")).map(|answer| (answer.status, answer.body)).collect()
    };
    let known = answers("alice", "192.0.2.1");
    assert_eq!(known[7].0, 429);
    assert_eq!(known, answers("nobody", "192.0.2.2"));
    assert_eq!(known, answers("carol", "192.0.2.3"));
}

both!(one_address_that_tries_many_accounts_waits);
fn one_address_that_tries_many_accounts_waits(backend: Backend) {
    let server = behind_a_proxy(backend);
    server.add_user("alice");
    for number in 0..ADDRESS.free {
        server.try_from("2001:db8:1:2::1", &format!("user{number}"), "x").expect_status(401);
    }
    // All of a /64 are one customer's; the next /64 is somebody else's.
    assert_waits(&server.try_from("2001:db8:1:2:ffff::9", "alice", PASSWORD), ADDRESS.longest.as_secs());
    server.try_from("2001:db8:1:3::1", "alice", PASSWORD).expect_status(200);
    server.advance(10);
    server.try_from("2001:db8:1:2::1", "alice", PASSWORD).expect_status(200);
}

both!(ten_thousand_tries_from_many_addresses_do_not_keep_the_owner_out);
fn ten_thousand_tries_from_many_addresses_do_not_keep_the_owner_out(backend: Backend) {
    const TRIES: usize = 10_000;
    let server = Arc::new(behind_a_proxy(backend));
    server.add_user("alice");
    server.try_from(HOME, "alice", PASSWORD).expect_status(200);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let number @ ..TRIES = next.fetch_add(1, Ordering::Relaxed) {
                    let from = format!("10.{}.{}.7", number % 200, number % 251);
                    let answer = server.try_from(&from, "alice", &format!("guess {number}"));
                    assert!([401, 429].contains(&answer.status), "{}", answer.text());
                }
            });
        }
        for _ in 0..20 {
            server.try_from(HOME, "alice", PASSWORD).expect_status(200);
        }
    });
    let (looked_at, held_back) = (server.counted_events("login.failed"), server.counted_events("login.throttled"));
    assert_eq!(looked_at, i64::from(ACCOUNT.free));
    assert_eq!(looked_at + held_back, i64::try_from(TRIES).unwrap());
    server.try_from(HOME, "alice", PASSWORD).expect_status(200);
    // From elsewhere the owner is a stranger, for a while.
    assert_waits(&server.try_from("203.0.113.9", "alice", PASSWORD), 1);
    server.advance(1);
    server.try_from("203.0.113.9", "alice", PASSWORD).expect_status(200);
}

both!(a_guess_at_home_does_count);
fn a_guess_at_home_does_count(backend: Backend) {
    let server = behind_a_proxy(backend);
    server.add_user("alice");
    server.try_from(HOME, "alice", PASSWORD).expect_status(200);
    for _ in 0..ACCOUNT_AT_ADDRESS.free {
        server.try_from(HOME, "alice", "x").expect_status(401);
    }
    assert_eq!(server.try_from(HOME, "alice", PASSWORD).status, 429);
    server.try_from("203.0.113.9", "alice", PASSWORD).expect_status(200);
}

both!(an_address_is_forgotten_after_a_month);
fn an_address_is_forgotten_after_a_month(backend: Backend) {
    let server = behind_a_proxy(backend);
    server.add_user("alice");
    server.try_from(HOME, "alice", PASSWORD).expect_status(200);
    server.advance(30 * 86_400 + 1);
    for number in 0..ACCOUNT.free {
        server.try_from(&format!("192.0.2.{number}"), "alice", "x").expect_status(401);
    }
    assert_eq!(server.try_from(HOME, "alice", PASSWORD).status, 429);
}

both!(many_at_once_are_no_more_than_one_by_one);
fn many_at_once_are_no_more_than_one_by_one(backend: Backend) {
    let server = behind_a_proxy(backend);
    server.add_user("alice");
    let looked_at = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| match server.try_from("192.0.2.1", "alice", "x").status {
                401 => drop(looked_at.fetch_add(1, Ordering::Relaxed)),
                status => assert_eq!(status, 429),
            });
        }
    });
    assert_eq!(looked_at.into_inner(), free(ACCOUNT_AT_ADDRESS.free));
}

both!(instances_count_together_and_a_restart_forgets_nothing);
fn instances_count_together_and_a_restart_forgets_nothing(backend: Backend) {
    let settings = [("TRUSTED_PROXIES", "127.0.0.1")];
    let first = Server::with(backend, &settings);
    first.add_user("alice");
    let db = Arc::clone(&first.db);
    let second = Server::on(Arc::clone(&db), &settings);
    for number in 0..ACCOUNT_AT_ADDRESS.free {
        let server = if number % 2 == 0 { &first } else { &second };
        server.try_from("192.0.2.1", "alice", "x").expect_status(401);
    }
    assert_waits(&first.try_from("192.0.2.1", "alice", PASSWORD), 1);
    assert_waits(&second.try_from("192.0.2.1", "alice", PASSWORD), 1);
    drop((first, second));
    let third = Server::on(db, &settings);
    assert_waits(&third.try_from("192.0.2.1", "alice", PASSWORD), 1);
}

both!(every_door_that_takes_a_password_counts);
fn every_door_that_takes_a_password_counts(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let wrong = json!({"username": "root", "password": "x"});
    let mut panel = server.panel_of("root");
    server.client.post("/api/token/", &wrong).expect_status(401);
    server.client.post("/api/v1/token/", &wrong).expect_status(401);
    server.client.post("/api/token/sliding/", &wrong).expect_status(401);
    server.panel().log_in("root", "x").expect_status(200);
    let account = panel.get("/admin/account/");
    let fields = [("old_password", "x"), ("password1", "violet-harbour-18"), ("password2", "violet-harbour-18")];
    panel.submit(&account, "/admin/account/password/", &fields);
    for path in ["/api/token/", "/api/v1/token/", "/api/token/sliding/"] {
        assert_waits(&server.client.post(path, &wrong), 1);
    }
    for page in [server.panel().log_in("root", PASSWORD), panel.submit(&account, "/admin/account/password/", &fields)] {
        assert_eq!((page.status, page.header("retry-after")), (429, Some("1")));
        assert!(page.text().contains("Try again in 1 second."), "{}", page.text());
    }
}

both!(nobody_waits_where_throttling_is_off);
fn nobody_waits_where_throttling_is_off(backend: Backend) {
    let server = Server::with(backend, &[("LOGIN_THROTTLE", "false")]);
    server.add_user("alice");
    for _ in 0..ADDRESS.free + 5 {
        server.obtain("alice", "x").expect_status(401);
    }
    server.log_in("alice");
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_throttle"), 0);
}

both!(a_login_from_a_new_device_is_told_by_mail);
fn a_login_from_a_new_device_is_told_by_mail(backend: Backend) {
    let server = behind_a_proxy(backend);
    server.add_user("alice");
    let mails = || server.db.count("SELECT count(*) FROM latchkey_mail WHERE template = 'new_device'");
    for (address, expected) in [(HOME, 0), (HOME, 0), ("203.0.113.9", 1), ("203.0.113.9", 1), (HOME, 1)] {
        server.advance(60);
        server.try_from(address, "alice", PASSWORD).expect_status(200);
        assert_eq!(mails(), expected, "{address}");
    }
    server.db.execute("UPDATE auth_user SET is_staff = true");
    server.panel_of("alice");
    assert_eq!(mails(), 2, "the panel is a door too");
    let mail = server.db.texts("SELECT recipient || ' ' || parameters AS t FROM latchkey_mail ORDER BY id").remove(0);
    let mail = mail.unwrap();
    assert!(mail.starts_with("alice@example.com ") && mail.contains("203.0.113.9"), "{mail}");
}

both!(nobody_is_told_of_devices_where_security_mail_is_off);
fn nobody_is_told_of_devices_where_security_mail_is_off(backend: Backend) {
    let server = Server::with(backend, &[("TRUSTED_PROXIES", "127.0.0.1"), ("SECURITY_MAIL", "false")]);
    server.add_user("alice");
    for address in [HOME, "203.0.113.9"] {
        server.try_from(address, "alice", PASSWORD).expect_status(200);
    }
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_mail"), 0);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_device"), 2);
}

both!(a_strangers_page_cannot_make_its_visitors_wait);
fn a_strangers_page_cannot_make_its_visitors_wait(backend: Backend) {
    let server = Server::with(backend, &[("CORS_ALLOWED_ORIGINS", "https://app.example.com")]);
    server.add_user("alice");
    let send = |origin: &str, password: &str| {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", origin),
            ("sec-fetch-site", "cross-site"),
        ];
        server.client.send("POST", "/api/token/", &headers, format!("username=alice&password={password}")).status
    };
    for _ in 0..10 {
        assert_eq!(send("https://evil.example.com", "x"), 403);
        assert_eq!(send("null", "x"), 403);
    }
    assert_eq!(send("https://app.example.com", PASSWORD), 200);
    server.log_in("alice");
}

both!(a_flood_of_devices_is_told_a_few_times_and_forgets_no_address);
fn a_flood_of_devices_is_told_a_few_times_and_forgets_no_address(backend: Backend) {
    let server = behind_a_proxy(backend);
    server.add_user("alice");
    server.try_from(HOME, "alice", PASSWORD).expect_status(200);
    for number in 0..150 {
        let body = json!({"username": "alice", "password": PASSWORD}).to_string();
        let agent = format!("ua{number}/1");
        let headers =
            [("x-forwarded-for", "203.0.113.9"), ("user-agent", &*agent), ("content-type", "application/json")];
        server.client.send("POST", "/api/token/", &headers, body).expect_status(200);
    }
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_mail"), i64::from(DEVICES_TOLD.free));
    let at_home = format!("SELECT count(*) FROM latchkey_device WHERE network = '{HOME}'");
    assert_eq!((server.db.count(&at_home), server.db.count("SELECT count(*) FROM latchkey_device")), (1, 6));
}
