//! The pictures of docs/img/, of a site as it might be on a good day. Not a test: `scripts/screenshots` runs it.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::pages::log_in;
use super::webdriver::Browser;
use crate::harness::forge::jti;
use crate::harness::server::NOW;
use crate::harness::{Backend, PASSWORD, Pair, Server};

const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/141.0.0.0 Safari/537.36";
const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                   Version/18.5 Safari/605.1.15";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                     Version/18.5 Mobile/15E148 Safari/604.1";
const APP: &str = "okhttp/4.12.0";

/// Who has an account: username, first and last name.
const PEOPLE: [(&str, &str, &str); 9] = [
    ("alice", "Alice", "Okafor"),
    ("lena.weiss", "Lena", "Weiss"),
    ("tomas.reis", "Tomas", "Reis"),
    ("priya.nair", "Priya", "Nair"),
    ("jonas.lind", "Jonas", "Lind"),
    ("mei.tanaka", "Mei", "Tanaka"),
    ("omar.haddad", "Omar", "Haddad"),
    ("ines.moreau", "Inès", "Moreau"),
    ("build.robot", "", ""),
];

/// Who logs in where: minutes after the one before, what with, from where, and how often that is refreshed.
const LOGINS: [(&str, u32, &str, &str, u32); 12] = [
    ("lena.weiss", 3, LINUX, "198.51.100.17", 3),
    ("build.robot", 41, "python-requests/2.32.3", "192.0.2.80", 6),
    ("tomas.reis", 55, WINDOWS, "203.0.113.5", 1),
    ("priya.nair", 17, MAC, "2001:db8:40::7", 2),
    ("alice", 62, LINUX, "198.51.100.23", 2),
    ("jonas.lind", 8, APP, "203.0.113.99", 0),
    ("lena.weiss", 90, PHONE, "203.0.113.140", 1),
    ("mei.tanaka", 12, MAC, "198.51.100.60", 0),
    ("omar.haddad", 34, WINDOWS, "203.0.113.41", 1),
    ("ines.moreau", 21, LINUX, "2001:db8:a::12", 0),
    ("alice", 47, PHONE, "203.0.113.141", 1),
    ("priya.nair", 5, APP, "203.0.113.8", 0),
];

struct Demo {
    server: Server,
    /// What stands for `{…}` in the addresses.
    places: Vec<(&'static str, String)>,
}

impl Demo {
    fn new() -> Self {
        let server = Server::with(Backend::Sqlite, &[("TRUSTED_PROXIES", "127.0.0.1")]);
        server.add_superuser("root");
        for (username, first, last) in PEOPLE {
            server.add(username, |user| {
                (user.first_name, user.last_name) = (first.to_owned(), last.to_owned());
                user.is_staff = username == "lena.weiss";
            });
        }
        let mut demo = Self { server, places: Vec::new() };
        demo.live_through_a_day();
        demo.count_a_month();
        demo
    }

    fn post(&self, path: &str, agent: &str, ip: &str, body: &serde_json::Value) -> crate::harness::Answer {
        let headers = [("content-type", "application/json"), ("user-agent", agent), ("x-forwarded-for", ip)];
        self.server.client.send("POST", path, &headers, body.to_string())
    }

    fn live_through_a_day(&mut self) {
        let mut shown = None;
        for (username, minutes, agent, ip, refreshes) in LOGINS {
            self.server.advance(i64::from(minutes) * 60);
            let body = json!({"username": username, "password": PASSWORD});
            let mut pair = Pair::of(&self.post("/api/token/", agent, ip, &body));
            for _ in 0..refreshes {
                self.server.advance(23 * 60 + 11);
                let body = json!({"refresh": pair.refresh});
                let next = Pair::of(&self.post("/api/token/refresh/", agent, ip, &body));
                shown = Some((pair.clone(), next.clone()));
                pair = next;
            }
            if username == "jonas.lind" {
                let body = json!({"refresh": pair.refresh});
                self.post("/api/token/blacklist/", agent, ip, &body).expect_status(200);
            }
        }
        // A token of Alice's phone was copied: it comes back after its rotation.
        let (rotated, latest) = shown.unwrap();
        self.server.advance(1800);
        self.post("/api/token/refresh/", APP, "192.0.2.200", &json!({"refresh": rotated.refresh})).expect_status(401);
        for _ in 0..7 {
            let wrong = json!({"username": "root", "password": "letmein"});
            // The last of them are throttled.
            self.post("/api/token/", "curl/8.5.0", "192.0.2.200", &wrong);
        }
        self.server.advance(240);
        let tokens = "SELECT max(o.id) FROM token_blacklist_outstandingtoken o JOIN auth_user u ON u.id = o.user_id WHERE username = ";
        self.places = vec![
            ("lena", self.server.db.count("SELECT id FROM auth_user WHERE username = 'lena.weiss'").to_string()),
            ("live", self.server.db.count(&format!("{tokens}'lena.weiss'")).to_string()),
            ("copied", rotated.refresh.clone()),
            ("latest", jti(&latest.refresh)),
            ("session", self.session_of(&rotated)),
        ];
    }

    fn session_of(&self, pair: &Pair) -> String {
        let id = self.server.token_id(&pair.refresh);
        self.server.db.text(&format!("SELECT session_id AS t FROM latchkey_token WHERE token_id = {id}")).unwrap()
    }

    /// What happened in the 30 days before, as the charts have it: more by day than by night, less at the weekend.
    fn count_a_month(&self) {
        let mut rows = Vec::new();
        for hour in 1..720_i64 {
            let at = NOW / 3600 - hour;
            let (of_day, of_week) = (at % 24, at / 24 % 7);
            let weight = if (7..20).contains(&of_day) { 8 - (of_day - 13).abs() / 2 } else { 1 };
            let weight = if matches!(of_week, 2 | 3) { weight.div_euclid(3) } else { weight } * (9 + at * 7919 % 4);
            for (event, often) in [
                ("token.refresh", 3 * weight),
                ("token.create", 4 * weight),
                ("login", weight),
                ("login.failed", weight / 9 + i64::from(hour % 191 == 0) * 160),
                ("blacklisted.rotated", 3 * weight),
                ("blacklisted.logout", weight / 3),
                ("blacklisted.admin", i64::from(hour % 97 == 0)),
                ("blacklisted.reuse", i64::from(hour % 211 == 0) * 4),
                ("session.reuse", i64::from(hour % 211 == 0)),
            ] {
                rows.push(format!("('{event}', datetime({}, 'unixepoch'), 0, {often})", at * 3600));
            }
        }
        let sql =
            format!("INSERT OR IGNORE INTO latchkey_rollup (event, hour, shard, count) VALUES {}", rows.join(", "));
        self.server.db.execute(&sql);
    }

    fn fill_in(&self, text: &str) -> String {
        self.places.iter().fold(text.to_owned(), |text, (name, place)| text.replace(&format!("{{{name}}}"), place))
    }
}

/// A picture: its name, the page, what is pasted there, and how it is looked at.
type Picture = (&'static str, &'static str, &'static str, &'static [(u32, &'static str)]);

const DESK: (u32, &str) = (1280, "light");
const DESK_AT_NIGHT: (u32, &str) = (1280, "dark");
const POCKET: (u32, &str) = (390, "light");
const POCKET_AT_NIGHT: (u32, &str) = (390, "dark");

const PICTURES: [Picture; 10] = [
    ("dashboard", "/admin/", "", &[DESK, DESK_AT_NIGHT, POCKET_AT_NIGHT]),
    ("users", "/admin/auth/user/", "", &[DESK]),
    ("user", "/admin/auth/user/{lena}/change/", "", &[DESK_AT_NIGHT]),
    ("outstanding", "/admin/token_blacklist/outstandingtoken/", "", &[DESK, DESK_AT_NIGHT, POCKET]),
    ("session", "/admin/sessions/{session}/", "", &[DESK]),
    ("settings", "/admin/settings/", "", &[DESK]),
    ("audit-log", "/admin/audit_log/", "", &[DESK]),
    ("sessions", "/admin/sessions/", "", &[POCKET_AT_NIGHT]),
    ("token", "/admin/token_blacklist/outstandingtoken/{live}/change/", "", &[DESK]),
    ("explain", "/admin/explain/", "{copied}", &[DESK, POCKET]),
];

#[test]
#[ignore = "takes the pictures for scripts/screenshots"]
fn pictures_are_taken() {
    let demo = Demo::new();
    let base = format!("http://127.0.0.1:{}", demo.server.port);
    let browser = Browser::open();
    browser.go(&format!("{base}/admin/login/"));
    log_in(&browser);
    browser.hide_scrollbars();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/img");
    for (name, path, pasted, looks) in PICTURES {
        for (width, scheme) in looks {
            browser.prefer(scheme);
            browser.narrow(*width);
            browser.go(&format!("{base}{}", demo.fill_in(path)));
            if !pasted.is_empty() {
                browser.find("main textarea").fill(&demo.fill_in(pasted));
                browser.find("main form button.primary").open();
            }
            let kind = if *width < 500 { "-phone" } else { "" };
            let picture = STANDARD.decode(browser.screenshot()).unwrap();
            std::fs::write(folder.join(format!("{name}{kind}-{scheme}.png")), picture).unwrap();
        }
    }
}
