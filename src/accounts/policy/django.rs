//! `PASSWORD_RULES=django`: the four validators of a new Django project, with their texts, in their order. Tested
//! against the verdicts of a real Django on thousands of passwords (`tests/it/data/django_passwords.json`).

use std::collections::HashMap;

use super::super::user::is_word;
use super::common;
use super::owner::Owner;
use super::problem::{MAX_BYTES, PasswordRule, Problem, too_common, too_short, too_similar};

/// Minimum length in characters.
const MIN_LENGTH: usize = 8;
const MAX_SIMILARITY: f64 = 0.7;

pub fn check(owner: &Owner, password: &str) -> Vec<Problem> {
    let typed = password.to_lowercase();
    let attributes = [
        ("username", &owner.username),
        ("first name", &owner.first_name),
        ("last name", &owner.last_name),
        ("email address", &owner.email),
    ];
    let similar = attributes.into_iter().find(|(_, value)| is_similar(&typed, &value.to_lowercase()));
    let mut problems: Vec<_> = similar.map(|(what, _)| too_similar(what)).into_iter().collect();
    if password.chars().count() < MIN_LENGTH {
        problems.push(too_short(MIN_LENGTH));
    }
    if common::contains(typed.trim()) {
        problems.push(too_common());
    }
    if !password.is_empty() && password.chars().all(is_digit) {
        let message = "This password is entirely numeric.".to_owned();
        problems.push(Problem { code: "password_entirely_numeric", message });
    }
    problems
}

pub fn rules() -> Vec<PasswordRule> {
    let words = "Your password must contain at least 8 characters.".to_owned();
    vec![
        PasswordRule::said("Your password can’t be too similar to your other personal information."),
        PasswordRule { words, least: Some(MIN_LENGTH), most: Some(MAX_BYTES) },
        PasswordRule::said("Your password can’t be a commonly used password."),
        PasswordRule::said("Your password can’t be entirely numeric."),
    ]
}

/// `UserAttributeSimilarityValidator`: the password is similar to the attribute or to one of its words.
fn is_similar(password: &str, attribute: &str) -> bool {
    if attribute.is_empty() {
        return false;
    }
    let words = attribute.split(|character| !is_word(character));
    let length = password.chars().count();
    words
        .chain([attribute])
        .any(|word| !is_much_longer(length, word.chars().count()) && quick_ratio(password, word) >= MAX_SIMILARITY)
}

/// Django's `exceeds_maximum_length_ratio`: the lengths differ too much to reach the ratio.
#[expect(clippy::cast_precision_loss, reason = "a password has at most 4,096 bytes")]
fn is_much_longer(password: usize, word: usize) -> bool {
    password >= 10 * word && (word as f64) < MAX_SIMILARITY / 2.0 * password as f64
}

/// `difflib.SequenceMatcher.quick_ratio`: counts the characters that both have, wherever they are.
#[expect(clippy::cast_precision_loss, reason = "a password has at most 4,096 bytes")]
fn quick_ratio(a: &str, b: &str) -> f64 {
    let mut left: HashMap<char, usize> = HashMap::new();
    for character in b.chars() {
        *left.entry(character).or_default() += 1;
    }
    let mut matches = 0;
    for character in a.chars() {
        if let Some(count) = left.get_mut(&character).filter(|count| **count > 0) {
            *count -= 1;
            matches += 1;
        }
    }
    let length = a.chars().count() + b.chars().count();
    if length == 0 { 1.0 } else { f64::from(2 * matches) / length as f64 }
}

/// Python's `str.isdigit`: Unicode's decimal digits, and circled, bracketed and superscript ones.
fn is_digit(character: char) -> bool {
    let code = u32::from(character);
    TENS.iter().any(|zero| (*zero..zero + 10).contains(&code)) || OTHERS.iter().any(|range| range.contains(&code))
}

/// The zeros of runs of ten digits.
const TENS: [u32; 61] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0x2080, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0,
    0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60,
    0x16ac0, 0x16b50, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

const OTHERS: [std::ops::RangeInclusive<u32>; 20] = [
    0xb2..=0xb3,
    0xb9..=0xb9,
    0x1369..=0x1371,
    0x19d0..=0x19da,
    0x2070..=0x2070,
    0x2074..=0x2079,
    0x2460..=0x2468,
    0x2474..=0x247c,
    0x2488..=0x2490,
    0x24ea..=0x24ea,
    0x24f5..=0x24fd,
    0x24ff..=0x24ff,
    0x2776..=0x277e,
    0x2780..=0x2788,
    0x278a..=0x2792,
    0x10a40..=0x10a43,
    0x10e60..=0x10e68,
    0x11052..=0x1105a,
    0x1d7ce..=0x1d7ff,
    0x1f100..=0x1f10a,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Owners, problems, and cases: an owner, a password, and the problems that a real Django found with it
    /// (`record_django_passwords.py` beside it).
    #[derive(serde::Deserialize)]
    struct Recorded {
        owners: Vec<[String; 4]>,
        problems: Vec<(String, String)>,
        cases: Vec<(usize, String, Vec<usize>)>,
    }

    const RECORDED: &str = include_str!("../../../tests/it/data/django_passwords.json");

    #[test]
    fn a_real_django_says_the_same_of_every_recorded_password() {
        let recorded: Recorded = serde_json::from_str(RECORDED).unwrap();
        assert!(recorded.cases.len() > 3000);
        for (owner, password, wanted) in &recorded.cases {
            let [username, first_name, last_name, email] = recorded.owners[*owner].clone();
            let owner = Owner { username, first_name, last_name, email, has_second_factor: false };
            let said = check(&owner, password).into_iter().map(|problem| (problem.code.to_owned(), problem.message));
            let wanted: Vec<_> = wanted.iter().map(|at| recorded.problems[*at].clone()).collect();
            assert_eq!(said.collect::<Vec<_>>(), wanted, "{password:?} of {owner:?}");
        }
    }
}
