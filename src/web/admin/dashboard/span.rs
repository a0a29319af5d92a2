//! The period that the dashboard covers: 24 hours or 30 days, in the reader's time zone.

use actix_web::web::Query;
use chrono::Days;
use chrono_tz::Tz;
use serde::Deserialize;
use strum::VariantArray;

use crate::db::types::Instant;
use crate::web::admin::changelist::period::Period;
use crate::web::words::Reader;

/// The period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, VariantArray)]
pub enum Span {
    /// 24 hours, including the current one.
    #[default]
    Hours,
    /// 30 days, including today.
    Days,
}

const HOURS: u64 = 24;
const DAYS: u64 = 30;

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    last: String,
}

impl Span {
    /// The period of a query: `last=30-days`; anything else is 24 hours.
    pub fn of(query: &str) -> Self {
        match Query::<Choice>::from_query(query) {
            Ok(choice) if choice.last == "30-days" => Self::Days,
            _ => Self::Hours,
        }
    }

    /// Its address.
    pub fn href(self) -> &'static str {
        match self {
            Self::Hours => "/admin/",
            Self::Days => "/admin/?last=30-days",
        }
    }

    /// `24 hours`, `30 days`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Hours => "24 hours",
            Self::Days => "30 days",
        }
    }

    /// The unit of one bar.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Hours => "hour",
            Self::Days => "day",
        }
    }

    /// The same as the head of a column.
    pub fn column(self) -> &'static str {
        match self {
            Self::Hours => "Hour",
            Self::Days => "Day",
        }
    }

    /// Where the periods begin, and where the last one ends.
    pub fn bounds(self, reader: Reader) -> Vec<Instant> {
        let hour = std::time::Duration::from_hours;
        match self {
            Self::Hours => {
                let first = reader.now.hour() - hour(HOURS - 1);
                (0..=HOURS).map(|number| first + hour(number)).collect()
            }
            Self::Days => {
                let today = reader.now.datetime().with_timezone(&reader.zone).date_naive();
                let day = |back: u64| today.checked_sub_days(Days::new(back)).map(Period::Day);
                let starts = (0..DAYS).rev().filter_map(|back| day(back)?.instants(reader.zone).0);
                starts.chain(Period::Day(today).instants(reader.zone).1).collect()
            }
        }
    }

    /// The labels of the bars: `14:00`, `24 Oct`.
    pub fn names(self, bounds: &[Instant], zone: Tz) -> Vec<String> {
        named(bounds, zone, if self == Self::Hours { "%H:%M" } else { "%-d %b" })
    }

    /// The labels of the table, with the year: `21 Nov 2026, 14:00`.
    pub fn long_names(self, bounds: &[Instant], zone: Tz) -> Vec<String> {
        named(bounds, zone, if self == Self::Hours { "%-d %b %Y, %H:%M" } else { "%-d %b %Y" })
    }

    /// Four labels below the bars.
    pub fn axis(self, names: &[String]) -> [String; 4] {
        let at = |third: usize| names.get(names.len() * third / 3).cloned().unwrap_or_default();
        match self {
            Self::Hours => [format!("{} yesterday", at(0)), at(1), at(2), "now".to_owned()],
            Self::Days => [at(0), at(1), at(2), "today".to_owned()],
        }
    }
}

fn named(bounds: &[Instant], zone: Tz, format: &str) -> Vec<String> {
    let starts = bounds.iter().take(bounds.len().saturating_sub(1));
    starts.map(|at| at.datetime().with_timezone(&zone).format(format).to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(zone: Tz) -> Reader {
        // 2026-11-22 11:38:04 UTC
        Reader { now: Instant::from_timestamp(1_795_347_484).unwrap(), zone }
    }

    #[test]
    fn hours_are_those_of_the_readers_clock() {
        let bounds = Span::Hours.bounds(reader(Tz::Europe__Berlin));
        let names = Span::Hours.names(&bounds, Tz::Europe__Berlin);
        assert_eq!((names.len(), &*names[0], &*names[23]), (24, "13:00", "12:00"));
        assert_eq!(Span::Hours.long_names(&bounds, Tz::Asia__Kolkata)[23], "22 Nov 2026, 16:30");
        assert_eq!(Span::Hours.axis(&names), ["13:00 yesterday", "21:00", "05:00", "now"]);
    }

    #[test]
    fn days_begin_at_the_readers_midnight() {
        let bounds = Span::Days.bounds(reader(Tz::Asia__Tokyo));
        assert_eq!((bounds.len(), bounds[29].iso()), (31, "2026-11-21T15:00:00Z".to_owned()));
        assert_eq!(Span::Days.names(&bounds, Tz::Asia__Tokyo)[0], "24 Oct");
    }

    #[test]
    fn the_address_says_which() {
        for (query, span) in [
            ("", Span::Hours),
            ("last=30-days", Span::Days),
            ("last=nonsense", Span::Hours),
            ("last=%FF&last=30-days", Span::Hours),
        ] {
            assert_eq!(Span::of(query), span, "{query}");
        }
    }
}
