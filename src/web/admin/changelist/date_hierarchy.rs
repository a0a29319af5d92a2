//! The drill-down by date above a list: years, months and days, each with a bar for its count. The counts come from the
//! rollup, so their cost does not depend on the length of the list. Django's `date_hierarchy`.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::period::Period;
use crate::db::latchkey_rollup::Sum;
use crate::db::types::Instant;
use crate::web::words::{Reader, commas};

/// How many days are shown without a period.
const DEFAULT_DAYS: u64 = 30;
/// Earlier years are not offered.
const FIRST_YEAR: i32 = 2010;

/// Finds the part that begins on a day, and the day on which the next one begins.
type NextPart = fn(NaiveDate) -> (Period, Option<NaiveDate>);

/// A period with its parts, oldest first.
pub struct DateHierarchy {
    name: &'static str,
    chosen: Option<Period>,
    parts: Vec<Period>,
    reader: Reader,
}

/// A breadcrumb above the bars.
pub struct Crumb {
    /// The text.
    pub words: String,
    /// The address; the last one has none.
    pub href: Option<String>,
}

/// A part of the period.
pub struct Bar {
    /// Below the bar: `22`, `Nov`.
    pub label: String,
    /// The tooltip: `22 November: 171,000`.
    pub words: String,
    /// The address of the list of that part.
    pub href: String,
    /// Whether the list shows that part.
    pub is_current: bool,
    /// Its top, from 0 to 28.
    pub y: String,
    /// Its height, from 0 to 28.
    pub height: String,
}

/// The drill-down, ready to be shown.
pub struct Dates {
    /// The breadcrumbs.
    pub crumbs: Vec<Crumb>,
    /// The bars, newest first.
    pub bars: Vec<Bar>,
}

impl DateHierarchy {
    /// The parts of the chosen period of the filter `name`.
    pub fn new(name: &'static str, chosen: Option<Period>, reader: Reader) -> Self {
        let today = reader.now.datetime().with_timezone(&reader.zone).date_naive();
        let chosen = chosen.filter(|period| !matches!(period, Period::Between(..)));
        let (first, last, next_part): (_, _, NextPart) = match chosen {
            Some(Period::Year(year)) => (ymd(year, 1), ymd(year, 12), month),
            Some(Period::Month(day) | Period::Day(day)) => {
                let (first, last) = Period::Month(ymd(day.year(), day.month()).unwrap_or(day)).days();
                (first, last, one_day)
            }
            _ => (today.checked_sub_days(Days::new(DEFAULT_DAYS - 1)), Some(today), one_day),
        };
        let (mut next, last) = (first, last.map_or(today, |last| last.min(today)));
        let mut parts = Vec::new();
        while let Some(at) = next.filter(|at| *at <= last) {
            let (part, following) = next_part(at);
            parts.push(part);
            next = following;
        }
        Self { name, chosen, parts, reader }
    }

    /// The beginnings of the parts, and the end of the last one.
    pub fn bounds(&self) -> Vec<Instant> {
        let start = |period: &Period| period.instants(self.reader.zone).0;
        let end = self.parts.last().and_then(|last| last.instants(self.reader.zone).1);
        self.parts.iter().filter_map(start).chain(end).collect()
    }

    /// Adds the sums of the rollup between the bounds. `href` makes the address of the list for a period.
    pub fn show(&self, sums: &[Sum], href: impl Fn(&[(String, String)]) -> String) -> Dates {
        let count = |at: usize| -> i64 {
            let of_it = sums.iter().filter(|sum| usize::try_from(sum.period).is_ok_and(|period| period == at));
            of_it.map(|sum| sum.count).sum()
        };
        let counts: Vec<i64> = (0..self.parts.len()).map(count).collect();
        let highest = counts.iter().copied().max().unwrap_or_default().max(1);
        let bars = self.parts.iter().zip(counts).rev().map(|(part, count)| {
            let (label, words) = labels(*part);
            // In tenths, up to 280. A count that is not zero stays visible.
            let tenths = if count == 0 { 0 } else { (count.saturating_mul(280) / highest).max(10) };
            Bar {
                label,
                words: format!("{words}: {}", commas(count)),
                href: href(&part.pairs(self.name)),
                is_current: Some(*part) == self.chosen,
                y: tenth(280 - tenths),
                height: tenth(tenths),
            }
        });
        Dates { bars: bars.collect(), crumbs: self.crumbs(href) }
    }

    fn crumbs(&self, href: impl Fn(&[(String, String)]) -> String) -> Vec<Crumb> {
        let today = self.reader.now.datetime().with_timezone(&self.reader.zone).date_naive();
        let (first, _) = self.chosen.map(Period::days).unwrap_or_default();
        let all = Crumb { words: "All dates".to_owned(), href: Some(href(&[])) };
        let Some(first) = first else {
            // The bars show the last days; the link leads to the current year.
            let year = Period::Year(today.year());
            let way = Crumb { words: today.year().to_string(), href: Some(href(&year.pairs(self.name))) };
            return vec![Crumb { words: format!("Last {DEFAULT_DAYS} days"), href: None }, way];
        };
        let year =
            Crumb { words: first.year().to_string(), href: Some(href(&Period::Year(first.year()).pairs(self.name))) };
        let month = Period::Month(ymd(first.year(), first.month()).unwrap_or(first));
        let month = Crumb { words: first.format("%B").to_string(), href: Some(href(&month.pairs(self.name))) };
        match self.chosen {
            Some(Period::Year(of)) => {
                let before = Period::Year(of - 1);
                let way = Crumb { words: (of - 1).to_string(), href: Some(href(&before.pairs(self.name))) };
                let here = Crumb { href: None, ..year };
                if of > FIRST_YEAR { vec![all, way, here] } else { vec![all, here] }
            }
            Some(Period::Month(_)) => vec![all, year, Crumb { href: None, ..month }],
            _ => vec![all, year, month],
        }
    }
}

fn ymd(year: i32, month: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, 1)
}

fn one_day(day: NaiveDate) -> (Period, Option<NaiveDate>) {
    (Period::Day(day), day.succ_opt())
}

fn month(first: NaiveDate) -> (Period, Option<NaiveDate>) {
    (Period::Month(first), first.checked_add_months(Months::new(1)))
}

fn labels(part: Period) -> (String, String) {
    match part {
        Period::Day(day) => (day.day().to_string(), day.format("%-d %B %Y").to_string()),
        Period::Month(first) => (first.format("%b").to_string(), first.format("%B %Y").to_string()),
        other => (String::new(), other.words()),
    }
}

fn tenth(tenths: i64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn reader() -> Reader {
        // 22 November 2026, 11:38:04 UTC.
        Reader { now: Instant::from_timestamp(1_795_347_484).unwrap(), zone: Tz::Europe__Berlin }
    }

    fn shown(chosen: Option<&str>) -> Dates {
        let hierarchy = DateHierarchy::new("created", chosen.and_then(Period::parse), reader());
        let sum = |period, count| Sum { event: "x".to_owned(), period, count };
        let bounds = hierarchy.bounds();
        assert_eq!(bounds.len(), hierarchy.parts.len() + 1);
        assert!(bounds.is_sorted());
        hierarchy.show(&[sum(0, 5), sum(0, 5), sum(1, 20)], |pairs| {
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
        })
    }

    fn crumbs(dates: &Dates) -> Vec<(&str, Option<&str>)> {
        dates.crumbs.iter().map(|crumb| (&*crumb.words, crumb.href.as_deref())).collect()
    }

    #[test]
    fn without_a_period_the_last_days_are_shown() {
        let dates = shown(None);
        assert_eq!(dates.bars.len(), 30);
        assert_eq!((&*dates.bars[0].label, &*dates.bars[0].href), ("22", "created=2026-11-22"));
        assert_eq!(crumbs(&dates), [("Last 30 days", None), ("2026", Some("created=2026"))]);
    }

    #[test]
    fn a_year_has_its_months_up_to_this_one() {
        let dates = shown(Some("2026"));
        assert_eq!(dates.bars.len(), 11);
        assert_eq!((&*dates.bars[0].label, &*dates.bars[10].words), ("Nov", "January 2026: 10"));
        assert_eq!((&*dates.bars[10].height, &*dates.bars[10].y), ("14.0", "14.0"));
        assert_eq!(crumbs(&dates), [("All dates", Some("")), ("2025", Some("created=2025")), ("2026", None)]);
    }

    #[test]
    fn a_day_is_shown_among_the_days_of_its_month() {
        let dates = shown(Some("2026-10-31"));
        assert_eq!(dates.bars.len(), 31);
        assert!(dates.bars[0].is_current && !dates.bars[1].is_current);
        let way = [("All dates", Some("")), ("2026", Some("created=2026")), ("October", Some("created=2026-10"))];
        assert_eq!(crumbs(&dates), way);
    }

    #[test]
    fn what_is_yet_to_come_has_no_days() {
        assert!(shown_of_the_future().is_empty());
    }

    fn shown_of_the_future() -> Vec<Instant> {
        DateHierarchy::new("created", Period::parse("2031-01"), reader()).bounds()
    }
}
