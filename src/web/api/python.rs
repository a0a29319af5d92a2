//! Python's way of reading values: `str.strip`, `str(number)`, charsets, `application/x-www-form-urlencoded`. Pure
//! functions without HTTP, called by `body` and `fields`.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// A charset that a body may name. The few that only Python knows are treated as UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, also for unknown names.
    Utf8,
    /// ISO 8859-1: every byte is a character.
    Latin1,
    /// US-ASCII.
    Ascii,
    /// Another charset of the web; a byte order mark is removed.
    Other(&'static Encoding),
}

impl Charset {
    /// The charset with this name, in the spellings of Python's codecs; `None` for codecs that do not decode text.
    pub fn by_name(name: &str) -> Option<Self> {
        let plain: String =
            name.chars().map(|c| if c == '-' || c == ' ' { '_' } else { c.to_ascii_lowercase() }).collect();
        match plain.trim_end_matches("_codec") {
            "latin_1" | "latin1" | "latin" | "l1" | "iso_8859_1" | "iso8859_1" | "iso8859" | "8859" | "cp819" => {
                Some(Self::Latin1)
            }
            "ascii" | "us_ascii" | "646" => Some(Self::Ascii),
            "base64" | "base_64" | "bz2" | "hex" | "quopri" | "quoted_printable" | "rot13" | "rot_13" | "uu"
            | "zip" | "zlib" | "undefined" => None,
            "utf_8_sig" => Some(Self::Other(UTF_8)),
            "utf_16_le" => Some(Self::Other(UTF_16LE)),
            "utf_16_be" => Some(Self::Other(UTF_16BE)),
            plain => {
                let known = Encoding::for_label(name.as_bytes())
                    .or_else(|| Encoding::for_label(plain.replace('_', "-").as_bytes()));
                Some(known.filter(|known| *known != UTF_8).map_or(Self::Utf8, Self::Other))
            }
        }
    }

    /// Decodes bytes, or reports where they are not in this charset.
    pub fn decode(self, bytes: &[u8]) -> Result<String, String> {
        match self {
            Self::Latin1 => Ok(latin1(bytes)),
            Self::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
                Some(at) => Err(format!(
                    "'ascii' codec can't decode byte 0x{:02x} in position {at}: ordinal not in range(128)",
                    bytes[at]
                )),
                None => Ok(latin1(bytes)),
            },
            Self::Utf8 => std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
                let at = error.valid_up_to();
                format!("'utf-8' codec can't decode byte 0x{:02x} in position {at}: invalid start byte", bytes[at])
            }),
            Self::Other(encoding) => match encoding.decode(bytes) {
                (text, _, false) => Ok(text.into_owned()),
                (_, _, true) => Err(format!("'{}' codec can't decode the body", encoding.name())),
            },
        }
    }

    /// Decodes bytes, with U+FFFD for those that are not in this charset.
    pub fn decode_lossy(self, bytes: &[u8]) -> String {
        match self {
            Self::Latin1 => latin1(bytes),
            Self::Ascii => {
                bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' }).collect()
            }
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Other(encoding) => encoding.decode(bytes).0.into_owned(),
        }
    }
}

/// Decodes every byte as the character with that number.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// `str.strip()`: Unicode white space, and the four separators that only Python counts as such.
pub fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// `str(json.loads(literal))` of a JSON number.
pub fn number(literal: &str) -> String {
    if !literal.contains(['.', 'e', 'E']) {
        return if literal == "-0" { "0".to_owned() } else { literal.to_owned() };
    }
    literal.parse().map_or_else(|_| literal.to_owned(), float)
}

/// `repr(float)`: the shortest digits, with an exponent below 1e-4 and from 1e16 on.
fn float(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The most digits of an integer that Python parses (`sys.get_int_max_str_digits`).
const MAX_DIGITS: usize = 4300;

/// Whether JSON contains an integer that Python refuses to parse.
pub fn has_endless_integer(json: &str) -> bool {
    let (mut in_text, mut is_escaped, mut digits) = (false, false, 0_usize);
    let mut longest = 0;
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => (in_text, digits) = (!in_text, 0),
            b'0'..=b'9' if !in_text => digits += 1,
            // The digits so far belong to a float, and so do those that follow.
            b'.' | b'e' | b'E' if digits > 0 => digits = 0,
            _ => {
                longest = longest.max(digits);
                digits = 0;
            }
        }
    }
    longest.max(digits) > MAX_DIGITS
}

/// `urllib.parse.parse_qsl` with blank values kept.
pub fn parse_form(text: &str, charset: Charset) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let split = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    split.map(|(name, value)| (unquote_plus(name, charset), unquote_plus(value, charset))).collect()
}

/// `urllib.parse.unquote_plus`: runs of `%XX` are decoded, everything else stays as it is.
fn unquote_plus(text: &str, charset: Charset) -> String {
    let (mut out, mut run) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(byte) = escaped_byte(rest) {
            run.push(byte);
            rest = &rest[3..];
            continue;
        }
        out.push_str(&charset.decode_lossy(&std::mem::take(&mut run)));
        out.push(if c == '+' { ' ' } else { c });
        rest = &rest[c.len_utf8()..];
    }
    out.push_str(&charset.decode_lossy(&run));
    out
}

fn escaped_byte(text: &str) -> Option<u8> {
    let hex = text.strip_prefix('%')?.get(..2)?;
    hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u8::from_str_radix(hex, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_python() {
        for (json, python) in [
            ("5", "5"),
            ("-0", "0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("1.5", "1.5"),
            ("-0.0", "-0.0"),
            ("1.0", "1.0"),
            ("1e400", "inf"),
            ("-1e400", "-inf"),
            ("1e16", "1e+16"),
            ("1e15", "1000000000000000.0"),
            ("123456789012345680.0", "1.2345678901234568e+17"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1.5E-7", "1.5e-07"),
            ("5e-324", "5e-324"),
        ] {
            assert_eq!(number(json), python, "{json}");
        }
    }

    #[test]
    fn strip_takes_what_python_takes() {
        assert_eq!(strip("\u{1c}\u{a0}\u{3000}\t x \u{2028}\u{85}"), "x");
        assert_eq!(strip("\u{200b}x"), "\u{200b}x");
    }

    #[test]
    fn endless_integers_are_seen_outside_of_text_only() {
        let digits = "9".repeat(4301);
        assert!(has_endless_integer(&digits));
        assert!(has_endless_integer(&format!("{{\"a\": [-{digits}]}}")));
        assert!(!has_endless_integer(&digits[1..]));
        assert!(!has_endless_integer(&format!("\"{digits}\"")));
        assert!(!has_endless_integer(&format!("{digits}.0")));
    }

    #[test]
    fn forms_are_read_as_in_python() {
        let read = |text: &str| parse_form(text, Charset::Utf8);
        assert_eq!(
            read("a=+b+&c=%61%2D&d&&e=%zz%4&f=%c3%a4%ff"),
            [
                ("a".into(), " b ".into()),
                ("c".into(), "a-".into()),
                ("d".into(), String::new()),
                ("e".into(), "%zz%4".into()),
                ("f".into(), "ä\u{fffd}".into()),
            ]
        );
        assert_eq!(parse_form("a=%e4", Charset::Latin1), [("a".into(), "ä".into())]);
    }

    #[test]
    fn any_text_is_taken_as_a_form() {
        for text in ["%", "%ä", "ä%c3", "=", "&=&", "%%%", "+%f", "%é1"] {
            let _ = parse_form(text, Charset::Utf8);
        }
    }
}
