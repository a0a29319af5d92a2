//! The only source of randomness: identifiers, tokens, salts, and passwords for people.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Letters and digits that cannot be mistaken for one another on paper (no `0O`, `1Il`).
const UNAMBIGUOUS: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The same without capitals, for codes typed from paper.
const TYPED: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// The alphabet of Django's salts.
const ALPHANUMERIC: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// `N` random bytes from the system's generator.
///
/// # Panics
/// Never in practice: the generator of a running system does not fail.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    #[expect(clippy::expect_used, reason = "nothing here may continue without randomness")]
    rand::fill(&mut out).expect("the system's random generator answers");
    out
}

/// 32 lower-case hexadecimal digits, like Python's `uuid4().hex`: the form of a jti.
pub fn jti() -> String {
    uuid4().simple().to_string()
}

/// A random UUID, like Python's `uuid4()`.
pub fn uuid4() -> uuid::Uuid {
    uuid::Builder::from_random_bytes(bytes()).into_uuid()
}

/// A new `SECRET_KEY`: 64 lower-case hexadecimal digits, 256 bits.
pub fn secret_key() -> String {
    hex(&bytes::<32>())
}

/// 43 characters that are safe in a URL, a cookie and a form: 256 bits.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// A password for a person to type: 20 characters, 116 bits.
pub fn password() -> String {
    text(UNAMBIGUOUS, 20)
}

/// A code of this length for a person to type from paper, five bits a character.
pub fn code(length: usize) -> String {
    text(TYPED, length)
}

/// A salt as Django makes one: 22 letters and digits, 131 bits.
pub fn salt() -> String {
    text(ALPHANUMERIC, 22)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Characters of an alphabet (of at most 64), all equally likely.
fn text(alphabet: &[u8], length: usize) -> String {
    // Six bits each; values beyond the alphabet are dropped: wrapping them round would favour its start.
    std::iter::repeat_with(bytes::<32>)
        .flatten()
        .filter_map(|byte| alphabet.get(usize::from(byte & 0x3f)))
        .take(length)
        .map(|&byte| char::from(byte))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jti_is_a_version_4_uuid_without_hyphens() {
        let jti = jti();
        assert_eq!(jti.len(), 32);
        assert!(jti.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        assert_eq!(jti.as_bytes()[12], b'4');
        assert!(b"89ab".contains(&jti.as_bytes()[16]));
    }

    #[test]
    fn a_token_is_url_safe_and_differs_each_time() {
        let token = token();
        assert_eq!(token.len(), 43);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_ne!(token, super::token());
    }

    #[test]
    fn a_password_has_no_character_that_looks_like_another() {
        let password = password();
        assert_eq!(password.len(), 20);
        assert!(password.bytes().all(|b| b.is_ascii_alphanumeric() && !b"0O1Il".contains(&b)));
    }

    #[test]
    fn every_character_of_the_alphabet_comes_up_about_as_often() {
        let sample = text(ALPHANUMERIC, 62_000);
        for wanted in ALPHANUMERIC {
            let count = sample.bytes().filter(|b| b == wanted).count();
            // Seven standard deviations around 1000.
            assert!((780..1220).contains(&count), "{}: {count}", char::from(*wanted));
        }
    }
}
