//! The sites on which every page of `pages` is looked at: an ordinary one, and one where everything that comes from outside
//! is hostile; and how a page is opened there, over HTTP and in a browser.

use std::collections::BTreeMap;

use latchkey::accounts::account_session;
use latchkey::db::DbError;
use latchkey::factors::{code, remembered_browser};
use latchkey::journal::authentication::{AuthenticatedBy, FactorKind, Method};
use latchkey::journal::{Client, Door};
use secrecy::ExposeSecret;
use serde_json::json;

use super::pages::{LOGIN, OUTSTANDING, Page};
use super::webdriver::Browser;
use crate::harness::forge::jti;
use crate::harness::{Answer, Backend, PASSWORD, Pair, Panel, Server};

/// The server with something on each of its pages.
pub struct Site {
    pub server: Server,
    places: BTreeMap<&'static str, String>,
    /// Cookies of visits to one's own account.
    visits: BTreeMap<&'static str, String>,
}

/// What would do harm on a page that took it for more than text, and what no layout expects.
pub const HOSTILE: [&str; 6] = [
    "<b data-injected>x</b><img src=x data-injected onerror=alert(1)><script data-injected>alert(1)</script>",
    "\" data-injected autofocus onfocus=\"alert(1)' data-injected onfocus='alert(1)",
    "=cmd|' /C calc'!A0,+1,-1,@SUM(1;\t{{7*7}}${7*7}&lt;b&gt;</title></textarea></main>",
    "\u{202e}drawkcab\u{202c} \u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{645}\u{631}\u{62d}\u{628}\u{627} \u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467} Z\u{353}\u{36b}\u{34a}a\u{34a}lgo\u{361}",
    "a150",
    "javascript:alert(1)//http://evil.example/?a=1&b=2#</style><!--",
];

/// A mail that left, one that is tried again, one that was given up, and one that waits.
const MAILS: &str = "INSERT INTO latchkey_mail (created_at, user_id, recipient, subject, template, parameters, status, \
    attempts, next_at, give_up_at, done_at, error) VALUES \
    ('2026-03-01 12:00:00', (SELECT id FROM auth_user WHERE username = 'alice'), 'alice@example.com', \
     'New login to your Latchkey account', 'new_device', '{}', 'sent', 1, NULL, '2026-03-02 12:00:00', \
     '2026-03-01 12:00:01', NULL), \
    ('2026-03-01 12:10:00', NULL, 'nobody@example.net', 'Confirm your email address for Latchkey', 'email_confirm', \
     '{}', 'failed', 1, NULL, '2026-03-02 12:00:00', '2026-03-01 12:10:02', \
     'The mail server mail.example.com:587 answered 550: 5.1.1 <nobody@example.net> User unknown in virtual mailbox table.'), \
    ('2026-03-01 15:00:00', (SELECT id FROM auth_user WHERE username = 'lena'), 'lena@example.com', \
     'Reset your password for Latchkey', 'password_reset', '{}', 'queued', 3, '2026-03-01 15:30:00', \
     '2026-03-02 12:00:00', NULL, 'The mail server mail.example.com:587 cannot be used: Connection refused (os error 111).'), \
    ('2026-03-01 15:14:00', (SELECT id FROM auth_user WHERE username = 'alice'), 'alice@example.com', \
     'Your password for Latchkey was changed', 'password_changed', '{}', 'queued', 0, '2026-03-01 15:14:00', \
     '2026-03-02 12:00:00', NULL, NULL)";

/// Of a visit to one's own account.
const COOKIE: &str = "latchkey_account";

/// A user agent with nothing unusual about it.
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

impl Site {
    /// Alice has a live session, one that she left and one that was copied; Tomas may not log in any more.
    pub fn seeded(backend: Backend) -> Self {
        Self::with(backend, FIREFOX)
    }

    /// The same, where everything that comes from outside is hostile.
    pub fn hostile(backend: Backend) -> Self {
        let mut site = Self::with(backend, HOSTILE[0]);
        let db = &site.server.db;
        for (at, name) in ["alice", "lena", "tomas"].iter().enumerate() {
            for (column, most) in [("email", 254), ("first_name", 150), ("last_name", 150), ("username", 150)] {
                let text = hostile(at + column.len(), most).replace('\'', "''");
                db.execute(&format!("UPDATE auth_user SET {column} = '{text}' WHERE username = '{name}'"));
            }
        }
        for (table, column, most) in [
            ("latchkey_session", "user_agent", 255),
            ("latchkey_session", "label", 100),
            ("latchkey_session", "ended_by", 150),
            ("latchkey_token", "blacklisted_by", 150),
            ("latchkey_mail", "recipient", 254),
            ("latchkey_mail", "subject", 250),
            ("latchkey_mail", "error", 500),
            ("latchkey_browser", "ip", 45),
            ("latchkey_second_factor", "name", 100),
            ("latchkey_second_factor", "data", 100),
            ("latchkey_audit_log", "actor", 150),
            ("latchkey_audit_log", "object", 255),
        ] {
            let text = hostile(table.len() + column.len(), most).replace('\'', "''");
            db.execute(&format!("UPDATE {table} SET {column} = '{text}' WHERE {column} IS NOT NULL"));
        }
        site.name_lena();
        site.make_links();
        for text in 0..HOSTILE.len() {
            site.server.obtain(&hostile(text, 150), "wrong").expect_status(401);
        }
        site
    }

    fn with(backend: Backend, user_agent: &str) -> Self {
        // What a setting is where it is not set may depend on the database.
        let server = Server::with(backend, &[("AUTO_MIGRATE", "true"), ("PASSWORD_RULES", "nist")]);
        server.add_superuser("root");
        let mut places = BTreeMap::new();
        for name in ["alice", "lena"] {
            places.insert(name, server.add_user(name).id.to_string());
        }
        server.db.execute("UPDATE auth_user SET is_staff = true WHERE username = 'lena'");
        let tomas = server.add_user("tomas").id;
        server.obtain("alice", "wrong").expect_status(401);
        let log_in = |name: &str| {
            let body = json!({"username": name, "password": PASSWORD}).to_string();
            let headers = [("content-type", "application/json"), ("user-agent", user_agent)];
            server.advance(60);
            Pair::of(&server.client.send("POST", "/api/token/", &headers, body))
        };
        let left = log_in("alice");
        server.client.post("/api/token/blacklist/", &json!({"refresh": left.refresh})).expect_status(200);
        let copied = log_in("alice");
        server.advance(3600);
        let next = Pair::of(&server.refresh(&copied.refresh));
        server.advance(3600);
        server.refresh(&next.refresh).expect_status(200);
        server.advance(3600);
        server.refresh(&copied.refresh).expect_status(401);
        let first = log_in("alice");
        server.advance(600);
        let live = Pair::of(&server.refresh(&first.refresh));
        let taken = server.token_id(&log_in("lena").refresh);
        let mut root = server.panel_of("root");
        let question = root.get(&format!("{OUTSTANDING}{taken}/blacklist/"));
        root.submit(&question, "/blacklist/", &[]).expect_status(303);
        log_in("tomas");
        server.set_active(tomas, false);
        server.db.execute(MAILS);

        places.insert("live", server.token_id(&live.refresh).to_string());
        places.insert("live_jti", jti(&live.refresh));
        places.insert("live_token", live.refresh.clone());
        let rotated = server.token_id(&first.refresh);
        places.insert("rotated", rotated.to_string());
        let find = |sql: &str| server.db.count(sql).to_string();
        for (name, token) in [("entry", rotated), ("taken", taken)] {
            let entry = format!("SELECT id FROM token_blacklist_blacklistedtoken WHERE token_id = {token}");
            places.insert(name, find(&entry));
        }
        places.insert("rotated_jti", jti(&first.refresh));
        let session = format!("SELECT session_id AS t FROM latchkey_token WHERE token_id = {rotated}");
        places.insert("session", server.db.text(&session).unwrap());
        places.insert("tomas", tomas.to_string());
        let mut site = Self { server, places, visits: BTreeMap::new() };
        site.make_links();
        site.name_lena();
        site.make_visits(user_agent);
        site
    }

    /// Links to alice as they are now: one for a new password, one to another address.
    fn make_links(&mut self) {
        let alice = self.places["alice"].clone();
        for (place, purpose) in [("reset_token", "password_reset"), ("email_token", "email_change")] {
            let token = self.server.link(&alice, purpose, "alice@example.org");
            self.places.insert(place, token);
        }
    }

    /// What lena logs in with.
    fn name_lena(&mut self) {
        let name = format!("SELECT username AS t FROM auth_user WHERE id = {}", self.places["lena"]);
        self.places.insert("lena_name", self.server.db.text(&name).unwrap());
    }

    /// Lena has an app, codes by email and a browser that is remembered, root has nothing; both have a visit.
    fn make_visits(&mut self, user_agent: &str) {
        let factor = |kind: &str, name: &str, data: &str| {
            format!(
                "INSERT INTO latchkey_second_factor (user_id, kind, name, data, created_at) VALUES \
                ({}, '{kind}', '{name}', '{data}', '2026-03-01 12:00:00')",
                self.places["lena"]
            )
        };
        for sql in [factor("totp", "My phone", "x"), factor("email", "Codes by email", "lena@example.com")] {
            self.server.db.execute(&sql);
        }
        let id = self.server.db.count("SELECT min(id) FROM latchkey_second_factor");
        self.places.insert("factor", id.to_string());
        let client = Client { ip: "203.0.113.9".parse().ok(), user_agent: user_agent.to_owned(), door: Door::Api };
        for (name, what) in [("root", "password"), ("lena", "factor")] {
            let client = client.clone();
            let token = self.server.wait(self.server.app.write(move |tx| {
                let user = tx.app.users.find_by_name(tx.conn, name)?.ok_or(DbError::NotFound)?;
                if what == "factor" {
                    remembered_browser::remember(tx, &user, &client)?;
                    code::replace(tx, user.id)?;
                }
                let totp = AuthenticatedBy::Factor(Method::Factor(FactorKind::Totp));
                let by = if what == "factor" { totp } else { AuthenticatedBy::Password };
                account_session::open(tx, &user, &client, by)
            }));
            self.visits.insert(name, token.unwrap().expose_secret().to_owned());
        }
    }

    /// The cookie that a page is seen with.
    fn cookie(&self, page: &Page) -> &str {
        self.visits.get(page.visitor).map_or(page.visitor, String::as_str)
    }

    /// An address or a field with its words replaced.
    fn fill_in(&self, text: &str) -> String {
        self.places.iter().fold(text.to_owned(), |text, (name, place)| text.replace(&format!("{{{name}}}"), place))
    }

    /// The page over HTTP.
    #[track_caller]
    pub fn get(&self, panel: &mut Panel, page: &Page) -> Answer {
        panel.set_cookie(COOKIE, self.cookie(page));
        let opened = panel.get(&self.fill_in(page.path));
        match page.form {
            None => opened,
            Some((action, fields)) => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, self.fill_in(value))).collect();
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
                panel.submit(&opened, action, &fields)
            }
        }
    }

    /// The page in a browser that has logged in.
    pub fn open(&self, browser: &Browser, page: &Page) {
        let here = format!("http://127.0.0.1:{}", self.server.port);
        if page.path.starts_with("/account/") {
            browser.go(&format!("{here}/account/password/reset/"));
            browser.set_cookie(COOKIE, self.cookie(page), "/account/");
        }
        browser.go(&format!("{here}{}", self.fill_in(page.path)));
        let Some((action, fields)) = page.form else { return };
        let form = format!("main form[method=post][action*='{action}']");
        for (name, value) in fields {
            // A box is ticked where it has this value; anything else gets it.
            let script = "const [form, name, value] = arguments;\
                for (const field of document.querySelector(form).elements) if (field.name === name)\
                    if (field.type === 'checkbox') field.checked ||= field.value === value; else field.value = value";
            browser.ask_of(script, &[json!(form), json!(name), json!(self.fill_in(value))]);
        }
        browser.find(&format!("{form} button:not([type=button])")).open();
    }

    /// A browser in which root has logged in.
    pub fn browser(&self) -> Browser {
        let browser = Browser::open();
        self.open(&browser, &LOGIN);
        log_in(&browser);
        browser
    }

    /// Goes through a journey of root's twice, with the pages' scripts and without them.
    pub fn with_and_without_scripts(&self, mut journey: impl FnMut(&Browser, bool)) {
        let browser = self.browser();
        for run in [true, false] {
            browser.run_scripts(run);
            journey(&browser, run);
        }
    }
}

/// Logs root in on the page of the login.
pub fn log_in(browser: &Browser) {
    browser.find("input[name=username]").fill("root");
    browser.find("input[name=password]").fill(PASSWORD);
    browser.find("main button[type=submit]").open();
}

/// One of the hostile texts; 150 letters without a space are one, too.
fn hostile(at: usize, most: usize) -> String {
    let text = HOSTILE[at % HOSTILE.len()];
    let text = if text == "a150" { "W".repeat(150) } else { text.to_owned() };
    // Usernames are unique, whatever they are made of.
    text.chars().take(most - 2).collect::<String>() + &at.to_string()
}
