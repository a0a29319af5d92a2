//! Removes unreadable cookies from a request. Actix-web reads all cookies or none, so a cookie that is not UTF-8, set by
//! another site under the same parent domain, would keep users from logging in.

use actix_web::cookie::Cookie;
use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue};

/// Removes what is not a readable cookie.
pub fn keep_readable(headers: &mut HeaderMap) {
    let all: Vec<_> = headers.get_all(COOKIE).flat_map(|line| line.as_bytes().split(|byte| *byte == b';')).collect();
    let readable: Vec<_> = all.iter().filter_map(|pair| readable(pair)).collect();
    if readable.len() == all.len() {
        return;
    }
    let line = HeaderValue::from_str(&readable.join("; "));
    headers.remove(COOKIE);
    if let Ok(line) = line {
        headers.insert(COOKIE, line);
    }
}

fn readable(pair: &[u8]) -> Option<String> {
    let pair = std::str::from_utf8(pair).ok()?.trim();
    // Percent-encoded bytes have to be UTF-8 too.
    Cookie::parse_encoded(pair).is_ok().then(|| pair.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(lines: &[&[u8]]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        keep_readable(&mut headers);
        headers.get_all(COOKIE).map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect()
    }

    #[test]
    fn readable_cookies_stay_as_they_are() {
        assert_eq!(kept(&[b"a=1; b=%20x", b"c=\xc3\xa9"]), ["a=1; b=%20x", "c=\u{e9}"]);
        assert!(kept(&[]).is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(kept(&[b"a=1; b=\xff; c=3"]), ["a=1; c=3"]);
        assert_eq!(kept(&[b"x=%ff;a=1", b"nonsense", b"b=2;"]), ["a=1; b=2"]);
    }
}
