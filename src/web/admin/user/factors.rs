//! What a user logs in with besides the password, and which browsers need the password alone: for the page of the user and
//! for "My account".

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

/// Everything about one user.
pub struct SecondFactors {
    /// Oldest first.
    pub factors: Vec<FactorRow>,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
    /// Last used first.
    pub browsers: Vec<BrowserRow>,
    /// Who wants the user to have a factor, as a sentence.
    pub need: String,
    /// Whether somebody does.
    pub is_required: bool,
    /// Whether a superuser asked it of this user.
    pub is_asked: bool,
}

/// A second factor.
pub struct FactorRow {
    /// Its number.
    pub id: i64,
    /// What its user calls it.
    pub name: String,
    /// What it is, where the name does not say so.
    pub kind: String,
    /// When it was added.
    pub added: When,
    /// When it was used last.
    pub used: Option<When>,
}

/// A browser that is remembered.
pub struct BrowserRow {
    /// Its random id.
    pub id: String,
    /// Its device in words.
    pub name: String,
    /// The address that it was used from last.
    pub ip: String,
    /// When a login from it was last.
    pub used: When,
    /// Until when it is remembered.
    pub until: When,
}

/// What there is of a user.
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
            0 => "No recovery code is left.".to_owned(),
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
        (Required::Everybody, _) => "A second factor is required of everybody (SECOND_FACTOR).".to_owned(),
        (Required::Staff, _) if user.is_staff || user.is_superuser => {
            "A second factor is required of staff (SECOND_FACTOR).".to_owned()
        }
        (_, true) => format!("A superuser requires one of {}.", user.username),
        _ => "No second factor is required.".to_owned(),
    }
}

impl FactorRow {
    fn new(factor: Factor, reader: Reader) -> Self {
        let kind = FactorKind::of(&factor.kind);
        let title = kind.map_or("", FactorKind::title);
        let kind = match kind {
            // Codes go there, whatever the address of the account is now.
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
