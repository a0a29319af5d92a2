//! Badges: the status of a token, the reason of a blacklisting, the rights of a user. Each has an icon and a word.

pub use crate::db::outstanding_tokens::list::Status;
use crate::db::types::Instant;

/// An icon and a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    /// Its class in the style sheet.
    pub class: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// Its word.
    pub word: &'static str,
}

/// Makes a badge.
pub const fn badge(class: &'static str, icon: &'static str, word: &'static str) -> Badge {
    Badge { class, icon, word }
}

impl Status {
    /// The status of a token; the first that applies.
    pub fn of(rotated: Option<Instant>, blacklisted: Option<Instant>, expires: Instant, now: Instant) -> Self {
        match (rotated, blacklisted) {
            (Some(_), _) => Self::Rotated,
            (None, Some(_)) => Self::Blacklisted,
            (None, None) if expires <= now => Self::Expired,
            (None, None) => Self::Live,
        }
    }

    /// Its badge.
    pub fn badge(self) -> Badge {
        match self {
            Self::Rotated => badge("rotated", "rotate", "Rotated"),
            Self::Blacklisted => badge("blacklisted", "ban", "Blacklisted"),
            Self::Expired => badge("expired", "clock", "Expired"),
            Self::Live => badge("live", "dot", "Live"),
        }
    }
}

/// Why tokens are blacklisted: the stored word, its badge, and the end of the sentence "It was blacklisted …".
#[rustfmt::skip] // a table is read in columns
const REASONS: [(&str, Badge, &str); 16] = [
    ("rotated", badge("rotated", "rotate", "Rotation"), "because a refresh replaced it with a new token"),
    ("blacklist", badge("plain", "ban", "By a client"), "because a client sent it to the blacklist endpoint"),
    ("revoke", badge("plain", "ban", "Revoked by a client"), "because a client revoked a token of its session"),
    ("logout", badge("plain", "out", "Logout"), "because the user logged out"),
    ("logout_all", badge("plain", "out", "Logout everywhere"), "because the user logged out everywhere"),
    ("admin", badge("plain", "user", "By an admin"), "by an administrator"),
    ("password_change", badge("plain", "lock", "Password change"), "because the user’s password was changed"),
    ("password_reset", badge("plain", "lock", "Password reset"), "because the user reset the password"),
    ("deactivated", badge("plain", "minus", "User deactivated"), "because the user was deactivated"),
    ("deleted", badge("plain", "x", "User deleted"), "because the user was deleted"),
    ("reuse", badge("blacklisted", "alert", "Reuse alarm"), "because a used token of its session came back, so someone may have copied it"),
    ("logout_others", badge("plain", "out", "Logout elsewhere"), "because the user logged out all other sessions"),
    ("session_end", badge("plain", "out", "Session ended"), "because the user ended the session"),
    ("max_age", badge("expired", "clock", "Session too old"), "because its session reached SESSION_MAX_AGE"),
    ("idle", badge("expired", "clock", "Session idle"), "because its session was not used for SESSION_IDLE_TIMEOUT"),
    ("too_many", badge("plain", "x", "Too many sessions"), "because the user has more sessions than SESSION_MAX_PER_USER"),
];

const NOT_RECORDED: (Badge, &str) =
    (badge("expired", "info", "Not recorded"), "for an unknown reason (Django does not record one)");

/// The choices of the filter by reason: the word in the address and its label. The last is for Django, which records none.
pub const REASON_CHOICES: [(&str, &str); REASONS.len() + 1] = {
    let mut choices = [("unknown", NOT_RECORDED.0.word); REASONS.len() + 1];
    let mut at = 0;
    while at < REASONS.len() {
        choices[at] = (REASONS[at].0, REASONS[at].1.word);
        at += 1;
    }
    choices
};

fn known(stored: Option<&str>) -> (Badge, &'static str) {
    let found = REASONS.iter().find(|(word, ..)| Some(*word) == stored);
    found.map_or(NOT_RECORDED, |(_, badge, because)| (*badge, because))
}

/// Why a token is blacklisted, as a badge.
pub fn reason(stored: Option<&str>) -> Badge {
    known(stored).0
}

/// The same as the end of the sentence "It was blacklisted …".
pub fn because(stored: Option<&str>) -> &'static str {
    known(stored).1
}

/// The user has a second factor.
pub const SECOND_FACTOR: Badge = badge("plain", "lock", "Second factor");

/// The rights of a user.
pub fn rights(is_active: bool, is_staff: bool, is_superuser: bool) -> Vec<Badge> {
    let mut badges = Vec::new();
    if !is_active {
        badges.push(badge("blacklisted", "minus", "Inactive"));
    }
    if is_superuser {
        badges.push(badge("live", "key", "Superuser"));
    }
    if is_staff {
        badges.push(badge("plain", "user", "Staff"));
    }
    badges
}

/// The user may log in.
pub const ACTIVE: Badge = badge("live", "check", "Active");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_exactly_one_status() {
        let at = |seconds| Instant::from_timestamp(seconds).unwrap();
        let status = |rotated, blacklisted, expires| Status::of(rotated, blacklisted, at(expires), at(100));
        assert_eq!(status(Some(at(1)), Some(at(1)), 50), Status::Rotated);
        assert_eq!(status(None, Some(at(1)), 50), Status::Blacklisted);
        assert_eq!(status(None, None, 100), Status::Expired);
        assert_eq!(status(None, None, 101), Status::Live);
    }
}
