//! Message authentication codes under `SECRET_KEY`: for fingerprints of what a row depends on, codes that people type, and
//! signatures of forms. One function makes all of them, each under a label of its own.

use secrecy::{ExposeSecret, SecretString};

use super::digest::hmac_sha256;
use super::random::hex;

/// A code for these parts under a label: HMAC with SHA-256 (RFC 2104).
///
/// Two lists of parts never have the same code: parts are separated by NUL, and a NUL inside one is escaped.
pub fn mac(key: &SecretString, label: &str, parts: &[&str]) -> Mac {
    let mut message = label.as_bytes().to_vec();
    for part in parts {
        message.push(0);
        for byte in part.bytes() {
            match byte {
                0 => message.extend([1, 2]),
                1 => message.extend([1, 1]),
                other => message.push(other),
            }
        }
    }
    Mac(hmac_sha256(key.expose_secret().as_bytes(), &message))
}

/// A message authentication code.
#[derive(Clone, Copy)]
pub struct Mac([u8; 32]);

impl Mac {
    /// As 64 lower-case hexadecimal digits.
    pub fn hex(self) -> String {
        hex(&self.0)
    }

    /// As it is.
    pub fn bytes(self) -> [u8; 32] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn hex_of(label: &str, parts: &[&str]) -> String {
        mac(&SecretString::from("secret"), label, parts).hex()
    }

    #[test]
    fn no_two_lists_of_parts_have_the_same_code() {
        let lists: [&[&str]; 9] = [
            &[],
            &[""],
            &["", ""],
            &["ab"],
            &["a", "b"],
            &["a\0b"],
            &["a\u{1}\u{2}b"],
            &["a\u{1}", "\u{2}b"],
            &["a ", "b"],
        ];
        let codes: BTreeSet<_> = lists.iter().map(|parts| hex_of("label", parts)).collect();
        assert_eq!(codes.len(), lists.len());
        assert_ne!(hex_of("label", &["a"]), hex_of("label a", &[]));
    }

    #[test]
    fn a_label_alone_is_the_message() {
        assert_eq!(hex_of("label", &[]), hex(&hmac_sha256(b"secret", b"label")));
    }
}
