//! `/account/second-factors/`: the overview of an account, with second factors, sessions and remembered browsers. Factors are
//! added in `add` and removed in `remove`, recovery codes are in `recovery_codes`.

pub mod add;
pub mod recovery_codes;
pub mod remove;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;

use super::error::AccountError;
use super::page::{NoFields, OwnForm, html};
use super::session::{CurrentUser, redirect};
use super::{FORGOTTEN, SESSION_ENDED};
use crate::app::{App, Tx};
use crate::db::DbError;
use crate::db::latchkey_browser::Browser;
use crate::db::latchkey_second_factor::Factor;
use crate::db::latchkey_session::Session;
use crate::db::users::User;
use crate::factors::enrolled::Enrolled;
use crate::factors::overview::Overview;
use crate::factors::{self, enrol, remembered_browser};
use crate::guard::device;
use crate::journal::authentication::FactorKind;
use crate::tokens::own_sessions;
use crate::web::words::{Reader, When, amount};

/// How many sessions are shown.
const MAX_SESSIONS: usize = 10;
const UNKNOWN: &str = "unknown address";

#[derive(Template)]
#[template(path = "account/second_factors.html")]
struct Page<'a> {
    site: &'a str,
    user: &'a User,
    /// What was just done.
    done: Option<&'static str>,
    is_required: bool,
    may_open_panel: bool,
    factors: Vec<FactorRow>,
    offers: Vec<Offer>,
    recovery_codes: usize,
    sessions: Vec<SessionRow>,
    /// How many more sessions there are.
    more_sessions: usize,
    browsers: Vec<BrowserRow>,
}

impl Page<'_> {
    /// Whether only a few recovery codes are left.
    fn is_low(&self) -> bool {
        self.recovery_codes < 3
    }

    fn codes_left(&self) -> String {
        amount(i64::try_from(self.recovery_codes).unwrap_or(i64::MAX), "code")
    }
}

/// A second factor in the list.
struct FactorRow {
    id: i64,
    icon: &'static str,
    title: &'static str,
    /// The name that its user chose, if it differs from the title.
    name: Option<String>,
    /// The address that its codes are sent to.
    address: Option<String>,
    added: When,
    used: Option<When>,
}

/// A kind of factor that can be added.
struct Offer {
    kind: FactorKind,
    icon: &'static str,
    description: &'static str,
    /// Why it cannot be added.
    refusal: Option<String>,
}

/// A live session of the API.
struct SessionRow {
    id: String,
    name: String,
    ip: String,
    started: When,
    used: When,
}

/// A remembered browser.
struct BrowserRow {
    id: String,
    name: String,
    ip: String,
    used: When,
    until: When,
}

/// The query after a change, which says what was done.
#[derive(Deserialize)]
pub struct DoneQuery {
    #[serde(default)]
    done: String,
}

impl DoneQuery {
    fn words(&self) -> Option<&'static str> {
        match self.done.as_str() {
            "added" => Some("Your second factor was added."),
            "removed" => {
                Some("Your second factor was removed. Remembered browsers will ask for a second factor again.")
            }
            "ended" => Some("The session was ended."),
            "forgotten" => Some("The browser was forgotten. Your next login there will ask for a second factor."),
            _ => None,
        }
    }
}

/// `GET second-factors/`
pub async fn list(current: CurrentUser, Query(done): Query<DoneQuery>) -> Result<HttpResponse, AccountError> {
    let (app, user) = (&current.app, current.user().clone());
    let read = move |tx: &mut Tx<'_>| {
        let sessions = own_sessions::list_of(tx, user.id)?;
        Ok::<_, DbError>((factors::overview::overview(tx, &user)?, sessions))
    };
    let (all, sessions) = app.read(read).await?;
    let reader = Reader::in_utc(app.now());
    let Overview { enrolled, is_required, browsers, .. } = all;
    let page = Page {
        site: &app.config.mail.site_name,
        user: current.user(),
        done: done.words(),
        is_required,
        may_open_panel: app.may_open_panel(current.user()),
        factors: enrolled.factors.iter().map(|factor| factor_row(factor, reader)).collect(),
        offers: offers(app, current.user(), &enrolled),
        recovery_codes: enrolled.recovery_codes(),
        more_sessions: sessions.len().saturating_sub(MAX_SESSIONS),
        sessions: sessions.into_iter().take(MAX_SESSIONS).map(|session| session_row(session, reader)).collect(),
        browsers: browsers.iter().map(|browser| browser_row(app, browser, reader)).collect(),
    };
    Ok(html(StatusCode::OK, page.render()?))
}

fn factor_row(factor: &Factor, reader: Reader) -> FactorRow {
    let kind = FactorKind::of(&factor.kind);
    let title = kind.map_or("Second factor", FactorKind::title);
    FactorRow {
        id: factor.id.0,
        icon: kind.map_or("key", icon),
        title,
        name: (factor.name != title).then(|| factor.name.clone()),
        address: (kind == Some(FactorKind::Email)).then(|| factor.data.clone()),
        added: When::new(factor.created_at, reader),
        used: factor.last_used_at.map(|at| When::new(at, reader)),
    }
}

fn session_row(session: Session, reader: Reader) -> SessionRow {
    let used = When::new(session.last_used(), reader);
    let name = if session.label.is_empty() { device::words(&session.user_agent) } else { session.label };
    SessionRow {
        id: session.id,
        name,
        ip: session.ip.unwrap_or_else(|| UNKNOWN.to_owned()),
        started: When::new(session.created_at, reader),
        used,
    }
}

fn browser_row(app: &App, browser: &Browser, reader: Reader) -> BrowserRow {
    BrowserRow {
        id: browser.id.clone(),
        name: device::words(&browser.user_agent),
        ip: browser.ip.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
        used: When::new(browser.last_used_at, reader),
        until: When::new(remembered_browser::until(app, browser), reader),
    }
}

fn icon(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Passkey => "key",
        FactorKind::Totp => "phone",
        FactorKind::Email => "mail",
    }
}

/// The strongest kind first.
fn offers(app: &App, user: &User, enrolled: &Enrolled) -> Vec<Offer> {
    let kinds = [
        (
            FactorKind::Passkey,
            "Log in with your phone, your computer or a security key. The strongest option: fake copies of this site can’t use it.",
        ),
        (
            FactorKind::Totp,
            "An app on your phone shows a six-digit code that changes every 30 seconds. Strong, and it works offline.",
        ),
        (
            FactorKind::Email,
            "We send you a six-digit code. The weakest option: anyone who can read your mail can read the code. Still far better than a password alone.",
        ),
    ];
    let offer = |(kind, description)| Offer {
        kind,
        icon: icon(kind),
        description,
        refusal: enrol::may_add(app, user, enrolled, kind).err().map(|error| error.to_string()),
    };
    kinds.into_iter().map(offer).collect()
}

/// `POST second-factors/browsers/{id}/forget/`
pub async fn forget(
    current: CurrentUser,
    id: Path<String>,
    _: OwnForm<NoFields>,
) -> Result<HttpResponse, AccountError> {
    remembered_browser::forget(&current.app, current.user(), &id, &current.client).await?;
    Ok(redirect(FORGOTTEN))
}

/// `POST sessions/{id}/end/`
pub async fn end_session(
    current: CurrentUser,
    id: Path<String>,
    _: OwnForm<NoFields>,
) -> Result<HttpResponse, AccountError> {
    own_sessions::end(&current.app, current.user(), &id, &current.client).await?;
    Ok(redirect(SESSION_ENDED))
}
