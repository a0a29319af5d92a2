//! Badges: the status of a token, why it was blacklisted, what a user may do. Each is an icon and a word.

use crate::db::types::Instant;
use crate::db::users::User;

/// An icon and a word on a ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    /// The style sheet's word for its ground.
    pub class: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// Its word.
    pub word: &'static str,
}

const fn badge(class: &'static str, icon: &'static str, word: &'static str) -> Badge {
    Badge { class, icon, word }
}

/// What a token is now. Exactly one holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Used once, replaced by the next.
    Rotated,
    /// Refused for another reason than its rotation.
    Blacklisted,
    /// Past its `exp`.
    Expired,
    /// Still good.
    Live,
}

impl Status {
    /// The first that holds wins.
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

/// Why a token is blacklisted, as a badge. Django keeps no reason.
pub fn reason(stored: Option<&str>) -> Badge {
    match stored {
        Some("rotated") => badge("rotated", "rotate", "Rotation"),
        Some("blacklist") => badge("plain", "ban", "By its holder"),
        Some("revoke") => badge("plain", "ban", "Revoked by its holder"),
        Some("logout") => badge("plain", "out", "Logout"),
        Some("logout_all") => badge("plain", "out", "Logout everywhere"),
        Some("admin") => badge("plain", "user", "By an admin"),
        Some("password_change") => badge("plain", "lock", "Password change"),
        Some("deactivated") => badge("plain", "minus", "User deactivated"),
        Some("deleted") => badge("plain", "x", "User deleted"),
        Some("reuse") => badge("blacklisted", "alert", "Reuse alarm"),
        Some("logout_others") => badge("plain", "out", "Logout elsewhere"),
        Some("session_end") => badge("plain", "out", "Session ended"),
        Some("max_age") => badge("expired", "clock", "Session too old"),
        Some("idle") => badge("expired", "clock", "Session idle"),
        Some("too_many") => badge("plain", "x", "Too many sessions"),
        _ => badge("expired", "info", "Not recorded"),
    }
}

/// The same as the end of a sentence: "It was blacklisted … because …".
pub fn because(stored: Option<&str>) -> &'static str {
    match stored {
        Some("rotated") => "because a refresh replaced it by the next token",
        Some("blacklist") => "because its holder sent it to the blacklist endpoint",
        Some("revoke") => "because a holder of its session’s tokens revoked one",
        Some("logout") => "because its user logged out",
        Some("logout_all") => "because its user logged out everywhere",
        Some("admin") => "by an administrator",
        Some("password_change") => "because its user’s password was changed",
        Some("deactivated") => "because its user was deactivated",
        Some("deleted") => "because its user was deleted",
        Some("reuse") => "because a token of its session came back after its rotation: somebody may have copied it",
        Some("logout_others") => "because its user logged out all other sessions",
        Some("session_end") => "because its user ended the session",
        Some("max_age") => "because its session reached SESSION_MAX_AGE",
        Some("idle") => "because its session was not used for SESSION_IDLE_TIMEOUT",
        Some("too_many") => "because its user has more sessions than SESSION_MAX_PER_USER",
        _ => "for a reason that was not recorded, which is so when Django did it",
    }
}

/// What a user may do beyond having tokens.
pub fn rights(user: &User) -> Vec<Badge> {
    let mut badges = Vec::new();
    if !user.is_active {
        badges.push(badge("blacklisted", "minus", "Inactive"));
    }
    if user.is_superuser {
        badges.push(badge("live", "key", "Superuser"));
    }
    if user.is_staff {
        badges.push(badge("plain", "user", "Staff"));
    }
    badges
}

/// That somebody may log in.
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
