//! `/account/second-factors/`: what one's own account asks for besides the password. Adding one is `add`, taking one away
//! `remove`, codes on paper `recovery_codes`; sessions end here, and browsers that are remembered are forgotten.

pub mod add;
pub mod recovery_codes;
pub mod remove;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::login::NoFields;
use super::page::{OwnForm, html};
use super::trouble::Trouble;
use super::visit::{Visitor, see};
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
use crate::web::extract::Client;
use crate::web::words::{Reader, When, amount};

/// So many sessions are shown.
const SESSIONS: usize = 10;
const UNKNOWN: &str = "unknown address";

#[derive(Template)]
#[template(path = "account/second_factors.html")]
struct Page<'a> {
    site: &'a str,
    user: &'a User,
    /// What was done just now.
    done: Option<&'static str>,
    is_required: bool,
    may_open_panel: bool,
    factors: Vec<Row>,
    offers: Vec<Offer>,
    recovery_codes: usize,
    sessions: Vec<SessionRow>,
    /// How many more there are.
    more_sessions: usize,
    browsers: Vec<BrowserRow>,
}

impl Page<'_> {
    /// Whether so few recovery codes are left that it should be said.
    fn is_low(&self) -> bool {
        self.recovery_codes < 3
    }

    fn codes_left(&self) -> String {
        amount(i64::try_from(self.recovery_codes).unwrap_or(i64::MAX), "code")
    }
}

/// A factor of the list.
struct Row {
    id: i64,
    icon: &'static str,
    title: &'static str,
    /// What its user calls it, where that says more.
    name: Option<String>,
    /// Where its codes go.
    address: Option<String>,
    added: When,
    used: Option<When>,
}

/// A kind that could be added.
struct Offer {
    kind: FactorKind,
    icon: &'static str,
    words: &'static str,
    /// Why it cannot.
    refusal: Option<String>,
}

/// A login to a front end that goes on.
struct SessionRow {
    id: String,
    name: String,
    ip: String,
    started: When,
    used: When,
}

/// A browser that is remembered.
struct BrowserRow {
    id: String,
    name: String,
    ip: String,
    used: When,
    until: When,
}

/// What was done, as the address says after it.
#[derive(Deserialize)]
pub struct Done {
    #[serde(default)]
    done: String,
}

impl Done {
    fn words(&self) -> Option<&'static str> {
        match self.done.as_str() {
            "added" => Some("Your second factor was added."),
            "removed" => Some("Your second factor was removed. Browsers that were remembered are asked again."),
            "ended" => Some("The session was ended."),
            "forgotten" => Some("The browser is forgotten. It is asked for a second factor at its next login."),
            _ => None,
        }
    }
}

/// `GET second-factors/`
pub async fn list(app: Data<App>, Visitor(visit): Visitor, Query(done): Query<Done>) -> Result<HttpResponse, Trouble> {
    let user = visit.user().clone();
    let read = move |tx: &mut Tx<'_>| {
        let sessions = own_sessions::list_of(tx, user.id)?;
        Ok::<_, DbError>((factors::overview::overview(tx, &user)?, sessions))
    };
    let (all, sessions) = app.read(read).await?;
    let reader = Reader::in_utc(app.now());
    let Overview { enrolled, is_required, browsers, .. } = all;
    let page = Page {
        site: &app.config.mail.site_name,
        user: visit.user(),
        done: done.words(),
        is_required,
        may_open_panel: app.may_open_panel(visit.user()),
        factors: enrolled.factors.iter().map(|factor| row(factor, reader)).collect(),
        offers: offers(&app, visit.user(), &enrolled),
        recovery_codes: enrolled.recovery_codes(),
        more_sessions: sessions.len().saturating_sub(SESSIONS),
        sessions: sessions.into_iter().take(SESSIONS).map(|session| session_row(session, reader)).collect(),
        browsers: browsers.iter().map(|browser| browser_row(&app, browser, reader)).collect(),
    };
    Ok(html(StatusCode::OK, page.render()?))
}

fn row(factor: &Factor, reader: Reader) -> Row {
    let kind = FactorKind::of(&factor.kind);
    let title = kind.map_or("Second factor", FactorKind::title);
    Row {
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

/// The best first.
fn offers(app: &App, user: &User, enrolled: &Enrolled) -> Vec<Offer> {
    let kinds = [
        (
            FactorKind::Passkey,
            "Your phone, computer or a security key logs you in with a touch. The strongest: a page that only looks like this one gets nothing from it.",
        ),
        (
            FactorKind::Totp,
            "An app on your phone shows six digits, new every 30 seconds. Good, and works without a network.",
        ),
        (
            FactorKind::Email,
            "Six digits in a mail. The weakest, because whoever reads your mail reads the codes. Still far better than the password alone.",
        ),
    ];
    let offer = |(kind, words)| Offer {
        kind,
        icon: icon(kind),
        words,
        refusal: enrol::may_add(app, user, enrolled, kind).err().map(|error| error.to_string()),
    };
    kinds.into_iter().map(offer).collect()
}

/// `POST second-factors/browsers/{id}/forget/`
pub async fn forget(
    app: Data<App>,
    client: Client,
    Visitor(visit): Visitor,
    id: Path<String>,
    _: OwnForm<NoFields>,
) -> Result<HttpResponse, Trouble> {
    remembered_browser::forget(&app, visit.user(), &id, &client).await?;
    Ok(see(FORGOTTEN))
}

/// `POST sessions/{id}/end/`
pub async fn end_session(
    app: Data<App>,
    client: Client,
    Visitor(visit): Visitor,
    id: Path<String>,
    _: OwnForm<NoFields>,
) -> Result<HttpResponse, Trouble> {
    own_sessions::end(&app.into_inner(), visit.user(), &id, &client).await?;
    Ok(see(SESSION_ENDED))
}
