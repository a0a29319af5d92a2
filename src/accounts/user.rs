//! Validates and normalises usernames, names and email addresses, by Django's rules and with its texts. Callers
//! normalise first and validate the result. Whether a username is taken is checked elsewhere.

use std::net::{Ipv4Addr, Ipv6Addr};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Django's longest username, first name and last name, in characters.
pub const NAME_MAX: usize = 150;

/// Django's longest email address, in characters.
pub const EMAIL_MAX: usize = 254;

const REQUIRED: &str = "This field is required.";
const NULL_CHARACTERS: &str = "Null characters are not allowed.";
const CONTROL_CHARACTERS: &str = "Control characters are not allowed.";
const INVALID_EMAIL: &str = "Enter a valid email address.";
const INVALID_USERNAME: &str =
    "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.";

/// An error in one field of a user, in Django's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// `username`, `email` …
    pub field: &'static str,
    /// Django's text.
    pub message: String,
}

/// NFKC, so that names that look alike are equal (Unicode Standard Annex 15).
pub fn normalize_username(username: &str) -> String {
    username.nfkc().collect()
}

/// Lowercases the domain. The local part may be case-sensitive and stays as it is (RFC 5321 section 2.4).
pub fn normalize_email(email: &str) -> String {
    match email.trim().rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
        None => email.to_owned(),
    }
}

/// Required, up to 150 letters, digits and `@ . + - _`.
pub fn validate_username(username: &str) -> Option<FieldError> {
    let message = if username.is_empty() {
        REQUIRED.to_owned()
    } else if let Some(message) = too_long(username, NAME_MAX) {
        message
    } else if username.contains('\0') {
        NULL_CHARACTERS.to_owned()
    } else if !username.chars().all(|character| is_word(character) || "@.+-".contains(character)) {
        INVALID_USERNAME.to_owned()
    } else {
        return None;
    };
    Some(FieldError { field: "username", message })
}

/// A username that already exists in another database: only Django's forms restrict the characters, `create_user` does
/// not.
pub fn validate_existing_username(username: &str) -> Option<FieldError> {
    let missing = username.is_empty().then(|| REQUIRED.to_owned());
    let message = missing.or_else(|| validate_name("username", username).map(|error| error.message))?;
    Some(FieldError { field: "username", message })
}

/// A first or last name: may be empty, up to 150 characters, no control characters.
pub fn validate_name(field: &'static str, name: &str) -> Option<FieldError> {
    let message = too_long(name, NAME_MAX).or_else(|| unprintable(name).map(str::to_owned))?;
    Some(FieldError { field, message })
}

/// An email address; an empty one passes unless `required`.
pub fn validate_email(email: &str, required: bool) -> Option<FieldError> {
    let message = match email {
        "" if required => REQUIRED.to_owned(),
        "" => return None,
        _ if email.contains('\0') => NULL_CHARACTERS.to_owned(),
        _ if !is_email(email) => INVALID_EMAIL.to_owned(),
        _ => too_long(email, EMAIL_MAX)?,
    };
    Some(FieldError { field: "email", message })
}

/// A text that its column takes: `limit` characters.
pub fn validate_length(field: &'static str, text: &str, limit: usize) -> Option<FieldError> {
    too_long(text, limit).map(|message| FieldError { field, message })
}

fn too_long(value: &str, limit: usize) -> Option<String> {
    let count = value.chars().count();
    (count > limit).then(|| format!("Ensure this value has at most {limit} characters (it has {count})."))
}

/// Django allows control characters other than NUL; they do not belong in a name, a log or a terminal.
fn unprintable(value: &str) -> Option<&'static str> {
    if value.contains('\0') {
        return Some(NULL_CHARACTERS);
    }
    value.chars().any(char::is_control).then_some(CONTROL_CHARACTERS)
}

/// Python's `\w`: letters and numbers by general category, and `_`. Rust also counts vowel signs and other marks as
/// letters, and letters in circles and squares, which are symbols.
pub(super) fn is_word(character: char) -> bool {
    let is_symbol = matches!(character, 'Ⓐ'..='ⓩ' | '\u{1f130}'..='\u{1f189}');
    character == '_' || character.is_alphanumeric() && !is_combining_mark(character) && !is_symbol
}

/// Django's `EmailValidator`, except for two things that it accepts by accident: control characters in a quoted local
/// part, and the four letters beyond ASCII that Python's `IGNORECASE` takes for `i`, `k` and `s`.
fn is_email(email: &str) -> bool {
    // RFC 3696 section 3: 64 for the local part, `@`, 255 for the domain.
    if email.chars().count() > 320 || email.chars().any(char::is_control) {
        return false;
    }
    let Some((local, domain)) = email.rsplit_once('@') else { return false };
    (is_dot_atom(local) || is_quoted(local)) && (domain == "localhost" || is_domain(domain) || is_literal(domain))
}

/// RFC 5322 section 3.2.3.
fn is_dot_atom(local: &str) -> bool {
    let is_atom_text = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_text))
}

/// RFC 5322 section 3.2.4: in double quotes, where a backslash escapes a quote or a backslash.
fn is_quoted(local: &str) -> bool {
    let Some(inside) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut bytes = inside.bytes();
    while let Some(byte) = bytes.next() {
        let is_good = match byte {
            b'\\' => bytes.next().is_some_and(|escaped| escaped.is_ascii_graphic() || escaped == b' '),
            b'"' | b' ' => false,
            byte => byte.is_ascii_graphic(),
        };
        if !is_good {
            return false;
        }
    }
    true
}

/// At least two labels of letters (also beyond ASCII), digits and inner hyphens; the last one has no digits or is
/// punycode.
fn is_domain(domain: &str) -> bool {
    let Some((rest, top)) = domain.rsplit_once('.') else { return false };
    let is_letter = |character: char| character.is_ascii_alphabetic() || matches!(character, '\u{a1}'..='\u{ffff}');
    let is_label = |label: &str, shortest: usize, allowed: &dyn Fn(char) -> bool| {
        (shortest..=63).contains(&label.chars().count())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|character| character == '-' || allowed(character))
    };
    let is_punycode = |label: &str| {
        let (start, encoded) = label.split_at_checked(4).unwrap_or_default();
        start.eq_ignore_ascii_case("xn--")
            && (1..=59).contains(&encoded.len())
            && encoded.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    rest.split('.').all(|label| is_label(label, 1, &|character| is_letter(character) || character.is_ascii_digit()))
        && (is_label(top, 2, &is_letter) || is_punycode(top))
}

/// RFC 5321 section 4.1.3, as Django reads it: an IP address in square brackets.
fn is_literal(domain: &str) -> bool {
    let Some(address) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    address.parse::<Ipv4Addr>().is_ok() || (address.len() <= 39 && address.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn username(value: &str) -> String {
        validate_username(value).map(|error| error.message).unwrap_or_default()
    }

    fn email(value: &str) -> bool {
        validate_email(value, false).is_none()
    }

    #[test]
    fn usernames_are_normalised_by_compatibility() {
        assert_eq!(normalize_username("ﬀ½Ⓐｅ"), "ff1⁄2Ae");
        assert_eq!(normalize_username("a\u{301}"), "á");
        assert_eq!(normalize_username(" Admin "), " Admin ");
    }

    #[test]
    fn only_the_domain_of_an_address_is_lowered() {
        assert_eq!(normalize_email(" Ann@Example.COM "), "Ann@example.com");
        assert_eq!(normalize_email("A@B@C.CO"), "A@B@c.co");
        assert_eq!(normalize_email(" None "), " None ");
        assert_eq!(normalize_email(""), "");
    }

    #[test]
    fn letters_digits_and_five_signs_make_a_username() {
        for good in ["a", "user@example.com", "a.b+c-d_e", "用户", "١٢", "straße", "Ⅷ"] {
            assert_eq!(username(good), "", "{good}");
        }
        for bad in ["a b", " a", "a\n", "a/b", "a'b", "a\u{301}", "कि", "Ⓐ", "🅰", "a\u{200d}b", "a\u{202e}b", "💩"]
        {
            assert_eq!(username(bad), INVALID_USERNAME, "{bad:?}");
        }
    }

    #[test]
    fn a_username_is_required_short_and_without_null() {
        assert_eq!(username(""), "This field is required.");
        assert_eq!(username("a\0"), "Null characters are not allowed.");
        assert_eq!(username(&"é".repeat(150)), "");
        assert_eq!(username(&"é".repeat(151)), "Ensure this value has at most 150 characters (it has 151).");
    }

    #[test]
    fn an_existing_username_is_anything_printable() {
        assert_eq!(validate_existing_username("o'hara x"), None);
        for bad in ["", "a\0", "a\nb"] {
            assert!(validate_existing_username(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn names_are_anything_printable() {
        for (name, message) in [
            ("", None),
            ("Zoë 💩 <b>", None),
            ("a\0", Some("Null characters are not allowed.")),
            ("a\nb", Some("Control characters are not allowed.")),
            ("a\u{9b}b", Some("Control characters are not allowed.")),
        ] {
            assert_eq!(validate_name("last_name", name).map(|error| error.message).as_deref(), message, "{name:?}");
        }
        let error = validate_name("first_name", &"a".repeat(151)).unwrap();
        assert_eq!(error.field, "first_name");
        assert_eq!(error.message, "Ensure this value has at most 150 characters (it has 151).");
    }

    #[test]
    fn an_address_may_be_left_out_unless_it_is_required() {
        assert_eq!(validate_email("", false), None);
        assert_eq!(validate_email("", true).unwrap().message, "This field is required.");
        assert_eq!(validate_email("a\0@b.co", true).unwrap().message, "Null characters are not allowed.");
        assert_eq!(validate_email("a", true).unwrap().message, "Enter a valid email address.");
        let long = validate_email(&format!("{}@b.co", "a".repeat(250)), true).unwrap();
        assert_eq!(long.message, "Ensure this value has at most 254 characters (it has 255).");
        let too_long = validate_email(&format!("{}@b.co", "a".repeat(316)), true).unwrap();
        assert_eq!(too_long.message, "Enter a valid email address.");
    }

    #[test]
    fn addresses_that_django_takes_are_taken() {
        for good in [
            "a@b.co",
            "a@localhost",
            "!#$%&'*+/=?^_`{}|~-@b.co",
            "a@é.co",
            "a@b.éé",
            "a@b.xn--p1ai",
            "a@1.co",
            "a@b.c--d",
            "\"a\"@b.co",
            "\"\"@b.co",
            "\"a@b\"@c.co",
            "\"a\\\"b\\ c\"@b.co",
            "a@[127.0.0.1]",
            "a@[::ffff:1.2.3.4]",
        ] {
            assert!(email(good), "{good}");
        }
        assert!(email(&format!("a@{}.{}", "b".repeat(63), "c".repeat(63))));
    }

    #[test]
    fn addresses_that_django_refuses_are_refused() {
        for bad in [
            "a",
            "a@b",
            "a@LOCALHOST",
            "@b.co",
            "a@",
            ".a@b.co",
            "a..b@c.co",
            "a b@c.co",
            "é@b.co",
            "a@b.c",
            "a@b.c0",
            "a@-b.co",
            "a@b-.co",
            "a@b.co-",
            "a@b..co",
            "a@b.co.",
            "a@b_c.co",
            "a@💩.co",
            "a@b.xn--",
            "a@b\u{a0}c.co",
            "a@b.co\n",
            "\"a b\"@b.co",
            "\"a\"b\"@b.co",
            "\"\\\"@b.co",
            "\"@b.co",
            "\"\u{1}\"@b.co",
            "a@[127.0.0.01]",
            "a@[1.2.3]",
            "a@[]",
            "a@[127.0.0.1",
            "a@[0000:0000:0000:0000:0000:ffff:255.255.255.255]",
        ] {
            assert!(!email(bad), "{bad:?}");
        }
        assert!(!email(&format!("a@{}.co", "b".repeat(64))));
    }
}
