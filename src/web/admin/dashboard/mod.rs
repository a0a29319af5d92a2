//! The dashboard: how much there is, what happened lately, and what needs attention. Everything on it comes from counts
//! that were written down when it happened, or in the background; nothing big is counted for a page.

mod attention;
mod span;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::access::Staff;
use super::chart::{self, Bars, Series, Table};
use super::error::PageError;
use super::layout::{Layout, Place, page};
use super::words::{When, amount, commas, short};
use super::{actions, address, sentence, status};
use crate::app::App;
use crate::db::latchkey_audit_log::list::ListedEntry;
use crate::db::latchkey_audit_log::recent;
use crate::db::latchkey_mail::list::QueueProblems;
use crate::db::latchkey_rollup::{self, Sum};
use crate::db::latchkey_second_factor::{PanelRole, count_without};
use crate::db::latchkey_statistic::{self, Statistic, Statistics};
use crate::db::page::Total;
use crate::db::types::Instant;
use crate::db::{Conn, DbError, blacklisted_tokens, indexes, latchkey_session, migrations, outstanding_tokens, users};
use crate::journal::action;
use crate::journal::events::{BLACKLISTED, Event};
use attention::Item;
use span::Span;

/// So many actions are listed.
const ACTIONS: i64 = 8;

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
    /// What nobody wrote a reason down for: Django's.
    unknown: Option<String>,
}

/// A number and where it leads.
struct Tile {
    name: &'static str,
    href: &'static str,
    number: String,
    sub: String,
}

/// What somebody did.
struct Action {
    parts: Vec<sentence::Part>,
    is_bad: bool,
    at: When,
}

struct Logins {
    bars: Bars,
    up: String,
    down: String,
    table: Table,
    /// How many were held back, if any were.
    throttled: Option<String>,
}

/// A row of bars with its name and its sum.
struct Strip {
    name: &'static str,
    sum: String,
    peak: String,
    bars: Bars,
}

/// A share of what was blacklisted.
struct Reason {
    name: &'static str,
    href: String,
    width: String,
    is_bad: bool,
    count: String,
}

/// What the database says.
struct Found {
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
    /// Superusers without a second factor, where the site is on the web.
    without_factor: i64,
}

/// `GET /admin/`
pub async fn dashboard(staff: Staff, app: Data<App>, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let (reader, span) = (staff.reader(), Span::of(request.query_string()));
    let (bounds, now) = (span.bounds(reader), reader.now);
    let periods = bounds.len() - 1;
    let (short_names, long_names) = (span.names(&bounds, reader.zone), span.long_names(&bounds, reader.zone));
    let is_public = attention::is_public(&app);
    let found = app.read(move |tx| look(tx.conn, &bounds, now, is_public)).await?;
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

/// Everything in one job, of statements that an index or a small table answers.
fn look(conn: &mut Conn, bounds: &[Instant], now: Instant, is_public: bool) -> Result<Found, DbError> {
    let statistics = latchkey_statistic::list(conn)?;
    let about = |total, statistic| match (total, statistics.of(statistic)) {
        (Total::About(_), Some(counted)) => Total::About(counted.value),
        (total, _) => total,
    };
    let events = events();
    let names: Vec<&str> = events.iter().map(|event| &**event).collect();
    Ok(Found {
        users: about(users::count(conn)?, Statistic::Users),
        sessions: about(latchkey_session::count_active(conn, now)?, Statistic::ActiveSessions),
        outstanding: about(outstanding_tokens::count(conn)?, Statistic::Outstanding),
        blacklisted: about(blacklisted_tokens::count(conn)?, Statistic::Blacklisted),
        sums: latchkey_rollup::list_sums(conn, &names, bounds)?,
        recent: recent::list_newest_except(conn, &action::routine(), ACTIONS)?,
        missing: indexes::missing(conn)?,
        pending: migrations::pending(conn)?,
        mail: attention::mail(conn, now)?,
        without_factor: if is_public { count_without(conn, PanelRole::Superuser)?.without } else { 0 },
        statistics,
    })
}

/// Every event that is shown.
fn events() -> Vec<String> {
    use Event::{FailedLogin, Login, Refresh, ReuseAlarm, ThrottledLogin, TokenCreated, UserCreated};
    let plain = [TokenCreated, Refresh, Login, FailedLogin, ThrottledLogin, ReuseAlarm, UserCreated]
        .map(|event| event.name().into_owned());
    plain.into_iter().chain(status::REASON_CHOICES.map(|(word, _)| format!("{BLACKLISTED}{word}"))).collect()
}

/// How often what happened when.
struct Figures<'a> {
    sums: &'a [Sum],
    periods: usize,
}

impl Figures<'_> {
    /// An event, period by period.
    fn of(&self, event: &str) -> Vec<i64> {
        self.of_all(|name| name == event)
    }

    /// Several together.
    fn of_all(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<i64> {
        let mut values = vec![0; self.periods];
        for sum in self.sums.iter().filter(|sum| is_wanted(&sum.event)) {
            if let Some(value) = usize::try_from(sum.period).ok().and_then(|period| values.get_mut(period)) {
                *value += sum.count;
            }
        }
        values
    }

    fn total(&self, event: &str) -> i64 {
        self.of(event).into_iter().sum()
    }

    /// Blacklistings that are neither rotations nor unexplained: those that somebody or something decided.
    fn blacklisted(&self) -> Vec<i64> {
        let routine = [format!("{BLACKLISTED}rotated"), Event::BlacklistedUnknown.name().into_owned()];
        self.of_all(|name| name.starts_with(BLACKLISTED) && !routine.iter().any(|event| event == name))
    }
}

fn tiles(found: &Found, figures: &Figures<'_>, span: Span) -> Vec<Tile> {
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

fn logins(figures: &Figures<'_>, span: Span, names: &[String], long_names: &[String]) -> Logins {
    let [up, down, throttled] =
        [Event::Login, Event::FailedLogin, Event::ThrottledLogin].map(|event| figures.of(&event.name()));
    let held_back: i64 = throttled.iter().sum();
    let columns: [(&str, &[i64]); 3] = [("Logins", &up), ("Failed", &down), ("Held back", &throttled)];
    let good = Series { name: "logins", values: &up, class: "" };
    let bad = Series { name: "failed", values: &down, class: "bad" };
    let label = format!(
        "Logins and failed logins by {}: {} logins, {} failed in {}, of which at most {} in one {}.",
        span.unit(),
        commas(good.sum()),
        commas(bad.sum()),
        span.words(),
        commas(bad.peak()),
        span.unit()
    );
    let caption = format!("Logins and failed logins by {}", span.unit());
    Logins {
        up: format!("{} logins, up", commas(good.sum())),
        down: format!("{} failed, down", commas(bad.sum())),
        table: chart::table(caption, span.column(), long_names, &columns),
        throttled: (held_back > 0).then(|| amount(held_back, "attempt")),
        bars: chart::up_and_down(label, names, good, bad),
    }
}

/// The rows of the tokens' chart: name, figures, class of the bars.
fn rows(figures: &Figures<'_>) -> [(&'static str, Vec<i64>, &'static str); 4] {
    [
        ("Issued", figures.of(&Event::TokenCreated.name()), ""),
        ("Refreshed", figures.of(&Event::Refresh.name()), ""),
        ("Blacklisted", figures.blacklisted(), "calm"),
        ("Reuse alarms", figures.of(&Event::ReuseAlarm.name()), "bad"),
    ]
}

fn strips(figures: &Figures<'_>, span: Span, names: &[String]) -> Vec<Strip> {
    let strip = |(name, values, class): (&'static str, Vec<i64>, &'static str)| {
        let series = Series { name, values: &values, class };
        let (sum, peak) = (commas(series.sum()), commas(series.peak()));
        let label =
            format!("{name} by {}: {sum} in {}, at most {peak} in one {}.", span.unit(), span.words(), span.unit());
        Strip { name, sum, peak, bars: chart::row(label, names, series) }
    };
    rows(figures).map(strip).into()
}

fn tokens(figures: &Figures<'_>, span: Span, long_names: &[String]) -> Table {
    let rows = rows(figures);
    let columns: Vec<(&str, &[i64])> = rows.iter().map(|(name, values, _)| (*name, &**values)).collect();
    chart::table(format!("Tokens by {}", span.unit()), span.column(), long_names, &columns)
}

/// Why tokens were blacklisted, most frequent first; a rotation is no blacklisting that anybody asks about.
fn reasons(figures: &Figures<'_>) -> Vec<Reason> {
    let asked = status::REASON_CHOICES.iter().filter(|(word, _)| !["rotated", "unknown"].contains(word));
    let mut counted: Vec<_> = asked
        .map(|(word, name)| (*word, *name, figures.total(&format!("{BLACKLISTED}{word}"))))
        .filter(|(.., count)| *count > 0)
        .collect();
    counted.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
    let most = counted.first().map_or(1, |(.., count)| *count);
    counted
        .into_iter()
        .map(|(word, name, count)| Reason {
            name,
            href: format!("{}?reason={word}", address::BLACKLISTED),
            width: (count.saturating_mul(100) / most).max(1).to_string(),
            is_bad: word == "reuse",
            count: commas(count),
        })
        .collect()
}

impl Dashboard {
    /// What the page says first.
    fn lede(&self) -> String {
        match self.attention.len() {
            0 => "Everything is answering, and nothing needs attention.".to_owned(),
            1 => "Everything is answering. One thing needs attention.".to_owned(),
            count => format!(
                "Everything is answering. {} need attention.",
                amount(i64::try_from(count).unwrap_or(0), "thing")
            ),
        }
    }
}
