//! The refresh token in a cookie that no script can read (`JWT_COOKIE`), for clients that ask for it with a header; and
//! the token of a remembered browser in another cookie. The header decides: with it, tokens are sent in cookies and
//! never in the body; without it, cookies are ignored. Login views and `logout` use this; a cookie never identifies the
//! caller.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpMessage, HttpRequest};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::config::{self, Config, RefreshCookie};
use crate::crypto::jwt;
use crate::web::{cors, origin};

use super::Call;
use super::body::Fields;
use super::error::ApiError;

/// Browsers send it back only to the API.
const PATH: &str = "/api/";

/// The cookie settings of a request.
#[derive(Clone, Copy)]
pub struct Jar {
    settings: RefreshCookie,
    /// Whether the client asks for it.
    is_asked: bool,
}

impl Jar {
    /// `None` if the settings have no such cookies.
    ///
    /// # Errors
    /// A page of a foreign site asks for it. Browsers do not let such a page send the header; this is a second check.
    pub fn of(config: &Config, headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let Some(settings) = config.cookie else { return Ok(None) };
        let is_asked = headers.contains_key(RefreshCookie::HEADER);
        if is_asked && !is_friend(config, headers) {
            return Err(ApiError::cookie_refused("The refresh cookie is not for this origin."));
        }
        Ok(Some(Self { settings, is_asked }))
    }

    fn cookie(self, name: &'static str, value: String) -> Cookie<'static> {
        let same_site = match self.settings.same_site {
            config::SameSite::Strict => SameSite::Strict,
            config::SameSite::Lax => SameSite::Lax,
            config::SameSite::None => SameSite::None,
        };
        Cookie::build(name, value)
            .path(PATH)
            .http_only(true)
            .same_site(same_site)
            .secure(self.settings.is_secure)
            .finish()
    }
}

/// The values of a cookie. Browsers send several cookies of one name side by side.
pub fn values<'a>(name: &str, headers: &'a HeaderMap) -> Vec<&'a str> {
    // Split before decoding: a cookie from another site under the same domain may hold any bytes.
    let pairs = headers.get_all(header::COOKIE).flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let pairs = pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='));
    pairs.filter(|(given, value)| *given == name && !value.is_empty()).map(|(_, value)| value).collect()
}

/// Whether the request comes from one of our pages, from a listed front end, or not from a browser. Any page can have
/// the origin `null`.
fn is_friend(config: &Config, headers: &HeaderMap) -> bool {
    let named = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).filter(|origin| *origin != "null");
    origin::is_same_origin(headers, &config.server.public_url)
        || named.is_some_and(|origin| cors::is_listed(&config.cors.allowed_origins, origin))
}

/// A refresh token that came with a request. No `Debug`: it is a secret.
pub struct PresentedToken {
    /// The token.
    pub text: String,
    is_cookie: bool,
}

/// The field with the token of a remembered browser.
pub const DEVICE_TOKEN: &str = "device_token";

impl Call {
    /// The token of a remembered browser, if one was sent: in the cookie if the client asks for that, else in its field.
    /// Whether it is valid is not checked here.
    pub fn browser(&self, fields: &Fields) -> Option<SecretString> {
        let given = match self.jar.filter(|jar| jar.is_asked) {
            // Another site under the same domain may have set a second one.
            Some(jar) => match values(jar.settings.device_name(), self.request.headers())[..] {
                [one] => Some(one),
                _ => None,
            },
            None => fields.text(DEVICE_TOKEN),
        };
        given.map(|token| token.to_owned().into())
    }

    /// Puts the token of a remembered browser into its cookie if the client asks for that; else it is for the body.
    pub fn hand_out_browser(&self, token: &SecretString) -> Option<String> {
        let token = token.expose_secret().to_owned();
        let Some(jar) = self.jar.filter(|jar| jar.is_asked) else { return Some(token) };
        let mut cookie = jar.cookie(jar.settings.device_name(), token);
        let lives = i64::try_from(self.app.config.second_factor.remember.as_secs()).unwrap_or(i64::MAX);
        cookie.set_max_age(Duration::seconds(lives));
        self.set(cookie);
        None
    }

    /// The refresh token of the request: from this field, or else from the cookie.
    pub fn refresh_token(&self, fields: &Fields, field: &'static str) -> Result<PresentedToken, ApiError> {
        if fields.get(field).is_none()
            && let Some(jar) = self.jar
        {
            if jar.is_asked {
                return self.cookie_token()?.ok_or_else(ApiError::no_cookie);
            }
            if !values(jar.settings.name(), self.request.headers()).is_empty() {
                let detail = format!("The refresh cookie needs the header {}.", RefreshCookie::HEADER);
                return Err(ApiError::cookie_refused(&detail));
            }
        }
        let [text] = fields.texts([field])?;
        Ok(PresentedToken { text, is_cookie: false })
    }

    /// The token in the cookie, if the client asks for that and sent one.
    pub fn cookie_token(&self) -> Result<Option<PresentedToken>, ApiError> {
        let Some(jar) = self.jar.filter(|jar| jar.is_asked) else { return Ok(None) };
        match values(jar.settings.name(), self.request.headers())[..] {
            [] => Ok(None),
            [text] => Ok(Some(PresentedToken { text: text.to_owned(), is_cookie: true })),
            // Another site under the same domain may have set one of them, to log the user in to another account.
            _ => Err(ApiError::cookie_refused("The request has more than one refresh cookie.")),
        }
    }

    /// Puts a refresh token into its cookie if the client asks for that; else it is for the body.
    pub fn hand_out_refresh(&self, token: String) -> Option<String> {
        let Some(jar) = self.jar.filter(|jar| jar.is_asked) else { return Some(token) };
        let claims = jwt::peek(&token).map(|(_, claims)| claims).unwrap_or_default();
        let left = claims.get("exp").and_then(Value::as_i64).map(|exp| exp - self.app.now().timestamp());
        let mut cookie = jar.cookie(jar.settings.name(), token);
        cookie.set_max_age(left.map(Duration::seconds));
        self.set(cookie);
        None
    }

    /// Deletes the cookie, if the client asks to use it.
    pub fn forget_cookie(&self) {
        if let Some(jar) = self.jar.filter(|jar| jar.is_asked) {
            let mut cookie = jar.cookie(jar.settings.name(), String::new());
            cookie.set_max_age(Duration::ZERO);
            self.set(cookie);
        }
    }

    /// Deletes the cookie of a token that can never be used again. A token that was just rotated does not count as such:
    /// the answer to another tab has already set its successor, which must not be deleted.
    pub fn take_back(&self, presented: &PresentedToken, is_over: bool) {
        if presented.is_cookie && is_over {
            self.forget_cookie();
        }
    }

    fn set(&self, cookie: Cookie<'static>) {
        let mut extensions = self.request.extensions_mut();
        match extensions.get_mut::<SetCookies>() {
            Some(SetCookies(cookies)) => cookies.push(cookie),
            None => drop(extensions.insert(SetCookies(vec![cookie]))),
        }
    }
}

/// Cookies for the answer, kept in the extensions of the request: answers and errors themselves have no headers.
struct SetCookies(Vec<Cookie<'static>>);

/// The cookies that the view wants to set.
pub fn of_answer(request: &HttpRequest) -> Vec<Cookie<'static>> {
    request.extensions_mut().remove::<SetCookies>().map(|set| set.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn config(settings: &[(&str, &str)]) -> Config {
        let given = [("SECRET_KEY", "0123456789abcdef0123456789abcdef"), ("JWT_COOKIE", "refresh")];
        let all: Vec<_> = settings.iter().chain(&given).copied().collect();
        Config::load(&|name| all.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned()))
            .unwrap()
    }

    fn is_let_in(headers: &[(&'static str, &str)]) -> bool {
        let mut request = TestRequest::default().insert_header((RefreshCookie::HEADER, "1"));
        for header in headers {
            request = request.insert_header(*header);
        }
        let listed = [("CORS_ALLOWED_ORIGINS", "https://app.example.com,null"), ("CORS_ALLOW_CREDENTIALS", "true")];
        Jar::of(&config(&listed), request.to_http_request().headers()).is_ok()
    }

    #[test]
    fn our_pages_listed_front_ends_and_programs_may_ask() {
        assert!(is_let_in(&[]));
        assert!(is_let_in(&[("origin", "http://localhost:8000"), ("sec-fetch-site", "same-origin")]));
        assert!(is_let_in(&[("origin", "https://app.example.com"), ("sec-fetch-site", "same-site")]));
        assert!(is_let_in(&[("origin", "https://app.example.com"), ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn strangers_may_not_even_if_a_browser_lets_them() {
        assert!(!is_let_in(&[("origin", "https://evil.example.com")]));
        assert!(!is_let_in(&[("origin", "null")]));
        assert!(!is_let_in(&[("sec-fetch-site", "cross-site")]));
        assert!(!is_let_in(&[("referer", "https://evil.example.com/")]));
    }

    #[test]
    fn every_value_of_the_name_is_seen_and_no_other() {
        let values = |lines: &[&str]| {
            let mut request = TestRequest::default();
            for line in lines {
                request = request.append_header(("cookie", *line));
            }
            let jar = Jar { settings: config(&[]).cookie.unwrap(), is_asked: true };
            values(jar.settings.name(), request.to_http_request().headers()).join(" ")
        };
        assert_eq!(values(&["a=1; latchkey_refresh=x.y.z; =; junk"]), "x.y.z");
        assert_eq!(values(&["latchkey_refresh=one; latchkey_refresh=two", "latchkey_refresh=three"]), "one two three");
        assert_eq!(values(&["pref=caf\u{e9}; latchkey_refresh=x"]), "x");
        assert_eq!(values(&["latchkey_refresh=; __Secure-latchkey_refresh=x; Latchkey_Refresh=y"]), "");
    }
}
