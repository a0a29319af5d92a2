//! Whether a browser's refresh token is kept in a cookie, and with which attributes. `web/api/cookie.rs` sets it.

use super::cors::Cors;
use super::parse;
use super::reader::Reader;
use super::server::Server;

/// `JWT_COOKIE=refresh`: the cookie for clients that ask for it.
#[derive(Debug, Clone, Copy)]
pub struct RefreshCookie {
    /// Only over https.
    pub is_secure: bool,
    /// From which pages it is sent.
    pub same_site: SameSite,
}

/// `JWT_COOKIE_SAMESITE`
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SameSite {
    /// Only from pages of the same site.
    Strict,
    /// Also when a link leads here.
    Lax,
    /// From pages of any site.
    None,
}

const KEPT: &[(&str, bool)] = &[("none", false), ("refresh", true)];

impl RefreshCookie {
    /// The header with which a client asks for the cookie. No form can send it, nor can a page of another origin without a
    /// preflight request.
    pub const HEADER: &str = "x-refresh-cookie";

    /// Reads the settings, and lets other origins send the header.
    pub(super) fn read(reader: &mut Reader<'_>, server: &Server, cors: &mut Cors) -> Option<Self> {
        let is_kept = reader.read("JWT_COOKIE", parse::choice(KEPT));
        let same_site = reader.read("JWT_COOKIE_SAMESITE", parse::variant);
        let cookie = Self { is_secure: server.public_url.scheme() == "https", same_site };
        if !is_kept {
            return None;
        }
        if cors.allow_all_origins && cors.allow_credentials {
            let fault = "together with CORS_ALLOW_ALL_ORIGINS and CORS_ALLOW_CREDENTIALS gives every web site its \
                         visitors' logins; name the origins in CORS_ALLOWED_ORIGINS";
            reader.refuse_with("JWT_COOKIE", None, fault, "CORS_ALLOWED_ORIGINS=https://app.example.com");
        }
        if same_site == SameSite::None && !cookie.is_secure {
            let fault = "without https is refused by browsers; PUBLIC_URL must start with https://";
            reader.refuse("JWT_COOKIE_SAMESITE", Some("none"), fault);
        }
        if !cors.allowed_origins.is_empty() && !cors.allow_credentials {
            reader.warnings.push(
                "JWT_COOKIE without CORS_ALLOW_CREDENTIALS: the front ends of CORS_ALLOWED_ORIGINS cannot use the cookie"
                    .to_owned(),
            );
        }
        if !cors.allow_headers.iter().any(|header| header == Self::HEADER) {
            cors.allow_headers.push(Self::HEADER.to_owned());
        }
        Some(cookie)
    }

    /// Its name. A page without https cannot set a cookie with this prefix (RFC 6265bis, 4.1.3.1).
    pub fn name(self) -> &'static str {
        if self.is_secure { "__Secure-latchkey_refresh" } else { "latchkey_refresh" }
    }

    /// The name of the cookie with the token of a remembered browser.
    pub fn device_name(self) -> &'static str {
        if self.is_secure { "__Secure-latchkey_device" } else { "latchkey_device" }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Problems};

    use super::*;

    fn load(settings: &[(&str, &str)]) -> Result<Config, Problems> {
        let given = [("SECRET_KEY", "0123456789abcdef0123456789abcdef"), ("JWT_COOKIE", "refresh")];
        Config::load(&|name| {
            settings.iter().chain(&given).find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn there_is_a_cookie_only_where_somebody_wants_one() {
        assert!(load(&[("JWT_COOKIE", "none")]).unwrap().cookie.is_none());
        let cookie = load(&[]).unwrap().cookie.unwrap();
        assert_eq!((cookie.name(), cookie.same_site), ("latchkey_refresh", SameSite::Strict));
        let cookie = load(&[("PUBLIC_URL", "https://auth.example.com")]).unwrap().cookie.unwrap();
        assert!(cookie.is_secure && cookie.name() == "__Secure-latchkey_refresh");
    }

    #[test]
    fn every_origin_may_send_the_header_that_asks_for_it() {
        let asks = |settings: &[(&str, &str)]| {
            load(settings).unwrap().cors.allow_headers.iter().filter(|name| *name == RefreshCookie::HEADER).count()
        };
        assert_eq!(asks(&[]), 1);
        assert_eq!(asks(&[("CORS_ALLOW_HEADERS", "accept")]), 1);
        assert_eq!(asks(&[("CORS_ALLOW_HEADERS", "X-Refresh-Cookie")]), 1);
        assert_eq!(asks(&[("JWT_COOKIE", "none")]), 0);
    }

    #[test]
    fn what_would_give_the_cookie_away_is_refused() {
        let all = [("CORS_ALLOW_ALL_ORIGINS", "true"), ("CORS_ALLOW_CREDENTIALS", "true")];
        assert!(load(&all).unwrap_err().to_string().starts_with("JWT_COOKIE: together with"));
        assert!(load(&all[..1]).is_ok());
        let none = [("JWT_COOKIE_SAMESITE", "none"), ("PUBLIC_URL", "https://auth.example.com")];
        assert!(load(&none[..1]).unwrap_err().to_string().starts_with("JWT_COOKIE_SAMESITE: \"none\" without https"));
        assert_eq!(load(&none).unwrap().cookie.unwrap().same_site, SameSite::None);
    }

    #[test]
    fn front_ends_that_cannot_use_it_warn() {
        let listed = [("CORS_ALLOWED_ORIGINS", "https://app.example.com"), ("CORS_ALLOW_CREDENTIALS", "true")];
        assert_eq!(load(&listed[..1]).unwrap().warnings.len(), 1);
        assert_eq!(load(&listed).unwrap().warnings.len(), 0);
    }
}
