//! `multipart/form-data` (RFC 7578), parsed as leniently as Django parses it: anything that is not a part is skipped,
//! and the last boundary may be missing. The whole body is already in memory.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

use super::fields::Value;
use super::media_type::MediaType;
use super::python::Charset;

/// The longest header section of a part.
const MAX_HEAD: usize = 1024;

/// Decodes digits only: `from_base64` has checked the padding, and the unused bits of the last digit do not matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// The boundary of a `Content-Type`, or the error in it.
pub fn boundary(content_type: &str) -> Result<String, String> {
    if !content_type.starts_with("multipart/") {
        return Err(format!("Invalid Content-Type: {content_type}"));
    }
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

/// The text fields in order, followed by the uploaded files.
pub fn parse(body: &[u8], boundary: &str, charset: Charset) -> Result<Vec<(String, Value)>, String> {
    let separator = format!("--{boundary}");
    let (mut texts, mut files) = (Vec::new(), Vec::new());
    let mut parts = parts(body, separator.as_bytes()).peekable();
    while let Some(part) = parts.next() {
        let Some(head_end) = find(&part[..part.len().min(MAX_HEAD)], b"\r\n\r\n") else {
            if part.len() >= MAX_HEAD {
                return Err("Request max total header size exceeded.".to_owned());
            }
            continue;
        };
        let (head, content) = (&part[..head_end], &part[head_end + 4..]);
        let Some((disposition, name)) = disposition(head) else { continue };
        match disposition.param("filename").filter(|path| !path.is_empty()) {
            // A file is complete only if something follows it.
            Some(path) if parts.peek().is_some() => files.extend(file(path).map(|file| (name, file))),
            Some(_) => {}
            None => texts.push((name, Value::text(charset.decode_lossy(&decoded(head, content))))),
        }
    }
    texts.append(&mut files);
    Ok(texts)
}

/// The parts between the separators, without the line break before each separator.
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

/// The `Content-Disposition` of a part that is a field, and the field's name.
fn disposition(head: &[u8]) -> Option<(MediaType, String)> {
    let disposition = MediaType::parse(header(head, "content-disposition")?);
    let name = disposition.param("name")?.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b').to_owned();
    Some((disposition, name))
}

fn decoded<'a>(head: &[u8], content: &'a [u8]) -> Cow<'a, [u8]> {
    let encoding = header(head, "content-transfer-encoding").and_then(|value| value.split(';').next());
    let is_base64 = encoding.is_some_and(|encoding| encoding.trim().eq_ignore_ascii_case("base64"));
    let bytes = is_base64.then(|| from_base64(content)).flatten();
    bytes.map_or(Cow::Borrowed(content), Cow::Owned)
}

/// The last header with this name. White space before the colon belongs to the name; lines that are not UTF-8 are skipped.
fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut rest = Some(head);
    let lines = std::iter::from_fn(|| {
        let line = rest?;
        let end = find(line, b"\r\n");
        rest = end.map(|end| &line[end + 2..]);
        Some(&line[..end.unwrap_or(line.len())])
    });
    let texts = lines.filter_map(|line| std::str::from_utf8(line).ok()).filter_map(|line| line.split_once(':'));
    texts.filter(|(key, _)| key.trim_start().eq_ignore_ascii_case(name)).last().map(|(_, value)| value)
}

/// An uploaded file. A file without a proper name (`/`, `..`) is skipped, and one with a blank name reads as blank text.
fn file(path: &str) -> Option<Value> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    match name.as_str() {
        "" | "." | ".." => None,
        name if name.trim().is_empty() => Some(Value::text(String::new())),
        _ => Some(Value::File),
    }
}

/// Python's `b64decode`: anything that is not a digit is skipped, and complete padding ends the data.
fn from_base64(content: &[u8]) -> Option<Vec<u8>> {
    let (mut digits, mut padding) = (Vec::new(), 0);
    for &byte in content {
        match byte {
            b'=' if digits.len() % 4 >= 2 => {
                padding += 1;
                if digits.len() % 4 + padding == 4 {
                    return BASE64.decode(digits).ok();
                }
            }
            b'+' | b'/' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                padding = 0;
                digits.push(byte);
            }
            _ => {}
        }
    }
    if digits.len().is_multiple_of(4) { BASE64.decode(digits).ok() } else { None }
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
        assert_eq!(read(body), [text("a", "1\r\n2"), text("c", "text"), ("b".into(), Value::File)]);
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
    fn files_come_last_and_need_a_name() {
        let part = |disposition: &str| format!("--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n1\r\n");
        let file = ("a".to_owned(), Value::File);
        assert_eq!(read(&(part("name=a; filename*=utf-8''f") + &part("name=b") + "--x--")), [text("b", "1"), file]);
        for filename in ["/", "..", "a/", "\"c:\\.\""] {
            assert_eq!(read(&(part(&format!("name=a; filename={filename}")) + "--x--")), [], "{filename}");
        }
        assert_eq!(read(&(part("name=a; filename=\" \"") + "--x--")), [text("a", "")]);
        assert_eq!(read(&(part("name=a; filename=f") + "--x")), []);
    }

    #[test]
    fn lines_of_a_head_are_taken_word_for_word() {
        let head = |line: &[u8]| [b"--x\r\n", line, b"\r\n\r\n1\r\n--x--"].concat();
        let read = |line: &[u8]| parse(&head(line), "x", Charset::Utf8).unwrap();
        assert_eq!(read(b"X: \xff\r\n content-disposition: form-data; name=\" a \""), [text("a", "1")]);
        assert_eq!(read(b"Content-Disposition : form-data; name=a"), []);
        assert_eq!(read(b"Content-Disposition: form-data; name=\"\xff\""), []);
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
        assert_eq!(part("!YQ=-=YQ=="), [text("a", "a")]);
    }

    #[test]
    fn an_endless_head_is_an_error() {
        assert!(parse(&[b'a'; 1024], "x", Charset::Utf8).is_err());
        assert!(parse(&[b'a'; 1023], "x", Charset::Utf8).is_ok());
    }

    #[test]
    fn boundaries_are_checked() {
        assert_eq!(boundary("multipart/form-data; boundary=\"a b\"").as_deref(), Ok("a b"));
        for bad in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=é",
            "Multipart/form-data; boundary=x",
        ] {
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
