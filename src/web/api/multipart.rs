//! `multipart/form-data` (RFC 7578), read as forgivingly as Django reads it: what is no part is passed over, and a missing
//! end is as good as an end. The whole body is in memory already.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::fields::Value;
use super::media_type::MediaType;
use super::python::Charset;

/// Longest head of a part.
const MAX_HEAD: usize = 1024;

/// Python's `b64decode` does not look at the unused bits of the last digit.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// The boundary of a `Content-Type`, or what is wrong with it.
pub fn boundary(content_type: &str) -> Result<String, String> {
    if !content_type.is_ascii() {
        return Err(format!("Invalid non-ASCII Content-Type in multipart: {content_type}"));
    }
    let media_type = MediaType::parse(content_type);
    let boundary = media_type.param("boundary").unwrap_or("None");
    let is_good = media_type.param("boundary").is_some_and(|boundary| {
        let is_printable = boundary.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        (1..=201).contains(&boundary.len()) && is_printable && !boundary.ends_with(' ')
    });
    if is_good { Ok(boundary.to_owned()) } else { Err(format!("Invalid boundary in multipart: {boundary}")) }
}

/// The fields, in order; an uploaded file is a field that is no text.
pub fn parse(body: &[u8], boundary: &str, charset: Charset) -> Result<Vec<(String, Value)>, String> {
    let mut fields = Vec::new();
    for part in parts(body, format!("--{boundary}").as_bytes()) {
        let Some(head_end) = find(&part[..part.len().min(MAX_HEAD)], b"\r\n\r\n") else {
            if part.len() >= MAX_HEAD {
                return Err("Request max total header size exceeded.".to_owned());
            }
            continue;
        };
        if let Some(field) = field(&part[..head_end], &part[head_end + 4..], charset) {
            fields.push(field);
        }
    }
    Ok(fields)
}

/// What stands between the separators, without the line break before each.
fn parts<'a>(body: &'a [u8], separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let body = rest.filter(|body| !body.is_empty())?;
        let Some(end) = find(body, separator) else { return rest.take() };
        rest = Some(&body[end + separator.len()..]);
        let part = &body[..end];
        let part = part.strip_suffix(b"\n").unwrap_or(part);
        Some(part.strip_suffix(b"\r").unwrap_or(part))
    })
}

fn field(head: &[u8], content: &[u8], charset: Charset) -> Option<(String, Value)> {
    let head = String::from_utf8_lossy(head);
    let lines = || head.split("\r\n").filter_map(|line| line.split_once(':'));
    let header = |name: &str| lines().filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)).last();
    let disposition = MediaType::parse(header("content-disposition")?.1);
    let name = disposition.param("name")?.trim().to_owned();
    if disposition.param("filename").is_some_and(|filename| !filename.is_empty()) {
        return Some((name, Value::Other { is_empty: false }));
    }
    let is_base64 =
        header("content-transfer-encoding").is_some_and(|(_, how)| how.trim().eq_ignore_ascii_case("base64"));
    let decoded = is_base64.then(|| from_base64(content)).flatten();
    Some((name, Value::text(charset.decode_lossy(decoded.as_deref().unwrap_or(content)))))
}

fn from_base64(content: &[u8]) -> Option<Vec<u8>> {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    BASE64.decode(content.iter().copied().filter(is_digit).collect::<Vec<_>>()).ok()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<(String, Value)> {
        parse(body.as_bytes(), "x", Charset::Utf8).unwrap()
    }

    fn text(name: &str, value: &str) -> (String, Value) {
        (name.to_owned(), Value::text(value.to_owned()))
    }

    #[test]
    fn fields_and_files_are_told_apart() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n\
                    --x\r\ncontent-disposition: form-data; name=b; filename=\"f\"\r\n\r\nfile\r\n\
                    --x\r\nContent-Disposition: form-data; name=c; filename=\"\"\r\n\r\ntext\r\n--x--\r\n";
        assert_eq!(
            read(body),
            [text("a", "1\r\n2"), ("b".into(), Value::Other { is_empty: false }), text("c", "text")]
        );
    }

    #[test]
    fn what_is_no_part_is_passed_over() {
        let part = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
        let nameless = "--x\r\nContent-Disposition: form-data\r\n\r\n2\r\n--x\r\nX-A: b\r\n\r\n3\r\n";
        assert_eq!(read(&format!("hello\r\n{nameless}{part}--x--\r\ntrailer")), [text("a", "1")]);
        assert_eq!(read(part.trim_end()), [text("a", "1")]);
        assert_eq!(read("junk"), []);
        assert_eq!(read("--x"), []);
    }

    #[test]
    fn base64_is_decoded_where_it_is_declared() {
        let part = |value: &str| {
            read(&format!(
                "--x\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n{value}\r\n--x--"
            ))
        };
        assert_eq!(part("YWxp\r\nY2U="), [text("a", "alice")]);
        assert_eq!(part("YWxpY2U"), [text("a", "YWxpY2U")]);
    }

    #[test]
    fn an_endless_head_is_an_error() {
        assert!(parse(&[b'a'; 1024], "x", Charset::Utf8).is_err());
        assert!(parse(&[b'a'; 1023], "x", Charset::Utf8).is_ok());
    }

    #[test]
    fn boundaries_are_checked() {
        assert_eq!(boundary("multipart/form-data; boundary=\"a b\"").as_deref(), Ok("a b"));
        for bad in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=é"] {
            assert!(boundary(bad).is_err(), "{bad}");
        }
        assert!(boundary(&format!("multipart/form-data; boundary={}", "b".repeat(202))).is_err());
    }

    #[test]
    fn any_bytes_are_taken() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for end in 0..bytes.len() {
            let _ = parse(&bytes[..end], "-", Charset::Utf8);
        }
    }
}
