//! Times and amounts in words.

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::db::page::Total;
use crate::db::types::Instant;

/// The reader of a page: the time and their time zone.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// When the page is made.
    pub now: Instant,
    /// The time zone in which times are shown.
    pub zone: Tz,
}

impl Reader {
    /// A reader without a known time zone.
    pub fn in_utc(now: Instant) -> Self {
        Self { now, zone: Tz::UTC }
    }
}

/// A time, in every form that a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// For machines: `2026-11-22T11:38:04Z`.
    pub iso: String,
    /// Exact, for people: `2026-11-22 11:38:04 UTC`.
    pub utc: String,
    /// In the reader's zone: `22 Nov 2026, 12:38:04 CET`.
    pub long: String,
    /// In the reader's zone: `22 Nov 2026`.
    pub day: String,
    /// `1 hour ago`, `in 22 hours`.
    pub relative: String,
    /// Whether `long` is in UTC already.
    pub is_utc: bool,
}

impl When {
    /// A time for its reader.
    pub fn new(at: Instant, reader: Reader) -> Self {
        let at = at.datetime();
        let here = at.with_timezone(&reader.zone);
        Self {
            iso: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            utc: at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            long: here.format("%-d %b %Y, %H:%M:%S %Z").to_string(),
            day: here.format("%-d %b %Y").to_string(),
            relative: relative(at - reader.now.datetime()),
            is_utc: reader.zone == Tz::UTC,
        }
    }
}

fn relative(from_now: TimeDelta) -> String {
    let seconds = from_now.num_seconds();
    if seconds == 0 {
        return "just now".to_owned();
    }
    let length = length(seconds.unsigned_abs());
    if seconds > 0 { format!("in {length}") } else { format!("{length} ago") }
}

/// A length of time in its largest unit, rounded down: `22 hours`.
pub fn length(seconds: u64) -> String {
    const UNITS: [(u64, &str); 6] =
        [(31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let (size, unit) = UNITS.into_iter().find(|(size, _)| seconds >= *size).unwrap_or((1, "second"));
    amount(i64::try_from(seconds / size).unwrap_or(i64::MAX), unit)
}

/// The id of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jti(pub String);

impl Jti {
    /// Its first characters, where the whole would be too long.
    pub fn short(&self) -> String {
        match self.0.char_indices().nth(12) {
            Some((end, _)) => format!("{}…", &self.0[..end]),
            None => self.0.clone(),
        }
    }
}

impl std::fmt::Display for Jti {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// `1 token`, `2 tokens`.
pub fn amount(count: i64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", commas(count))
}

/// `1,004,318`.
pub fn commas(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::from(if number < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count that stopped somewhere: `10,000 or more`.
pub fn at_least(count: i64, is_cut: bool) -> String {
    if is_cut { format!("{} or more", commas(count)) } else { commas(count) }
}

/// A total for a sentence: `1,204`, `about 10.2 million`; `None` if unknown.
pub fn total(total: Total) -> Option<String> {
    match total {
        Total::Exact(count) => Some(commas(count)),
        Total::About(count) => Some(format!("about {}", rough(count))),
        Total::Unknown => None,
    }
}

/// Two or three significant digits: `10.2 million`, `412,000`.
fn rough(count: i64) -> String {
    match count {
        1_000_000_000.. => tenths(count, 1_000_000_000, "billion"),
        1_000_000.. => tenths(count, 1_000_000, "million"),
        1_000.. => commas(count / 1000 * 1000),
        _ => commas(count),
    }
}

fn tenths(count: i64, unit: i64, name: &str) -> String {
    let (whole, tenth) = (count / unit, count % unit * 10 / unit);
    if whole >= 100 || tenth == 0 { format!("{} {name}", commas(whole)) } else { format!("{whole}.{tenth} {name}") }
}

/// For a tab or a tile: `10.2 M`, `412 k`, `9,876`.
pub fn short(count: i64) -> String {
    match count {
        1_000_000.. => tenths(count, 1_000_000, "M"),
        10_000.. => tenths(count, 1_000, "k"),
        _ => commas(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(at: i64, now: i64) -> When {
        When::new(Instant::from_timestamp(at).unwrap(), Reader::in_utc(Instant::from_timestamp(now).unwrap()))
    }

    #[test]
    fn a_time_is_told_in_every_form() {
        let when = when(1_795_347_484, 1_795_347_484 + 4000);
        assert_eq!(when.iso, "2026-11-22T11:38:04Z");
        assert_eq!(when.utc, "2026-11-22 11:38:04 UTC");
        assert_eq!(when.long, "22 Nov 2026, 11:38:04 UTC");
        assert_eq!(when.day, "22 Nov 2026");
        assert_eq!(when.relative, "1 hour ago");
    }

    #[test]
    fn a_time_is_told_in_the_readers_zone() {
        let at = Instant::from_timestamp(1_795_390_684).unwrap();
        let when = When::new(at, Reader { now: at, zone: Tz::Asia__Tokyo });
        assert_eq!((&*when.long, &*when.day), ("23 Nov 2026, 08:38:04 JST", "23 Nov 2026"));
        assert_eq!((&*when.utc, when.is_utc), ("2026-11-22 23:38:04 UTC", false));
    }

    #[test]
    fn relative_times_use_the_largest_unit() {
        for (seconds, words) in [
            (0, "just now"),
            (1, "in 1 second"),
            (-59, "59 seconds ago"),
            (-60, "1 minute ago"),
            (86_399, "in 23 hours"),
            (86_400, "in 1 day"),
            (-29 * 86_400, "29 days ago"),
            (-45 * 86_400, "1 month ago"),
            (400 * 86_400, "in 1 year"),
        ] {
            assert_eq!(relative(TimeDelta::seconds(seconds)), words);
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_times_too() {
        assert_eq!(when(-62_135_596_800, 0).relative, "1,970 years ago");
        assert_eq!(when(253_402_300_799, 0).day, "31 Dec 9999");
    }

    #[test]
    fn counts_are_exact_or_about() {
        assert_eq!(total(Total::Exact(1_004_318)).unwrap(), "1,004,318");
        assert_eq!(total(Total::About(10_249_000)).unwrap(), "about 10.2 million");
        assert_eq!(total(Total::About(412_345)).unwrap(), "about 412,000");
        assert_eq!(total(Total::Unknown), None);
        assert_eq!([short(10_249_000), short(412_345), short(9_876)], ["10.2 M", "412 k", "9,876"]);
        assert_eq!(commas(0), "0");
        assert_eq!(amount(1, "token"), "1 token");
    }
}
