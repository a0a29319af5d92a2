//! The second factors and remembered browsers of a user, for the page of the user and for "My account".

use super::super::access::Staff;
use super::super::error::PageError;
use super::super::words::{Reader, When};
use crate::app::{App, Tx};
use crate::config::Required;
use crate::db::latchkey_browser::Browser;
use crate::db::latchkey_second_factor::Factor;
use crate::db::users::User;
use crate::factors::overview::Overview;
use crate::factors::{self, remembered_browser};
use crate::guard::device;
use crate::journal::authentication::FactorKind;

/// The second factors and remembered browsers of one user.
pub struct SecondFactors {
    /// Oldest first.
    pub factors: Vec<FactorRow>,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
    /// Last used first.
    pub browsers: Vec<BrowserRow>,
    /// Whether a factor is required and by whom, as a sentence.
    pub need: String,
    /// Whether a factor is required.
    pub is_required: bool,
    /// Whether a superuser requires one of this user.
    pub is_asked: bool,
}

/// A second factor.
pub struct FactorRow {
    /// Its number.
    pub id: i64,
    /// The name that its user chose.
    pub name: String,
    /// Its type, if the name does not say so.
    pub kind: String,
    /// When it was added.
    pub added: When,
    /// When it was last used.
    pub used: Option<When>,
}

/// A remembered browser.
pub struct BrowserRow {
    /// Its random id.
    pub id: String,
    /// The device, in words.
    pub name: String,
    /// The address of its last use.
    pub ip: String,
    /// When a user last logged in with it.
    pub used: When,
    /// Until when it is remembered.
    pub until: When,
}

/// Reads the second factors and browsers of a user.
pub async fn overview(staff: &Staff, user: &User) -> Result<Overview, PageError> {
    let user = user.clone();
    let read = move |tx: &mut Tx<'_>| factors::overview::overview(tx, &user);
    Ok(staff.visit.app.read(read).await?)
}

impl SecondFactors {
    /// As its reader sees it.
    pub fn new(app: &App, user: &User, found: Overview, reader: Reader) -> Self {
        let Overview { enrolled, is_required, is_asked, browsers } = found;
        Self {
            recovery_codes: enrolled.recovery_codes(),
            need: need(app, user, is_asked),
            factors: enrolled.factors.into_iter().map(|factor| FactorRow::new(factor, reader)).collect(),
            browsers: browsers.into_iter().map(|browser| BrowserRow::new(app, browser, reader)).collect(),
            is_required,
            is_asked,
        }
    }

    /// How many recovery codes are left, as a sentence.
    pub fn codes_left(&self) -> String {
        match self.recovery_codes {
            0 => "No recovery codes are left.".to_owned(),
            1 => "1 recovery code is left.".to_owned(),
            more => format!("{more} recovery codes are left."),
        }
    }

    /// How many browsers are remembered, as a sentence.
    pub fn browsers_remembered(&self) -> String {
        match self.browsers.len() {
            1 => "1 browser is remembered.".to_owned(),
            more => format!("{more} browsers are remembered."),
        }
    }
}

fn need(app: &App, user: &User, is_asked: bool) -> String {
    match (app.config.second_factor.required, is_asked) {
        (Required::Everybody, _) => "SECOND_FACTOR requires one of everybody.".to_owned(),
        (Required::Staff, _) if user.is_staff || user.is_superuser => "SECOND_FACTOR requires one of staff.".to_owned(),
        (_, true) => format!("A superuser requires one of {}.", user.username),
        _ => "Optional for this account.".to_owned(),
    }
}

impl FactorRow {
    fn new(factor: Factor, reader: Reader) -> Self {
        let kind = FactorKind::of(&factor.kind);
        let title = kind.map_or("", FactorKind::title);
        let kind = match kind {
            // Codes still go to the address that was confirmed for them.
            Some(FactorKind::Email) => format!("To {}", factor.data),
            _ if factor.name == title => String::new(),
            _ => title.to_owned(),
        };
        Self {
            id: factor.id.0,
            name: factor.name,
            kind,
            added: When::new(factor.created_at, reader),
            used: factor.last_used_at.map(|at| When::new(at, reader)),
        }
    }
}

impl BrowserRow {
    fn new(app: &App, browser: Browser, reader: Reader) -> Self {
        Self {
            name: device::words(&browser.user_agent),
            used: When::new(browser.last_used_at, reader),
            until: When::new(remembered_browser::until(app, &browser), reader),
            ip: browser.ip.unwrap_or_default(),
            id: browser.id,
        }
    }
}
