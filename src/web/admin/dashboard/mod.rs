//! The dashboard: totals, recent events, and what needs attention. The figures were counted when the events happened or in
//! the background, so no large table is counted for a page.

mod attention;
mod figures;
mod span;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use strum::VariantArray;

use super::access::Staff;
use super::chart::Table;
use super::error::PageError;
use super::layout::{Layout, Place, page};
use super::words::{When, amount, commas, short};
use super::{actions, address, sentence, status};
use crate::app::{App, Tx};
use crate::db::latchkey_audit_log::list::ListedEntry;
use crate::db::latchkey_audit_log::recent;
use crate::db::latchkey_mail::list::QueueProblems;
use crate::db::latchkey_rollup::{self, Sum};
use crate::db::latchkey_second_factor::{PanelRole, count_without};
use crate::db::latchkey_statistic::{self, Statistic, Statistics};
use crate::db::page::Total;
use crate::db::types::Instant;
use crate::db::{DbError, blacklisted_tokens, indexes, latchkey_session, migrations, outstanding_tokens};
use crate::journal::action;
use crate::journal::events::{BLACKLISTED, Event};
use attention::Item;
use figures::{Figures, Logins, Strip, logins, strips, tokens};
use span::Span;

/// How many actions are listed.
const MAX_ACTIONS: i64 = 8;

#[derive(Template)]
#[template(path = "admin/index.html")]
struct Dashboard {
    layout: Layout,
    span: Span,
    tiles: Vec<Tile>,
    attention: Vec<Item>,
    actions: Vec<Action>,
    axis: [String; 4],
    logins: Logins,
    strips: Vec<Strip>,
    tokens: Table,
    reasons: Vec<Reason>,
    by_rotation: String,
    /// Blacklisted without a recorded reason, by Django.
    unknown: Option<String>,
}

/// A total that links to its list.
struct Tile {
    name: &'static str,
    href: &'static str,
    number: String,
    sub: String,
}

/// An entry of the audit log.
struct Action {
    parts: Vec<sentence::Part>,
    is_bad: bool,
    at: When,
}

/// A reason with its share of the blacklisted tokens.
struct Reason {
    name: &'static str,
    href: String,
    width: String,
    is_bad: bool,
    count: String,
}

/// What is read from the database.
struct Snapshot {
    users: Total,
    sessions: Total,
    outstanding: Total,
    blacklisted: Total,
    statistics: Statistics,
    sums: Vec<Sum>,
    recent: Vec<ListedEntry>,
    missing: Vec<&'static str>,
    pending: Vec<String>,
    mail: QueueProblems,
    /// Superusers without a second factor, if the site is public.
    without_factor: i64,
}

/// `GET /admin/`
pub async fn dashboard(staff: Staff, app: Data<App>, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let (reader, span) = (staff.reader(), Span::of(request.query_string()));
    let (bounds, now) = (span.bounds(reader), reader.now);
    let periods = bounds.len() - 1;
    let (short_names, long_names) = (span.names(&bounds, reader.zone), span.long_names(&bounds, reader.zone));
    let is_public = attention::is_public(&app);
    let found = app.read(move |tx| look(tx, &bounds, now, is_public)).await?;
    let figures = Figures { sums: &found.sums, periods };
    page(&Dashboard {
        span,
        tiles: tiles(&found, &figures, span),
        attention: attention::list(&app, &found, &figures, span),
        actions: found
            .recent
            .iter()
            .map(|entry| Action {
                parts: sentence::of(entry),
                is_bad: actions::is_bad(&entry.action),
                at: When::new(entry.at, reader),
            })
            .collect(),
        axis: span.axis(&short_names),
        logins: logins(&figures, span, &short_names, &long_names),
        strips: strips(&figures, span, &short_names),
        tokens: tokens(&figures, span, &long_names),
        reasons: reasons(&figures),
        by_rotation: short(figures.total(&format!("{BLACKLISTED}rotated"))),
        unknown: Some(figures.total(&Event::BlacklistedUnknown.name())).filter(|count| *count > 0).map(short),
        layout: staff.layout(Place::Home),
    })
}

/// Reads everything in one job. An index or a small table answers each statement.
fn look(tx: &mut Tx<'_>, bounds: &[Instant], now: Instant, is_public: bool) -> Result<Snapshot, DbError> {
    let (users, conn) = (&tx.app.users, &mut *tx.conn);
    let statistics = latchkey_statistic::list(conn)?;
    let about = |total, statistic| match (total, statistics.of(statistic)) {
        (Total::About(_), Some(counted)) => Total::About(counted.value),
        (total, _) => total,
    };
    let events = events();
    let names: Vec<&str> = events.iter().map(|event| &**event).collect();
    Ok(Snapshot {
        users: about(users.count(conn)?, Statistic::Users),
        sessions: about(latchkey_session::count_active(conn, now)?, Statistic::ActiveSessions),
        outstanding: about(outstanding_tokens::count(conn)?, Statistic::Outstanding),
        blacklisted: about(blacklisted_tokens::count(conn)?, Statistic::Blacklisted),
        sums: latchkey_rollup::list_sums(conn, &names, bounds)?,
        recent: recent::list_newest_except(conn, users, &action::routine(), MAX_ACTIONS)?,
        missing: indexes::missing(conn, users)?,
        pending: migrations::pending(conn)?,
        mail: attention::mail(conn, now)?,
        without_factor: if is_public { count_without(conn, users, PanelRole::Superuser)?.without } else { 0 },
        statistics,
    })
}

/// All events that are shown.
fn events() -> Vec<String> {
    use Event::{FailedLogin, Login, Refresh, ReuseAlarm, ThrottledLogin, TokenCreated, UserCreated};
    let plain = [TokenCreated, Refresh, Login, FailedLogin, ThrottledLogin, ReuseAlarm, UserCreated]
        .map(|event| event.name().into_owned());
    plain.into_iter().chain(status::REASON_CHOICES.map(|(word, _)| format!("{BLACKLISTED}{word}"))).collect()
}

fn tiles(found: &Snapshot, figures: &Figures<'_>, span: Span) -> Vec<Tile> {
    let number = |total| match total {
        Total::Exact(count) => commas(count),
        Total::About(count) => format!("about {}", short(count)),
        Total::Unknown => String::new(),
    };
    let lately =
        |event: Event, what: &str| format!("{} {what} in {}", commas(figures.total(&event.name())), span.words());
    let of_them = |statistic, what: &str| {
        let counted = found.statistics.of(statistic);
        counted.map(|counted| format!("about {} {what}", short(counted.value))).unwrap_or_default()
    };
    let tile = |name, href, total, sub| Tile { name, href, number: number(total), sub };
    vec![
        tile("Users", address::USERS, found.users, lately(Event::UserCreated, "added")),
        tile("Active sessions", address::SESSIONS, found.sessions, lately(Event::Login, "logins")),
        tile("Outstanding tokens", address::OUTSTANDING, found.outstanding, of_them(Statistic::Live, "live")),
        tile("Blacklisted tokens", address::BLACKLISTED, found.blacklisted, of_them(Statistic::Rotated, "by rotation")),
    ]
}

/// Why tokens were blacklisted, most frequent reason first, without rotations.
fn reasons(figures: &Figures<'_>) -> Vec<Reason> {
    let asked = status::REASON_CHOICES.iter().filter(|(word, _)| !["rotated", "unknown"].contains(word));
    let mut counted: Vec<_> = asked
        .map(|(word, name)| (*word, *name, figures.total(&format!("{BLACKLISTED}{word}"))))
        .filter(|(.., count)| *count > 0)
        .collect();
    counted.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
    let highest = counted.first().map_or(1, |(.., count)| *count);
    counted
        .into_iter()
        .map(|(word, name, count)| Reason {
            name,
            href: format!("{}?reason={word}", address::BLACKLISTED),
            width: (count.saturating_mul(100) / highest).max(1).to_string(),
            is_bad: word == "reuse",
            count: commas(count),
        })
        .collect()
}

impl Dashboard {
    /// The sentence below the title.
    fn lede(&self) -> String {
        match self.attention.len() {
            0 => "Latchkey is running, and nothing needs attention.".to_owned(),
            1 => "Latchkey is running. One thing needs attention.".to_owned(),
            count => {
                format!("Latchkey is running. {} need attention.", amount(i64::try_from(count).unwrap_or(0), "thing"))
            }
        }
    }
}
