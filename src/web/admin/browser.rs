//! The cookie of a remembered browser, whose logins to the panel need no second factor (`factors::remembered_browser`).
//! Front ends of the API have a cookie of their own.

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration;
use secrecy::{ExposeSecret, SecretString};

use super::session::Visit;
use super::words::{amount, length};
use crate::config::Config;

const COOKIE: &str = "latchkey_admin_device";
const DAY: u64 = 24 * 3600;

/// The token of the request.
pub fn token(request: &HttpRequest) -> Option<SecretString> {
    let cookies = request.cookies().ok()?;
    let mut sent = cookies.iter().filter(|cookie| cookie.name() == COOKIE && !cookie.value().is_empty());
    // A second cookie may come from another site under the same parent domain.
    match (sent.next(), sent.next()) {
        (Some(cookie), None) => Some(cookie.value().to_owned().into()),
        _ => None,
    }
}

/// The cookie for a token.
pub fn cookie(visit: &Visit, token: &SecretString) -> Cookie<'static> {
    let lives = visit.app.config.second_factor.remember.as_secs();
    let mut cookie = visit.cookie(COOKIE, token.expose_secret().to_owned());
    cookie.set_max_age(Duration::seconds(i64::try_from(lives).unwrap_or(i64::MAX)));
    cookie
}

/// How long browsers are remembered, in words; `None` if they are not.
pub fn lives(config: &Config) -> Option<String> {
    match config.second_factor.remember.as_secs() {
        0 => None,
        // 30 days, not 1 month.
        days if days % DAY == 0 => Some(amount(i64::try_from(days / DAY).unwrap_or(i64::MAX), "day")),
        seconds => Some(length(seconds)),
    }
}
