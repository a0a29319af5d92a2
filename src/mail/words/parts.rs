//! The parts of a mail, and the phrases that several mails share.

use chrono::DateTime;

use crate::config::Mail;
use crate::mail::letter::Occurrence;

/// The site that a letter comes from.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The settings of mail.
    pub settings: &'a Mail,
    /// `PUBLIC_URL`, for links.
    pub origin: &'a str,
}

impl<'a> Site<'a> {
    /// `SITE_NAME`
    pub fn name(self) -> &'a str {
        &self.settings.site_name
    }

    /// Our page where a link for a new password can be requested.
    pub fn reset_page(self) -> String {
        format!("{}/account/password/reset/", self.origin)
    }
}

/// The text of a mail.
#[derive(Default)]
pub struct Words {
    /// The headline.
    pub title: &'static str,
    /// The text that mail clients show next to the subject.
    pub preview: String,
    /// What happened.
    pub lead: String,
    /// The details: name and value.
    pub facts: Vec<(&'static str, String)>,
    /// A code to enter.
    pub code: Option<String>,
    /// The button: label and address.
    pub button: Option<(&'static str, String)>,
    /// The sentence below the button.
    pub note: Option<String>,
    /// What to do if it was someone else.
    pub otherwise: Option<String>,
    /// Why the user gets this mail.
    pub why: String,
}

pub(super) const NEW_PASSWORD: &str = "Choose a new password";
pub(super) const CHANGE_PASSWORD: &str = "If this wasn’t you, someone else may be using your account. Change your password now. This logs you out everywhere.";

pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub(super) fn account(username: &str) -> [(&'static str, String); 1] {
    [("Account", plain(username))]
}

pub(super) fn facts(origin: &Occurrence) -> impl Iterator<Item = (&'static str, String)> {
    let ip = origin.ip.iter().map(|ip| ("IP address", plain(ip)));
    std::iter::once(("Time", time(origin.at))).chain(ip)
}

pub(super) fn belongs_to_you(site: &str) -> String {
    format!("You received this mail because this is the address of your account at {site}.")
}

pub(super) fn by(superuser: Option<&str>) -> String {
    superuser.map(|name| format!(" by {}, an administrator of the site", plain(name))).unwrap_or_default()
}

pub(super) fn until(seconds: i64) -> String {
    format!("The link works once and expires on {}.", time(seconds))
}

/// `1 March 2026, 12:00 UTC`
pub(super) fn time(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().format("%-d %B %Y, %H:%M UTC").to_string()
}

/// A name on one line, without characters that reorder or hide others.
pub(super) fn plain(name: &str) -> String {
    let is_good = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    name.chars().filter(is_good).collect()
}
