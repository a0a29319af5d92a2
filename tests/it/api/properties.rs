//! Whatever is sent, the server answers it: never with a 5xx, always with whole HTTP, and with JSON where it says so.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::Value;

use crate::harness::{Backend, Server, wire};

/// Every kind of request that a person with a socket may come up with, but always with the right length.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let method = prop_oneof![
        4 => Just("POST".to_owned()),
        2 => prop::sample::select(vec!["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]).prop_map(str::to_owned),
        1 => "[A-Za-z!]{1,9}",
    ];
    let path = prop_oneof![
        6 => "/api(/v1)?/(token|token/refresh|token/verify|token/blacklist|token/sliding|token/sliding/refresh|me|logout)/?",
        1 => "/(admin|static|logout_token|%[0-9a-f]{2}|[a-z/.]{0,9}){0,3}/?",
        1 => "[!-~]{0,12}",
    ];
    let query = "(\\?((format|next|q|p)=(json|api|%[0-9a-fA-F]{0,2}|[!-~]{0,6})&?){0,3})?";
    (method, path, query, vec(header(), 0..4), body()).prop_map(|(method, path, query, headers, body)| {
        let mut request =
            format!("{method} {path}{query} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n").into_bytes();
        for header in headers {
            request.extend(header);
            request.extend(b"\r\n");
        }
        request.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
        request.extend(body);
        request
    })
}

fn header() -> impl Strategy<Value = Vec<u8>> {
    let known = prop_oneof![
        r"content-type: ?(application/json|application/x-www-form-urlencoded|multipart/form-data)(; ?(charset|boundary)=(edge|latin-1|utf-16|[ -~]{0,6})){0,2}",
        r"accept: ?((application/json|text/html|\*/\*|[a-z*/]{0,6})(; ?(q|indent)=[!-~]{0,3})?,?){0,4}",
        r"authorization: ?(Bearer|JWT|Basic)?[ \t]?[A-Za-z0-9_=.-]{0,30}[ \t]?[!-~]{0,3}",
        r"(x-forwarded-for|x-forwarded-proto|origin|cookie|access-control-request-method|user-agent|referer): [ -~]{0,20}",
    ];
    let bytes = vec(any::<u8>().prop_filter("would end the line", |byte| !b"\r\n".contains(byte)), 0..12);
    (prop_oneof![3 => known, 1 => "[a-z-]{1,9}: "], bytes, any::<bool>()).prop_map(|(header, bytes, is_odd)| {
        if is_odd { [header.into_bytes(), bytes].concat() } else { header.into_bytes() }
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let name = "(username|password|refresh|token|refresh_token|all|\\PC{0,2})";
    let value = r#"("(\PC{0,6}|\\u[0-9a-f]{4}|[A-Za-z0-9_-]{0,5}(\.[A-Za-z0-9_-]{0,5}){2})"|-?[0-9.eE]{1,5}|\[*\]*|\{\}|null|true)"#;
    let json = format!("\\{{?(\"{name}\": ?{value},?){{0,3}}\\}}?");
    let form = format!("({name}=(%[0-9a-f]{{0,2}}|\\PC){{0,5}}&?){{0,4}}");
    let part = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"?{name}\"?(; filename=\"?[a-z]?\"?)?\r\n\r\n\\PC{{0,6}}\r\n(--edge--)?"
    );
    prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 0..60),
        string_regex(&json).unwrap().prop_map(String::into_bytes),
        string_regex(&form).unwrap().prop_map(String::into_bytes),
        vec(string_regex(&part).unwrap(), 0..3).prop_map(|parts| parts.concat().into_bytes()),
    ]
}

both!(every_request_is_answered_and_never_with_a_5xx);
fn every_request_is_answered_and_never_with_a_5xx(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    proptest!(|(request in request())| {
        let answer = wire(server.port, &request);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|status| status.parse::<u16>().ok());
        prop_assert!(status.is_some_and(|status| (200..500).contains(&status)), "{}", answer);
        let is_json = head.to_ascii_lowercase().contains("\r\ncontent-type: application/json");
        if is_json && !request.starts_with(b"HEAD ") {
            prop_assert!(serde_json::from_str::<Value>(body).is_ok(), "{}", answer);
        }
        prop_assert!(answer.len() <= 20 * request.len() + 20_000, "{} bytes", answer.len());
    });
    server.log_in("alice");
}
