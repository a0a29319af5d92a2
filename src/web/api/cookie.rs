//! The refresh token in a cookie that no script can read (`JWT_COOKIE`), for clients that ask for it by a header; and the
//! token of a remembered browser in another one. The header decides: with it tokens leave by cookies and never in the
//! body, without it cookies are not looked at. The views of logins and `logout` use this; a cookie never says who calls.

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

/// The values of a cookie that were sent. Browsers send those of one name side by side.
pub fn values<'a>(name: &str, headers: &'a HeaderMap) -> Vec<&'a str> {
    // Cut before it is read as text: a neighbour's cookie may hold any bytes.
    let pairs = headers.get_all(header::COOKIE).flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let pairs = pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='));
    pairs.filter(|(given, value)| *given == name && !value.is_empty()).map(|(_, value)| value).collect()
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
    /// The token of a browser that was remembered, if it comes along: in the cookie where the client asks for that, else
    /// in its field. One that is good for nothing is none.
    pub fn browser(&self, fields: &Fields) -> Option<SecretString> {
        let given = match self.jar.filter(|jar| jar.is_asked) {
            // A neighbour under the same domain may have set one more.
            Some(jar) => match values(jar.settings.device_name(), self.request.headers())[..] {
                [one] => Some(one),
                _ => None,
            },
            None => fields.text(DEVICE_TOKEN),
        };
        given.map(|token| token.to_owned().into())
    }

    /// An answer with the token of the browser, which goes into its cookie if the client asks for that.
    pub fn hand_out_browser(&self, mut body: Value, token: Option<&SecretString>) -> Value {
        let Some(token) = token.map(|token| token.expose_secret().to_owned()) else { return body };
        match self.jar.filter(|jar| jar.is_asked) {
            Some(jar) => {
                let mut cookie = jar.cookie(jar.settings.device_name(), token);
                let lives = i64::try_from(self.app.config.second_factor.remember.as_secs()).unwrap_or(i64::MAX);
                cookie.set_max_age(Duration::seconds(lives));
                self.set(cookie);
            }
            None => body[DEVICE_TOKEN] = token.into(),
        }
        body
    }

    /// The refresh token of the request: of this field, or else of the cookie.
    pub fn refresh_token(&self, fields: &Fields, field: &'static str) -> Result<Presented, ApiError> {
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
        Ok(Presented { text, is_cookie: false })
    }

    /// The token in the cookie, if the client asks for that and has one.
    pub fn cookie_token(&self) -> Result<Option<Presented>, ApiError> {
        let Some(jar) = self.jar.filter(|jar| jar.is_asked) else { return Ok(None) };
        match values(jar.settings.name(), self.request.headers())[..] {
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
            let mut cookie = jar.cookie(jar.settings.name(), token);
            cookie.set_max_age(left.map(Duration::seconds));
            self.set(cookie);
        }
        body
    }

    /// Takes the cookie back, if the client asks for it.
    pub fn forget_cookie(&self) {
        if let Some(jar) = self.jar.filter(|jar| jar.is_asked) {
            let mut cookie = jar.cookie(jar.settings.name(), String::new());
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
        let mut extensions = self.request.extensions_mut();
        match extensions.get_mut::<SetCookies>() {
            Some(SetCookies(cookies)) => cookies.push(cookie),
            None => drop(extensions.insert(SetCookies(vec![cookie]))),
        }
    }
}

/// On its way to the answer, in the extensions of its request: answers are values and errors, which have no headers.
struct SetCookies(Vec<Cookie<'static>>);

/// What the view wants to be set.
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
