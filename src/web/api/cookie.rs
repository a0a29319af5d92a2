//! The refresh token in a cookie that no script can read (`JWT_COOKIE`), for clients that ask for it by a header. The
//! header decides: with it tokens leave by the cookie and never in the body, without it the cookie is not looked at.
//! `token` and `logout` use this; a cookie never says who calls.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpMessage, HttpRequest};
use secrecy::SecretString;
use serde_json::Value;

use crate::config::{self, Config, RefreshCookie};
use crate::crypto::jwt;
use crate::web::{cors, origin};

use super::Call;
use super::body::Fields;
use super::error::ApiError;

/// It comes back to the API only.
const PATH: &str = "/api/";

/// What a request has to do with the cookie.
#[derive(Clone, Copy)]
pub struct Jar {
    settings: RefreshCookie,
    /// Whether the client asks for it.
    is_asked: bool,
}

impl Jar {
    /// `None` where there are no such cookies.
    ///
    /// # Errors
    /// It is asked for from the page of a stranger. Browsers let no such page send the header; this is the second lock.
    pub fn of(config: &Config, headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let Some(settings) = config.cookie else { return Ok(None) };
        let is_asked = headers.contains_key(RefreshCookie::HEADER);
        if is_asked && !is_friend(config, headers) {
            return Err(ApiError::cookie_refused("The refresh cookie is not for this origin."));
        }
        Ok(Some(Self { settings, is_asked }))
    }

    fn cookie(self, value: String) -> Cookie<'static> {
        let same_site = match self.settings.same_site {
            config::SameSite::Strict => SameSite::Strict,
            config::SameSite::Lax => SameSite::Lax,
            config::SameSite::None => SameSite::None,
        };
        Cookie::build(self.settings.name(), value)
            .path(PATH)
            .http_only(true)
            .same_site(same_site)
            .secure(self.settings.is_secure)
            .finish()
    }

    /// The values that were sent. Browsers send cookies of one name side by side.
    fn values(self, headers: &HeaderMap) -> Vec<&str> {
        // Cut before it is read as text: a neighbour's cookie may hold any bytes.
        let pairs = headers.get_all(header::COOKIE).flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        let pairs = pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='));
        pairs
            .filter(|(name, value)| *name == self.settings.name() && !value.is_empty())
            .map(|(_, value)| value)
            .collect()
    }
}

/// Whether the request comes from one of our pages, a listed front end, or no browser. `null` is anybody's origin.
fn is_friend(config: &Config, headers: &HeaderMap) -> bool {
    let named = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).filter(|origin| *origin != "null");
    origin::is_same_origin(headers, &config.server.public_url)
        || named.is_some_and(|origin| cors::is_listed(&config.cors.allowed_origins, origin))
}

/// A refresh token, as a request presents it. No `Debug`: it is a secret.
pub struct Presented {
    /// The token.
    pub text: String,
    is_cookie: bool,
}

/// The field with the token of a browser that was remembered.
pub const DEVICE_TOKEN: &str = "device_token";

impl Call {
    /// The token of a browser that was remembered, if it comes along.
    pub fn browser(&self, fields: &Fields) -> Option<SecretString> {
        let given = fields.text(DEVICE_TOKEN).filter(|token| !token.is_empty() && token.len() <= 100);
        given.map(|token| token.to_owned().into())
    }

    /// The refresh token of the request: of this field, or else of the cookie.
    pub fn refresh_token(&self, fields: &Fields, field: &'static str) -> Result<Presented, ApiError> {
        if fields.get(field).is_none()
            && let Some(jar) = self.jar
        {
            if jar.is_asked {
                return self.cookie_token()?.ok_or_else(ApiError::no_cookie);
            }
            if !jar.values(self.request.headers()).is_empty() {
                let detail = format!("The refresh cookie needs the header {}.", RefreshCookie::HEADER);
                return Err(ApiError::cookie_refused(&detail));
            }
        }
        let [text] = fields.texts([field])?;
        Ok(Presented { text, is_cookie: false })
    }

    /// The token in the cookie, if the client asks for that and has one.
    pub fn cookie_token(&self) -> Result<Option<Presented>, ApiError> {
        let Some(jar) = self.jar.filter(|jar| jar.is_asked) else { return Ok(None) };
        match jar.values(self.request.headers())[..] {
            [] => Ok(None),
            [text] => Ok(Some(Presented { text: text.to_owned(), is_cookie: true })),
            // A neighbour under the same domain may have set one of them, to log the user in as somebody else.
            _ => Err(ApiError::cookie_refused("The request has more than one refresh cookie.")),
        }
    }

    /// An answer whose `refresh` goes into the cookie, if the client asks for that.
    pub fn hand_out(&self, mut body: Value) -> Value {
        if let Some(jar) = self.jar.filter(|jar| jar.is_asked)
            && let Some(members) = body.as_object_mut()
            && let Some(Value::String(token)) = members.shift_remove("refresh")
        {
            let claims = jwt::peek(&token).map(|(_, claims)| claims).unwrap_or_default();
            let left = claims.get("exp").and_then(Value::as_i64).map(|exp| exp - self.app.now().timestamp());
            let mut cookie = jar.cookie(token);
            cookie.set_max_age(left.map(Duration::seconds));
            self.set(cookie);
        }
        body
    }

    /// Takes the cookie back, if the client asks for it.
    pub fn forget_cookie(&self) {
        if let Some(jar) = self.jar.filter(|jar| jar.is_asked) {
            let mut cookie = jar.cookie(String::new());
            cookie.set_max_age(Duration::ZERO);
            self.set(cookie);
        }
    }

    /// Takes the cookie back with which a token came that is good for nothing any more. One that was just rotated is:
    /// the answer to another tab has brought its successor, and that must not be taken away.
    pub fn take_back(&self, presented: &Presented, is_over: bool) {
        if presented.is_cookie && is_over {
            self.forget_cookie();
        }
    }

    fn set(&self, cookie: Cookie<'static>) {
        self.request.extensions_mut().insert(SetCookie(cookie));
    }
}

/// On its way to the answer, in the extensions of its request: answers are values and errors, which have no headers.
struct SetCookie(Cookie<'static>);

/// What the view wants to be set.
pub fn of_answer(request: &HttpRequest) -> Option<Cookie<'static>> {
    request.extensions_mut().remove::<SetCookie>().map(|set| set.0)
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
            jar.values(request.to_http_request().headers()).join(" ")
        };
        assert_eq!(values(&["a=1; latchkey_refresh=x.y.z; =; junk"]), "x.y.z");
        assert_eq!(values(&["latchkey_refresh=one; latchkey_refresh=two", "latchkey_refresh=three"]), "one two three");
        assert_eq!(values(&["pref=caf\u{e9}; latchkey_refresh=x"]), "x");
        assert_eq!(values(&["latchkey_refresh=; __Secure-latchkey_refresh=x; Latchkey_Refresh=y"]), "");
    }
}
