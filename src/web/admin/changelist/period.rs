//! The periods of filters: a year, a month, a day, or from one day to another, in the reader's time zone.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;

use crate::db::list;
use crate::db::types::Instant;

/// A period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A year.
    Year(i32),
    /// A month, named by its first day.
    Month(NaiveDate),
    /// A day.
    Day(NaiveDate),
    /// From a first to a last day, one of which may be open.
    Between(Option<NaiveDate>, Option<NaiveDate>),
}

impl Period {
    /// Reads `2026`, `2026-11` or `2026-11-22`.
    pub fn parse(text: &str) -> Option<Self> {
        let day = |text: &str| text.parse::<NaiveDate>().ok().filter(|day| (1..=9998).contains(&day.year()));
        match text.len() {
            4 => day(&format!("{text}-01-01")).map(|first| Self::Year(first.year())),
            7 => day(&format!("{text}-01")).map(Self::Month),
            10 => day(text).map(Self::Day),
            _ => None,
        }
    }

    /// From a first to a last day; `None` if both are open.
    pub fn between(first: Option<NaiveDate>, last: Option<NaiveDate>) -> Option<Self> {
        let sane = |day: &NaiveDate| (1..=9998).contains(&day.year());
        match (first.filter(sane), last.filter(sane)) {
            (None, None) => None,
            (Some(first), Some(last)) if first == last => Some(Self::Day(first)),
            (first, last) => Some(Self::Between(first, last)),
        }
    }

    /// The first and the last day.
    pub fn days(self) -> (Option<NaiveDate>, Option<NaiveDate>) {
        match self {
            Self::Year(year) => (NaiveDate::from_ymd_opt(year, 1, 1), NaiveDate::from_ymd_opt(year, 12, 31)),
            Self::Month(first) => {
                (Some(first), first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()))
            }
            Self::Day(day) => (Some(day), Some(day)),
            Self::Between(first, last) => (first, last),
        }
    }

    /// The same for the database.
    pub fn instants(self, zone: Tz) -> list::Period {
        let (first, last) = self.days();
        let after = last.and_then(|last| last.checked_add_days(Days::new(1)));
        (first.and_then(|day| midnight(day, zone)), after.and_then(|day| midnight(day, zone)))
    }

    /// The pairs for an address, under this name.
    pub fn pairs(self, name: &str) -> Vec<(String, String)> {
        let whole = |text: String| vec![(name.to_owned(), text)];
        match self {
            Self::Year(year) => whole(format!("{year:04}")),
            Self::Month(first) => whole(first.format("%Y-%m").to_string()),
            Self::Day(day) => whole(day.to_string()),
            Self::Between(first, last) => [("from", first), ("to", last)]
                .into_iter()
                .filter_map(|(end, day)| Some((format!("{name}_{end}"), day?.to_string())))
                .collect(),
        }
    }

    /// After the name of a column: `in November 2026`, `on 22 Nov 2026`.
    pub fn words(self) -> String {
        let day = |day: NaiveDate| day.format("%-d %b %Y").to_string();
        match self {
            Self::Year(year) => format!("in {year}"),
            Self::Month(first) => first.format("in %B %Y").to_string(),
            Self::Day(on) => format!("on {}", day(on)),
            Self::Between(Some(first), Some(last)) => format!("from {} to {}", day(first), day(last)),
            Self::Between(Some(first), None) => format!("from {}", day(first)),
            Self::Between(None, Some(last)) => format!("until {}", day(last)),
            Self::Between(None, None) => "at any time".to_owned(),
        }
    }
}

/// The first moment of a day: not every zone has a midnight every day.
fn midnight(day: NaiveDate, zone: Tz) -> Option<Instant> {
    let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).map(|time| day.and_time(time));
    let first = (0..4).filter_map(at).find_map(|time| zone.from_local_datetime(&time).earliest());
    first.map(|time| Instant::from(time.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instants(text: &str, zone: Tz) -> (String, String) {
        let (from, to) = Period::parse(text).unwrap().instants(zone);
        let text = |at: Option<Instant>| at.unwrap().datetime().format("%Y-%m-%d %H:%M").to_string();
        (text(from), text(to))
    }

    #[test]
    fn a_period_has_its_days_in_the_readers_zone() {
        assert_eq!(instants("2026-11-22", Tz::UTC), ("2026-11-22 00:00".into(), "2026-11-23 00:00".into()));
        assert_eq!(instants("2026-11", Tz::Europe__Berlin), ("2026-10-31 23:00".into(), "2026-11-30 23:00".into()));
        assert_eq!(instants("2026", Tz::Asia__Tokyo), ("2025-12-31 15:00".into(), "2026-12-31 15:00".into()));
        // A day that begins at one, because the clocks go forward at midnight.
        assert_eq!(instants("2024-03-31", Tz::Asia__Beirut).0, "2024-03-30 22:00");
    }

    #[test]
    fn what_is_no_period_is_none() {
        for text in ["", "26", "2026-13", "2026-02-30", "2026-1-1", "-001", "99999", "9999", "0000-01-01", "२०२६"]
        {
            assert_eq!(Period::parse(text), None, "{text}");
        }
        assert_eq!(Period::between(None, None), None);
    }

    #[test]
    fn a_period_is_shown_in_words_and_kept_in_addresses() {
        let first = "2026-11-01".parse().ok();
        for (period, words, pairs) in [
            (Period::parse("2026"), "in 2026", "created=2026"),
            (Period::parse("2026-11"), "in November 2026", "created=2026-11"),
            (Period::parse("2026-11-22"), "on 22 Nov 2026", "created=2026-11-22"),
            (Period::between(first, None), "from 1 Nov 2026", "created_from=2026-11-01"),
            (Period::between(None, first), "until 1 Nov 2026", "created_to=2026-11-01"),
            (Period::between(first, first), "on 1 Nov 2026", "created=2026-11-01"),
        ] {
            let period = period.unwrap();
            assert_eq!(period.words(), words);
            let shown: Vec<_> = period.pairs("created").iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(shown.join("&"), pairs);
        }
    }
}
