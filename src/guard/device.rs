//! Devices: a `User-Agent` in words ("Firefox on Windows"; other programs by their first product token), and the
//! devices that an account was used from within a month. Clients can send any `User-Agent`, so a device is its words
//! together with a network, and a login from a new one is reported to the user by mail.

use std::time::Duration;

use woothee::parser::Parser;
use woothee::woothee::VALUE_UNKNOWN;

use super::throttle::{self, DEVICES_TOLD, Key};
use crate::app::Tx;
use crate::db::users::User;
use crate::db::{DbError, latchkey_device};
use crate::journal::Client;
use crate::mail::Outgoing;
use crate::mail::letter::{Letter, Occurrence};

/// A device is forgotten when it has not been used for this long.
pub const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);
/// How many devices of a user are kept.
const MOST: i64 = 100;
/// How many of them at one address.
const MOST_AT_ONE_ADDRESS: i64 = 5;

/// A product's name is cut off here.
const LONGEST: usize = 40;

/// Names the device of a session.
pub fn words(user_agent: &str) -> String {
    let parsed = Parser::new().parse(user_agent);
    let browser = parsed.as_ref().filter(|parsed| parsed.category != "misc").and_then(|parsed| known(parsed.name));
    let system = parsed.as_ref().and_then(|parsed| known(parsed.os)).map(system);
    let name = browser.map(|name| if name == "SamsungBrowser" { "Samsung Internet" } else { name }.to_owned());
    match (name.or_else(|| product(user_agent)), system) {
        (Some(name), Some(system)) => format!("{name} on {system}"),
        (Some(name), None) => name,
        (None, Some(system)) => format!("Unknown program on {system}"),
        (None, None) => "Unknown device".to_owned(),
    }
}

/// Records a login. Queues a mail if the account was used before, but not from this device.
pub fn note(tx: &mut Tx<'_>, user: &User, client: &Client) -> Result<(), DbError> {
    let Seen::New { is_first: false } = remember(tx, user, client)? else { return Ok(()) };
    if !tx.app.config.mail.security_mail || user.email.is_empty() {
        return Ok(());
    }
    // Limited, because an attacker who knows the password could bury other mail under these.
    let key = Key::new(tx.app, DEVICES_TOLD, &[&user.id.to_string()]);
    if throttle::count(tx, &[key])?.is_err() {
        return Ok(());
    }
    let origin = Occurrence { at: tx.now.timestamp(), ip: client.address() };
    let letter = Letter::NewDevice { username: user.username.clone(), device: words(&client.user_agent), origin };
    let mail = Outgoing { to: &user.email, user: Some(user.id), letter: &letter, secret: None, give_up_at: None };
    tx.send(&mail)
}

/// Whether a device was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The account was used from it within a month.
    Before,
    /// It was not.
    New {
        /// No device of the account is known.
        is_first: bool,
    },
}

/// Records that the user is at this device, without a mail: guessing from elsewhere does not keep the user out here.
pub fn remember(tx: &mut Tx<'_>, user: &User, client: &Client) -> Result<Seen, DbError> {
    let (network, name) = (client.network(), words(&client.user_agent));
    let device = latchkey_device::Device { user: user.id, network: &network, name: &name };
    if latchkey_device::update_seen(tx.conn, device, tx.now)? {
        return Ok(Seen::Before);
    }
    let is_first = latchkey_device::find_last_login(tx.conn, user.id)?.is_none();
    latchkey_device::insert(tx.conn, device, tx.now)?;
    latchkey_device::delete_oldest_at(tx.conn, user.id, &network, MOST_AT_ONE_ADDRESS)?;
    latchkey_device::delete_oldest_of(tx.conn, user.id, MOST)?;
    Ok(Seen::New { is_first })
}

fn known(word: &str) -> Option<&str> {
    (!word.is_empty() && word != VALUE_UNKNOWN).then_some(word)
}

/// Leaves out the version, because browsers no longer report the true one.
fn system(os: &str) -> &str {
    match os {
        "Mac OSX" => "macOS",
        "Windows Phone OS" => "Windows Phone",
        _ if os.starts_with("Windows") => "Windows",
        _ => os,
    }
}

/// The first product's name: `okhttp` of `okhttp/4.12.0`.
fn product(user_agent: &str) -> Option<String> {
    let token = user_agent.trim_start().split(|c: char| c == '/' || c == '(' || c.is_whitespace()).next()?;
    let is_plain = |c: &char| c.is_alphanumeric() || ['-', '.', '_'].contains(c);
    let name: String = token.chars().filter(is_plain).take(LONGEST).collect();
    // Every browser sends that.
    (!name.is_empty() && name != "Mozilla").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEBKIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";
    const APPLE: &str = "AppleWebKit/605.1.15 (KHTML, like Gecko)";

    #[test]
    fn browsers_are_named_with_their_system() {
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64";
        let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X)";
        let chrome = "Chrome/144.0.0.0 Safari/537.36";
        for (agent, device) in [
            (format!("{windows}; rv:147.0) Gecko/20100101 Firefox/147.0"), "Firefox on Windows"),
            (format!("{windows}) {WEBKIT} {chrome}"), "Chrome on Windows"),
            (format!("{windows}) {WEBKIT} {chrome} Edg/144.0.3719.82"), "Edge on Windows"),
            (format!("{windows}) {WEBKIT} {chrome} OPR/127.0.0.0"), "Opera on Windows"),
            (format!("{mac} {WEBKIT} {chrome}"), "Chrome on macOS"),
            (format!("{mac} {APPLE} Version/26.2 Safari/605.1.15"), "Safari on macOS"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0".to_owned(), "Firefox on Linux"),
            (format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} {chrome}"), "Chrome on ChromeOS"),
            ("Mozilla/5.0 (Android 16; Mobile; rv:147.0) Gecko/147.0 Firefox/147.0".to_owned(), "Firefox on Android"),
            (
                format!("Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/144.0.0.0 Mobile Safari/537.36"),
                "Chrome on Android",
            ),
            (
                format!(
                    "Mozilla/5.0 (Linux; Android 14; K) {WEBKIT} SamsungBrowser/29.0 Chrome/136.0.0.0 Safari/537.36"
                ),
                "Samsung Internet on Android",
            ),
            (format!("{iphone} {APPLE} Version/26.2 Mobile/15E148 Safari/604.1"), "Safari on iPhone"),
            (format!("{iphone} {APPLE} CriOS/144.0.7559.85 Mobile/15E148 Safari/604.1"), "Chrome on iPhone"),
            (format!("{iphone} {APPLE} FxiOS/147.0 Mobile/15E148 Safari/605.1.15"), "Firefox on iPhone"),
            (
                format!("{iphone} {APPLE} Version/18.0 EdgiOS/143.3650.125 Mobile/15E148 Safari/605.1.15"),
                "Edge on iPhone",
            ),
        ] {
            assert_eq!(words(&agent), device, "{agent}");
        }
    }

    #[test]
    fn programs_are_called_by_their_first_product() {
        for (agent, device) in [
            ("curl/8.5.0", "curl"),
            ("python-requests/2.32.3", "python-requests"),
            ("okhttp/4.12.0", "okhttp"),
            ("Dart/3.5 (dart:io)", "Dart"),
            ("node", "node"),
            ("MyApp/1.2 CFNetwork/1568.200.51 Darwin/24.1.0", "MyApp on iOS"),
            ("", "Unknown device"),
            ("Mozilla/5.0", "Unknown device"),
            ("  (junk)", "Unknown device"),
        ] {
            assert_eq!(words(agent), device, "{agent}");
        }
    }

    #[test]
    fn whatever_is_sent_stays_short_and_plain() {
        assert_eq!(words("<script>alert(1)</script>"), "scriptalert");
        assert_eq!(words(&"x".repeat(255)), "x".repeat(LONGEST));
        assert_eq!(words("\u{202e}gnp\u{0}.exe \u{1f600}"), "gnp.exe");
    }
}
