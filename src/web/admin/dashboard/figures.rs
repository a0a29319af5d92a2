//! The charts of the dashboard: the counts of events, period by period, as bars and as tables.

use super::super::chart::{self, Bars, Series, Table};
use super::super::words::{amount, commas};
use super::span::Span;
use crate::db::latchkey_rollup::Sum;
use crate::journal::events::{BLACKLISTED, Event};

/// The chart of logins.
pub struct Logins {
    pub bars: Bars,
    pub up: String,
    pub down: String,
    pub table: Table,
    /// How many were throttled, if any.
    pub throttled: Option<String>,
}

/// A row of bars with its name and its total.
pub struct Strip {
    pub name: &'static str,
    pub sum: String,
    pub peak: String,
    pub bars: Bars,
}

/// The counts of all events, period by period.
pub struct Figures<'a> {
    pub sums: &'a [Sum],
    pub periods: usize,
}

impl Figures<'_> {
    /// The counts of an event.
    pub fn of(&self, event: &str) -> Vec<i64> {
        self.of_all(|name| name == event)
    }

    /// The counts of several events together.
    fn of_all(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<i64> {
        let mut values = vec![0; self.periods];
        for sum in self.sums.iter().filter(|sum| is_wanted(&sum.event)) {
            if let Some(value) = usize::try_from(sum.period).ok().and_then(|period| values.get_mut(period)) {
                *value += sum.count;
            }
        }
        values
    }

    pub fn total(&self, event: &str) -> i64 {
        self.of(event).into_iter().sum()
    }

    /// Blacklistings with a recorded reason other than rotation.
    pub fn blacklisted(&self) -> Vec<i64> {
        let routine = [format!("{BLACKLISTED}rotated"), Event::BlacklistedUnknown.name().into_owned()];
        self.of_all(|name| name.starts_with(BLACKLISTED) && !routine.iter().any(|event| event == name))
    }
}

pub fn logins(figures: &Figures<'_>, span: Span, names: &[String], long_names: &[String]) -> Logins {
    let [up, down, throttled] =
        [Event::Login, Event::FailedLogin, Event::ThrottledLogin].map(|event| figures.of(&event.name()));
    let throttled_count: i64 = throttled.iter().sum();
    let columns: [(&str, &[i64]); 3] = [("Logins", &up), ("Failed", &down), ("Throttled", &throttled)];
    let good = Series { name: "logins", values: &up, class: "" };
    let bad = Series { name: "failed", values: &down, class: "bad" };
    let label = format!(
        "Logins and failed logins by {}: {} logins, {} failed in {}, at most {} in one {}.",
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
        throttled: (throttled_count > 0).then(|| amount(throttled_count, "login")),
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

pub fn strips(figures: &Figures<'_>, span: Span, names: &[String]) -> Vec<Strip> {
    let strip = |(name, values, class): (&'static str, Vec<i64>, &'static str)| {
        let series = Series { name, values: &values, class };
        let (sum, peak) = (commas(series.sum()), commas(series.peak()));
        let label =
            format!("{name} by {}: {sum} in {}, at most {peak} in one {}.", span.unit(), span.words(), span.unit());
        Strip { name, sum, peak, bars: chart::row(label, names, series) }
    };
    rows(figures).map(strip).into()
}

pub fn tokens(figures: &Figures<'_>, span: Span, long_names: &[String]) -> Table {
    let rows = rows(figures);
    let columns: Vec<(&str, &[i64])> = rows.iter().map(|(name, values, _)| (*name, &**values)).collect();
    chart::table(format!("Tokens by {}", span.unit()), span.column(), long_names, &columns)
}
