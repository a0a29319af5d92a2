//! The parts between a token's dots: JSON in base64url (RFC 7515, 2), read and written as PyJWT does.
//! What the JSON must say is checked in `jwt`; `jwk` reads the numbers of keys with it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::claims::Claims;

/// A payload as PyJWT writes it: compact, in the claims' order, in ASCII.
pub fn write(claims: &Claims) -> String {
    // A map of JSON values can always be written.
    let json = serde_json::to_string(claims).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(ascii(&json))
}

/// The JSON object in a segment (RFC 8259): of two equal names the last counts, there are at most 128 levels, and a byte order
/// mark is skipped.
pub fn object(segment: &str) -> Option<Claims> {
    let json = bytes(segment)?;
    serde_json::from_slice(json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&json)).ok()
}

/// The bytes that a segment encodes.
pub fn bytes(segment: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(unpadded(segment)?).ok()
}

/// A segment without its padding, which PyJWT tolerates if it is complete.
pub fn unpadded(segment: &str) -> Option<&str> {
    let bare = segment.trim_end_matches('=');
    let padding = segment.len() - bare.len();
    (padding == 0 || padding <= 2 && segment.len().is_multiple_of(4)).then_some(bare)
}

/// The same JSON in ASCII, as Python writes it: other characters become `\uXXXX`.
fn ascii(json: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && character != '\x7f' {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_padding_is_tolerated() {
        for good in ["e30", "e30=", "eyAgfQ", "eyAgfQ==", "eyB9"] {
            assert_eq!(unpadded(good).and_then(object), Some(Claims::new()), "{good}");
            assert_eq!(object(good), Some(Claims::new()), "{good}");
        }
        for bad in ["e30==", "e30===", "eyAgfQ=", "eyB9====", "=", "==", "====", "e3=0", "e31", "e30\n", "e3 0", "e"] {
            assert_eq!(object(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_json_objects_are_read() {
        for bad in ["", "[]", "null", "\"{}\"", "{}x", "{\"a\":NaN}", "{\"a\":1e999}", "{\"a\":\"\\ud800\"}"] {
            assert_eq!(object(&URL_SAFE_NO_PAD.encode(bad)), None, "{bad}");
        }
        assert_eq!(object(&URL_SAFE_NO_PAD.encode(b"{\"a\":\"\xff\"}")), None);
        assert_eq!(object(&URL_SAFE_NO_PAD.encode(b"\xff\xfe{\0}\0")), None);
        assert!(object(&URL_SAFE_NO_PAD.encode("\u{feff} {\"a\" : 1}\n")).is_some());
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = |levels| format!(r#"{{"x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(object(&URL_SAFE_NO_PAD.encode(deep(100))).is_some());
        assert!(object(&URL_SAFE_NO_PAD.encode(deep(200_000))).is_none());
    }

    #[test]
    fn whatever_is_not_ascii_is_escaped_as_in_python() {
        assert_eq!(ascii("\"aé😀\u{7f}\\n\""), "\"a\\u00e9\\ud83d\\ude00\\u007f\\n\"");
    }
}
