//! Why a token was blacklisted or a session ended.

/// Why a token was blacklisted, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Replaced by the next one.
    Rotated,
    /// `token/blacklist/`.
    Blacklist,
    /// `token/revoke/`.
    Revoke,
    /// `logout/`.
    Logout,
    /// `logout/` with `all`.
    LogoutAll,
    /// By a superuser in the panel.
    Admin,
    /// The user's password was changed.
    PasswordChange,
    /// The user set a new password with a mailed link.
    PasswordReset,
    /// The user was deactivated.
    Deactivated,
    /// The user was deleted.
    Deleted,
    /// A token was used again after its rotation: somebody copied it.
    Reuse,
    /// `logout/` with `others`.
    LogoutOthers,
    /// The user ended the session (`sessions/`).
    SessionEnd,
    /// The session reached `SESSION_MAX_AGE`.
    MaxAge,
    /// The session reached `SESSION_IDLE_TIMEOUT`.
    Idle,
    /// The user has more sessions than `SESSION_MAX_PER_USER`.
    TooMany,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Rotated,
        Self::Blacklist,
        Self::Revoke,
        Self::Logout,
        Self::LogoutAll,
        Self::Admin,
        Self::PasswordChange,
        Self::PasswordReset,
        Self::Deactivated,
        Self::Deleted,
        Self::Reuse,
        Self::LogoutOthers,
        Self::SessionEnd,
        Self::MaxAge,
        Self::Idle,
        Self::TooMany,
    ];

    /// The word in `latchkey_token.blacklist_reason`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::Blacklist => "blacklist",
            Self::Revoke => "revoke",
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::Admin => "admin",
            Self::PasswordChange => "password_change",
            Self::PasswordReset => "password_reset",
            Self::Deactivated => "deactivated",
            Self::Deleted => "deleted",
            Self::Reuse => "reuse",
            Self::LogoutOthers => "logout_others",
            Self::SessionEnd => "session_end",
            Self::MaxAge => "max_age",
            Self::Idle => "idle",
            Self::TooMany => "too_many",
        }
    }
}
