//! What handlers can extract from a request besides its body: the client and the request's id.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use ipnet::IpNet;

use crate::app::App;
pub use crate::journal::Client;
use crate::journal::Door;

/// Random name of a request: in the log, and in the answer's `X-Request-ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

impl Client {
    /// The sender of a request; headers count only from `TRUSTED_PROXIES`.
    pub fn of(door: Door, peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let agent = headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let user_agent = agent.unwrap_or_default().chars().filter(|c| !c.is_control()).take(255).collect();
        Self { ip: peer.map(|peer| forwarded(peer, headers, trusted)), user_agent, door }
    }
}

/// What a path belongs to.
fn door(path: &str) -> Door {
    if path.starts_with("/admin/") {
        Door::Panel
    } else if path.starts_with("/account/") {
        Door::Account
    } else {
        Door::Api
    }
}

/// Walks `X-Forwarded-For` from the right, as long as the writer of an entry is trusted.
fn forwarded(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|network| network.contains(ip));
    let mut ip = peer.to_canonical();
    let lines: Vec<_> = headers.get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !is_trusted(&ip) {
            break;
        }
        let Some(next) = address(entry.trim()) else { break };
        ip = next.to_canonical();
    }
    ip
}

/// An address, which some proxies write with a port.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

impl FromRequest for Client {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let trusted = request.app_data::<Data<App>>().map_or(&[][..], |app| &app.config.server.trusted_proxies);
        ready(Ok(Self::of(door(request.path()), request.peer_addr().map(|peer| peer.ip()), request.headers(), trusted)))
    }
}

impl FromRequest for RequestId {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(request.extensions().get::<Self>().cloned().unwrap_or_else(|| Self(String::new()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn ip_of(peer: &str, forwarded_for: &[&str]) -> String {
        let mut request = TestRequest::default();
        for line in forwarded_for {
            request = request.append_header(("x-forwarded-for", *line));
        }
        let request = request.to_http_request();
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        Client::of(Door::Api, peer.parse().ok(), request.headers(), &trusted).ip.unwrap().to_string()
    }

    #[test]
    fn a_stranger_cannot_name_another_address() {
        assert_eq!(ip_of("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn trusted_proxies_are_walked_from_the_right() {
        assert_eq!(ip_of("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(ip_of("10.0.0.1", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(ip_of("::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(ip_of("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn a_port_behind_an_address_does_not_matter() {
        assert_eq!(ip_of("10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(ip_of("10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(ip_of("10.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
    }

    #[test]
    fn what_is_no_address_ends_the_walk() {
        assert_eq!(ip_of("10.0.0.1", &["198.51.100.1, junk"]), "10.0.0.1");
        assert_eq!(ip_of("10.0.0.1", &[""]), "10.0.0.1");
    }

    proptest! {
        #[test]
        fn any_headers_name_one_client(lines in vec(r"((10\.0\.0\.[0-9]|[0-9a-f:.]{0,12}|[ -~]{0,6}),? ?){0,5}", 0..4), agent in "\\PC{0,300}") {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            prop_assert_eq!(ip_of("203.0.113.9", &lines), "203.0.113.9");
            let ip = ip_of("10.0.0.1", &lines);
            prop_assert!(ip == "10.0.0.1" || lines.iter().any(|line| line.split(',').any(|entry| {
                entry.trim().parse::<IpAddr>().is_ok_and(|entry| entry.to_canonical().to_string() == ip)
            })), "{}", ip);
            let request = TestRequest::default().insert_header((header::USER_AGENT, agent)).to_http_request();
            prop_assert!(Client::of(Door::Api, None, request.headers(), &[]).user_agent.chars().count() <= 255);
        }
    }
}
