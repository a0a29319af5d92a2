//! How long sessions last, and when a reused refresh token counts as stolen. `tokens/` applies it.

use std::time::Duration;

use super::jwt::Jwt;
use super::parse::{self, ValueError};
use super::reader::Reader;

/// `SESSION_*`, `REUSE_ALARM_AFTER`, `REFRESH_GRACE`, `PURGE_INTERVAL`, `AUDIT_LOG_RETENTION`.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// A session ends this long after its login.
    pub max_age: Option<Duration>,
    /// A session ends if it is not refreshed for this long.
    pub idle_timeout: Option<Duration>,
    /// If a user has more sessions than this, the oldest ends.
    pub max_per_user: Option<usize>,
    /// A rotated token that is used again later than this ends its session.
    pub reuse_alarm_after: Duration,
    /// How long a refresh without an `Idempotency-Key` may be repeated.
    pub refresh_grace: Duration,
    /// How often expired tokens and sessions are deleted; zero means never.
    pub purge_interval: Duration,
    /// How long the audit log is kept; zero means for ever.
    pub audit_log_retention: Duration,
}

impl Sessions {
    pub(super) fn read(reader: &mut Reader<'_>, jwt: &Jwt) -> Self {
        let sessions = Self {
            max_age: reader.optional("SESSION_MAX_AGE", parse::positive_duration),
            idle_timeout: reader.optional("SESSION_IDLE_TIMEOUT", parse::positive_duration),
            max_per_user: reader.optional("SESSION_MAX_PER_USER", parse::number(1..=10_000)),
            reuse_alarm_after: reader.read("REUSE_ALARM_AFTER", parse::duration),
            refresh_grace: reader.read("REFRESH_GRACE", grace),
            purge_interval: reader.read("PURGE_INTERVAL", parse::duration),
            audit_log_retention: reader.read("AUDIT_LOG_RETENTION", parse::duration),
        };
        if sessions.idle_timeout.is_some_and(|idle| idle <= jwt.access_token_lifetime) {
            reader.warnings.push(
                "SESSION_IDLE_TIMEOUT is not longer than JWT_ACCESS_TOKEN_LIFETIME: clients that refresh when that is over \
                 are logged out"
                    .to_owned(),
            );
        }
        sessions
    }
}

/// At most a minute: a thief who copied a used token can use it too during that time.
fn grace(value: &str) -> Result<Duration, ValueError> {
    match parse::duration(value)? {
        grace if grace <= Duration::from_mins(1) => Ok(grace),
        _ => Err("is longer than a minute".to_owned()),
    }
}
