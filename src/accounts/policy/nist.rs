//! `PASSWORD_RULES=nist`: NIST SP 800-63B-4, section 3.1.1.2. Only the length counts, in code points, not the kinds of
//! characters. Passwords that an attacker tries first are refused: common ones and names of the account, even if
//! repeated.

use unicode_normalization::UnicodeNormalization;

use super::common;
use super::owner::Owner;
use super::problem::{MAX_BYTES, PasswordRule, Problem, too_common, too_short, too_similar};

/// Minimum length in characters, without and with a second factor.
const MIN_LENGTH: usize = 15;
const MIN_LENGTH_WITH_FACTOR: usize = 8;

/// A password that repeats a part of at most this length is too simple (`abcabcabcabcabc`).
const MAX_SIMPLE_PART: usize = 3;

pub fn check(owner: &Owner, site: &str, password: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let least = least(owner.has_second_factor);
    if password.chars().count() < least {
        problems.push(too_short(least));
    }
    let typed = plain(password);
    let typed = typed.trim();
    let unit = repeated(typed);
    // Digits at the end add little.
    let word_of = typed.trim_end_matches(|c: char| c.is_ascii_digit());
    let is = |word: &str| {
        let word = plain(word.trim());
        !word.is_empty() && [typed, unit, word_of].contains(&&*word)
    };
    let local = owner.email.rsplit_once('@').map_or("", |(local, _)| local);
    let known = [("username", &*owner.username), ("email address", &owner.email), ("email address", local)];
    let known = known.into_iter().chain([("site’s name", site)]).find(|(_, word)| is(word));
    problems.extend(known.map(|(what, _)| too_similar(what)));
    let is_short = unit != typed && unit.chars().count() <= MAX_SIMPLE_PART;
    if is_short || is_row(typed) || [typed, unit, word_of].into_iter().any(common::contains) {
        problems.push(too_common());
    }
    problems
}

pub fn rules(has_second_factor: bool) -> Vec<PasswordRule> {
    let least = least(has_second_factor);
    vec![
        PasswordRule { words: format!("At least {least} characters"), least: Some(least), most: Some(MAX_BYTES) },
        PasswordRule::said("Not a commonly used password"),
        PasswordRule::said("Not your username, your email address or the name of this site"),
        PasswordRule::said("Any characters are allowed, including spaces. A short sentence works well"),
    ]
}

/// Normalises a password for comparison: lower case, one form of each letter, no invisible characters.
fn plain(text: &str) -> String {
    let is_seen = |c: &char| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    text.nfkc().filter(is_seen).collect::<String>().to_lowercase()
}

fn least(has_second_factor: bool) -> usize {
    if has_second_factor { MIN_LENGTH_WITH_FACTOR } else { MIN_LENGTH }
}

/// The part that a text repeats; the last repetition may be cut short: `password` of `passwordpassword` and of
/// `passwordpass`. For most texts it is the whole text, or nearly.
fn repeated(text: &str) -> &str {
    // Finds the first position from which the text equals its beginning. A failure table (Knuth, Morris, Pratt) takes
    // one pass, however long the text is.
    let bytes = text.as_bytes();
    let mut table = vec![0; bytes.len()];
    let mut matched = 0;
    for at in 1..bytes.len() {
        while matched > 0 && bytes[at] != bytes[matched] {
            matched = table[matched - 1];
        }
        if bytes[at] == bytes[matched] {
            matched += 1;
        }
        table[at] = matched;
    }
    // Not a character boundary only if characters share bytes; then the user did not type a repetition.
    text.get(..bytes.len() - matched).unwrap_or(text)
}

/// Whether the characters are in ascending or descending order: `abcdefghijklmno`.
fn is_row(text: &str) -> bool {
    let steps: Vec<i64> = text
        .chars()
        .zip(text.chars().skip(1))
        .map(|(a, b)| i64::from(u32::from(b)) - i64::from(u32::from(a)))
        .collect();
    steps.len() > 1 && (steps.iter().all(|step| *step == 1) || steps.iter().all(|step| *step == -1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(password: &str) -> Vec<&'static str> {
        let owner =
            Owner { username: "Ann.Archer".to_owned(), email: "annabel@example.com".to_owned(), ..Owner::default() };
        check(&owner, "Harbour News", password).into_iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn length_is_counted_in_code_points() {
        assert_eq!(codes("violet-harbour"), ["password_too_short"]);
        assert_eq!(codes("violet-harbour1"), [""; 0]);
        assert_eq!(codes(&"é".repeat(14)), ["password_too_short", "password_too_common"]);
        assert_eq!(codes("дом у синего моря"), [""; 0]);
        assert_eq!(codes("🐎🔋🏠🌊🎻🍋🚲🌵🎩🐙🦉🧊🪁🛶🎈"), [""; 0]);
    }

    #[test]
    fn with_a_second_factor_eight_will_do() {
        let owner = Owner { has_second_factor: true, ..Owner::default() };
        assert_eq!(check(&owner, "", "violet-7"), []);
        assert_eq!(check(&owner, "", "harbou7"), [too_short(8)]);
        assert_eq!(rules(true)[0].words, "At least 8 characters");
    }

    #[test]
    fn no_composition_is_asked_for() {
        assert_eq!(codes("a quiet morning by the sea"), [""; 0]);
        assert_eq!(codes("840291736455120"), [""; 0]);
    }

    #[test]
    fn what_many_people_use_is_refused_whole_repeated_and_in_any_case() {
        for common in [
            "ManchesterUnited",
            " manchesterunited ",
            "passwordpassword",
            "password1234567",
            "ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ",
            "password\u{200b}password",
            "PasswordPasswordPass",
            "letmeinletmeinletmein",
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "1234567890123456",
            "abcdefghijklmnop",
            "zyxwvutsrqponmlk",
        ] {
            assert_eq!(codes(common), ["password_too_common"], "{common}");
        }
    }

    #[test]
    fn what_anybody_knows_of_the_account_is_refused() {
        for (password, what) in [
            ("ann.archerAnn.Archer", "username"),
            ("ANNABEL@example.com", "email address"),
            ("annabelannabelannabel", "email address"),
            ("harbour newsHarbour News", "site’s name"),
        ] {
            let owner = Owner {
                username: "Ann.Archer".to_owned(),
                email: "annabel@example.com".to_owned(),
                ..Owner::default()
            };
            let problems = check(&owner, "Harbour News", password);
            assert!(problems.contains(&too_similar(what)), "{password}: {problems:?}");
        }
        assert_eq!(codes("ann.archer likes tea"), [""; 0]);
    }

    #[test]
    fn a_repetition_is_of_its_shortest_part() {
        for (text, unit) in [
            ("aaaa", "a"),
            ("abab", "ab"),
            ("ababa", "ab"),
            ("abcab", "abc"),
            ("abc", "abc"),
            ("a", "a"),
            ("", ""),
            ("éé", "é"),
        ] {
            assert_eq!(repeated(text), unit);
        }
    }
}
