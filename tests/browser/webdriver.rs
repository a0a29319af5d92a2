//! A `WebDriver` client of the few commands that the journeys need (<https://www.w3.org/TR/webdriver2/>).
//! It starts the driver on a free port and ends it, and with it the browser, when it is dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::Client;

/// The key under which `WebDriver` names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Chromium as root, in a container, with nothing that calls home.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// No page of ours takes this long; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A headless browser with an empty profile. Commands go to one of its tabs.
pub struct Browser {
    client: Client,
    session: String,
    _driver: Driver,
    _folder: TempDir,
}

/// A tab, as the driver calls it.
pub struct Tab(String);

/// Something on a page.
pub struct Element<'a> {
    browser: &'a Browser,
    id: String,
}

impl Browser {
    pub fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (driver, port) = Driver::start(folder.path());
        let client = Client::new(port);
        let mut args: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        args.push(format!("--user-data-dir={}", folder.path().join("profile").display()));
        let options = json!({"args": args});
        let wanted = json!({"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
        let wanted = json!({"capabilities": {"alwaysMatch": wanted}});
        let answer = client.post("/session", &wanted).expect_status(200).json();
        let session = answer["value"]["sessionId"].as_str().unwrap().to_owned();
        Self { client, session, _driver: driver, _folder: folder }
    }

    /// Opens an address and waits until the page is loaded.
    pub fn go(&self, url: &str) {
        self.command("POST", "/url", &json!({"url": url}));
    }

    pub fn address(&self) -> String {
        self.command("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// The text of the page as a reader sees it.
    pub fn text(&self) -> String {
        self.find("body").text()
    }

    /// The element of a CSS selector.
    #[track_caller]
    pub fn find(&self, css: &str) -> Element<'_> {
        self.locate("", "css selector", css)
    }

    /// Opens a second tab and goes there; answers the one that it comes from.
    pub fn open_tab(&self) -> Tab {
        let opened = self.command("POST", "/window/new", &json!({"type": "tab"}));
        self.switch_to(&Tab(opened["handle"].as_str().unwrap().to_owned()))
    }

    /// Goes to another tab; answers the one that it comes from.
    pub fn switch_to(&self, tab: &Tab) -> Tab {
        let here = self.command("GET", "/window", &Value::Null).as_str().unwrap().to_owned();
        self.command("POST", "/window", &json!({"handle": tab.0}));
        Tab(here)
    }

    /// Waits until the page says this.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.text().contains(text) {
            assert!(Instant::now() < deadline, "no {text} in\n{}", self.text());
        }
    }

    /// Gives the browser an authenticator of its own, as a phone or laptop has one: it says yes to everything, and keeps
    /// its passkeys until the browser ends (WebAuthn Level 3, 11).
    pub fn add_authenticator(&self) {
        let wanted = json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserVerified": true,
        });
        self.command("POST", "/webauthn/authenticator", &wanted);
    }

    /// Gives the browser a cookie for the site that is open.
    pub fn set_cookie(&self, name: &str, value: &str, path: &str) {
        let cookie = json!({"name": name, "value": value, "path": path, "httpOnly": true});
        self.command("POST", "/cookie", &json!({"cookie": cookie}));
    }

    /// Makes the window as large as a screen.
    pub fn resize(&self, width: u32, height: u32) {
        self.command("POST", "/window/rect", &json!({"width": width, "height": height}));
    }

    /// What a function body answers in the page.
    #[track_caller]
    pub fn ask(&self, script: &str) -> Value {
        self.ask_of(script, &[])
    }

    /// The same with arguments. What is answered may be a promise.
    #[track_caller]
    pub fn ask_of(&self, script: &str, arguments: &[Value]) -> Value {
        self.command("POST", "/execute/sync", &json!({"script": script, "args": arguments}))
    }

    /// Presses a key where the focus is, as the standard codes it.
    pub fn press(&self, key: char) {
        let keys = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        self.command("POST", "/actions", &json!({"actions": [{"type": "key", "id": "keys", "actions": keys}]}));
    }

    /// Shows pages as a screen of this width does, however narrow.
    pub fn narrow(&self, width: u32) {
        let screen = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// What the visitor's system prefers: `light` or `dark`, and nothing that moves.
    pub fn prefer(&self, scheme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Whether the pages' own scripts run. `ask` works either way.
    pub fn run_scripts(&self, run: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": !run}));
    }

    /// What the console said since the last call: errors, policies that were broken, requests that failed.
    pub fn console(&self) -> Vec<String> {
        let entries = self.command("POST", "/se/log", &json!({"type": "browser"}));
        entries.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Shows none from here on.
    pub fn hide_scrollbars(&self) {
        self.devtools("Emulation.setScrollbarsHidden", &json!({"hidden": true}));
    }

    /// What is to be seen, as a PNG in base64.
    pub fn screenshot(&self) -> String {
        self.command("GET", "/screenshot", &Value::Null).as_str().unwrap().to_owned()
    }

    /// A command of Chromium's own, which `WebDriver` has not.
    fn devtools(&self, command: &str, parameters: &Value) {
        self.command("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    /// Whether an element is still on the page.
    fn has(&self, element: &Element<'_>) -> bool {
        let path = format!("/session/{}/element/{}/name", self.session, element.id);
        self.client.send("GET", &path, &[], "").status == 200
    }

    #[track_caller]
    fn locate(&self, below: &str, using: &str, value: &str) -> Element<'_> {
        let path = format!("/session/{}{below}/element", self.session);
        let answer = self.client.post(&path, &json!({"using": using, "value": value}));
        assert_eq!(answer.status, 200, "no {value} on {}:\n{}", self.address(), self.source());
        Element { browser: self, id: answer.json()["value"][ELEMENT].as_str().unwrap().to_owned() }
    }

    fn source(&self) -> String {
        self.command("GET", "/source", &Value::Null).as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.client.send(method, &path, &[("content-type", "application/json")], body);
        answer.expect_status(200).json()["value"].take()
    }
}

impl<'a> Element<'a> {
    /// The link inside it with this text.
    #[track_caller]
    pub fn link(&self, text: &str) -> Element<'a> {
        self.browser.locate(&format!("/element/{}", self.id), "partial link text", text)
    }

    /// Clicks on what stays on the page.
    #[track_caller]
    pub fn click(&self) {
        self.command("POST", "/click", &json!({}));
    }

    /// Clicks on what opens a page, and waits until the old one is gone and the new one is loaded: a driver may answer
    /// a click before the form that it posted is answered.
    #[track_caller]
    pub fn open(&self) {
        let old = self.browser.find("html");
        self.click();
        let deadline = Instant::now() + PATIENCE;
        while self.browser.has(&old) || self.browser.ask("return document.readyState") != "complete" {
            assert!(Instant::now() < deadline, "no page was opened from {}", self.browser.address());
        }
    }

    /// Types into a field.
    #[track_caller]
    pub fn fill(&self, text: &str) {
        self.command("POST", "/clear", &json!({}));
        self.command("POST", "/value", &json!({"text": text}));
    }

    #[track_caller]
    pub fn text(&self) -> String {
        self.command("GET", "/text", &Value::Null).as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.browser.command(method, &format!("/element/{}{path}", self.id), body)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The end of the session is the end of the browser.
        let _ = self.client.try_send("DELETE", &format!("/session/{}", self.session), &[], "");
    }
}

/// The process of chromedriver.
struct Driver(Child);

impl Driver {
    /// Starts it and answers its port; what it and the browser write for a while goes into `folder`.
    ///
    /// It takes a free port of `::1` and wants the same one of `127.0.0.1`, where a server of another test may have it.
    /// Then it ends, and another one is started.
    fn start(folder: &Path) -> (Self, u16) {
        const MAX_STARTS: usize = 20;
        (0..MAX_STARTS).find_map(|_| Self::spawn(folder).listen()).expect("chromedriver says its port")
    }

    fn spawn(folder: &Path) -> Self {
        for name in ["chromedriver", "chromium.chromedriver"] {
            let mut driver = Command::new(name);
            driver
                .arg("--port=0")
                .env("TMPDIR", folder)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null());
            if let Ok(driver) = driver.spawn() {
                return Self(driver);
            }
        }
        panic!("this test needs Chromium and chromedriver; run scripts/test, which installs them");
    }

    /// Waits for its port; `None` if it ends without one.
    fn listen(mut self) -> Option<(Self, u16)> {
        let mut lines = BufReader::new(self.0.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok())?;
        // Whatever else it says is read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Some((self, port))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
