//! Parses text into values: durations, booleans, numbers, lists, choices and header names.
//! Pure functions; an error says what is wrong with the value, and `reader.rs` adds its name and an example.

use std::fmt::Display;
use std::io;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use strum::VariantArray;

/// What is wrong with a value, without the value itself.
pub type ValueError = String;

/// Why a file cannot be used, without its path and without the system's error number.
pub fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        kind => kind.to_string(),
    }
}

/// Maximum duration in seconds, a hundred years: more would only overflow later.
const MAX_SECONDS: u64 = 36_500 * 86_400;

/// `true`, `false`, `1`, `0`, `yes`, `no`, `on`, `off`, in any case.
pub fn boolean(value: &str) -> Result<bool, ValueError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("is neither true nor false".to_owned()),
    }
}

/// A whole number within `range`.
pub fn number<T: FromStr + PartialOrd + Display>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, ValueError> {
    move |value| {
        let number = if value.bytes().all(|byte| byte.is_ascii_digit()) { value.parse().ok() } else { None };
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("is not a whole number from {} to {}", range.start(), range.end()))
    }
}

/// The variant of an enum that the word names, in any case.
pub fn variant<T: VariantArray + Copy + Into<&'static str>>(value: &str) -> Result<T, ValueError> {
    one_of(T::VARIANTS.iter().map(|variant| ((*variant).into(), *variant)), value)
}

/// What one of the given words stands for, in any case.
pub fn choice<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&str) -> Result<T, ValueError> {
    move |value| one_of(words.iter().copied(), value)
}

fn one_of<T>(words: impl Iterator<Item = (&'static str, T)> + Clone, value: &str) -> Result<T, ValueError> {
    let found = words.clone().find(|(word, _)| word.eq_ignore_ascii_case(value));
    found.map(|(_, meaning)| meaning).ok_or_else(|| {
        let known: Vec<_> = words.map(|(word, _)| word).collect();
        format!("is not one of {}", known.join(", "))
    })
}

/// A list with commas; each part goes through `item`, empty parts are skipped.
pub fn list<T>(item: impl Fn(&str) -> Result<T, ValueError>) -> impl Fn(&str) -> Result<Vec<T>, ValueError> {
    move |value| {
        value
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| item(part).map_err(|fault| format!("has {part:?}, which {fault}")))
            .collect()
    }
}

/// As `list`, but at least one entry and no entry twice.
pub fn some<T: PartialEq>(item: impl Fn(&str) -> Result<T, ValueError>) -> impl Fn(&str) -> Result<Vec<T>, ValueError> {
    let list = list(item);
    move |value| {
        let mut entries: Vec<T> = Vec::new();
        for entry in list(value)? {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        if entries.is_empty() { Err("has no entry".to_owned()) } else { Ok(entries) }
    }
}

/// Any text without control characters.
pub fn text(value: &str) -> Result<String, ValueError> {
    if value.chars().any(char::is_control) {
        return Err("contains a control character".to_owned());
    }
    Ok(value.to_owned())
}

/// A text, or `None` for `none`.
pub fn text_or_none(value: &str) -> Result<Option<String>, ValueError> {
    if value.eq_ignore_ascii_case("none") { Ok(None) } else { text(value).map(Some) }
}

/// A token in the sense of RFC 9110 section 5.6.2, such as a header's name or an authentication scheme.
pub fn http_token(value: &str) -> Result<String, ValueError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !value.is_empty() && value.bytes().all(allowed) {
        Ok(value.to_owned())
    } else {
        Err("has characters that cannot stand in an HTTP header's name".to_owned())
    }
}

/// A header's name, in lower case.
pub fn header_name(value: &str) -> Result<String, ValueError> {
    http_token(value).map(|name| name.to_ascii_lowercase())
}

/// A duration greater than zero.
pub fn positive_duration(value: &str) -> Result<Duration, ValueError> {
    match duration(value)? {
        Duration::ZERO => Err("is no time at all".to_owned()),
        duration => Ok(duration),
    }
}

/// `5m`, `30 days`, `1h 30m`, or a plain number of seconds.
pub fn duration(value: &str) -> Result<Duration, ValueError> {
    let seconds = if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        value.parse().ok()
    } else {
        let mut rest = value.trim();
        let mut sum = Some(0_u64);
        while !rest.is_empty() {
            let (seconds, after) = duration_part(rest)?;
            sum = sum.zip(seconds).and_then(|(sum, seconds)| sum.checked_add(seconds));
            rest = after.trim_start();
        }
        sum.filter(|_| !value.trim().is_empty())
    };
    match seconds {
        Some(seconds) if seconds <= MAX_SECONDS => Ok(Duration::from_secs(seconds)),
        _ => Err("is longer than a hundred years".to_owned()),
    }
}

/// The first number with its unit, as seconds (`None` if it overflows), and what follows it.
fn duration_part(value: &str) -> Result<(Option<u64>, &str), ValueError> {
    let fault = || "is not a time such as `5m`, `30 days`, `1h 30m` or a number of seconds".to_owned();
    let (digits, rest) = value.split_at(value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len()));
    let rest = rest.trim_start();
    let (unit, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()));
    let unit = match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return Err(fault()),
    };
    if digits.is_empty() {
        return Err(fault());
    }
    Ok((digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)), after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_understood() {
        for (text, seconds) in [
            ("300", 300),
            ("5m", 300),
            ("30 days", 2_592_000),
            ("1 day", 86_400),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            ("2 Weeks", 1_209_600),
            ("0", 0),
            ("1 d 1 s", 86_401),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_durations() {
        for text in
            ["-5m", "5 fortnights", "m", "1.5h", "5m 3", "99999999999999999999", "999999999999999999 weeks", "", "١"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(duration("18446744073709551615s 18446744073709551615s").is_err());
        assert!(positive_duration("0m").is_err());
        assert!(duration("36500 days").is_ok());
        assert!(duration("36501 days").is_err());
    }

    #[test]
    fn booleans_have_eight_spellings() {
        for text in ["true", "True", "1", "yes", "ON"] {
            assert_eq!(boolean(text), Ok(true));
        }
        for text in ["false", "0", "No", "off"] {
            assert_eq!(boolean(text), Ok(false));
        }
        assert!(boolean("maybe").is_err());
    }

    #[test]
    fn numbers_stay_within_their_range() {
        let port = number(0_u16..=u16::MAX);
        assert_eq!(port("0"), Ok(0));
        assert_eq!(port("65535"), Ok(65_535));
        for text in ["65536", "-1", "+1", "1.0", "x", " 1"] {
            assert!(port(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_skip_empty_parts_and_name_the_bad_one() {
        assert_eq!(list(text)(" a, b ,,c"), Ok(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
        assert_eq!(some(text)("a,a"), Ok(vec!["a".to_owned()]));
        assert!(some(text)(",").is_err());
        assert!(list(boolean)("true,perhaps").unwrap_err().contains("perhaps"));
    }

    #[test]
    fn header_names_are_tokens() {
        assert_eq!(header_name("X-Access-Token"), Ok("x-access-token".to_owned()));
        for text in ["", "a b", "a:b", "ä", "a\r\nb"] {
            assert!(header_name(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_a_value_or_a_fault(text in prop_oneof![any::<String>(), "[0-9]{0,22} ?[a-z]{0,7} ?[0-9]{0,3}[smhdw]?"]) {
            let longest = Duration::from_secs(MAX_SECONDS);
            prop_assert!(duration(&text).map_or(true, |time| time <= longest));
            prop_assert!(positive_duration(&text) != Ok(Duration::ZERO));
            prop_assert!(number(3_u8..=7)(&text).map_or(true, |number| (3..=7).contains(&number)));
            prop_assert!(http_token(&text).map_or(true, |token| token == text && token.is_ascii()));
            prop_assert!(some(super::text)(&text).map_or(true, |entries| !entries.is_empty()));
            let _ = boolean(&text);
        }

        #[test]
        fn a_duration_is_the_sum_of_its_parts(weeks in 0..99_u64, hours in 0..99_u64, seconds in 0..99_u64) {
            let sum = Duration::from_secs(weeks * 604_800 + hours * 3_600 + seconds);
            prop_assert_eq!(duration(&format!("{weeks} weeks {hours}h{seconds} s")), Ok(sum));
            prop_assert_eq!(duration(&sum.as_secs().to_string()), Ok(sum));
        }
    }
}
