//! What ends when something happens to an account: one table, and the function that applies it. A test goes through
//! every cell, so a new row or a new kind of login is tested on both databases.

use strum::VariantArray;

use super::link;
use crate::app::Tx;
use crate::db::types::UserId;
use crate::db::{
    DbError, latchkey_account_session, latchkey_admin_session, latchkey_browser, latchkey_challenge, latchkey_device,
    latchkey_recovery_code,
};
use crate::guard::ticket::LinkPurpose;
use crate::journal::reason::Reason;
use crate::sessions;

/// Something that happens to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum Ending {
    /// The password was changed, by its user or by a superuser.
    PasswordChange,
    /// The password was reset with a link.
    PasswordReset,
    /// The address was changed.
    EmailChange,
    /// The account was deactivated.
    Deactivation,
    /// The account was deleted.
    Deletion,
    /// The first second factor was enrolled.
    FirstFactor,
    /// A second factor was removed, but not the last one.
    FactorRemoval,
    /// The last second factor was removed, or a superuser removed one.
    LastFactorRemoval,
    /// A superuser logged the user out everywhere.
    LogoutByAdmin,
}

/// Something that a user has and that can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum Holding {
    /// Sessions of the API, with their refresh tokens.
    Sessions,
    /// Logins to the panel.
    PanelSessions,
    /// Logins to the account pages.
    AccountSessions,
    /// Remembered browsers.
    RememberedBrowsers,
    /// Enrolments and removals that wait for a second factor.
    Challenges,
    /// Logins that wait for a second factor.
    PendingLogins,
    /// Password reset links.
    ResetLinks,
    /// Links that confirm an address.
    EmailLinks,
    /// Devices that the account is known to be used from.
    Devices,
    /// Recovery codes.
    RecoveryCodes,
}

/// What happens to a holding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It stays.
    Stays,
    /// It ends: `apply` deletes or ends it.
    Ends,
    /// It ends if `END_SESSIONS_ON_USER_CHANGE` says so.
    EndsIfConfigured,
    /// It ends by itself: it is checked against the user's password, address, factors or row.
    EndsByItself,
}

use Effect::{Ends, EndsByItself, EndsIfConfigured, Stays};

impl Ending {
    /// The table.
    #[rustfmt::skip] // read in columns
    pub const fn effect(self, holding: Holding) -> Effect {
        use Holding as H;
        match self {
            Self::PasswordChange => match holding {
                H::Sessions => EndsIfConfigured,
                H::PanelSessions => Ends,
                H::AccountSessions | H::RememberedBrowsers | H::Challenges | H::PendingLogins | H::ResetLinks | H::EmailLinks => EndsByItself,
                H::Devices | H::RecoveryCodes => Stays,
            },
            Self::PasswordReset => match holding {
                H::Sessions | H::PanelSessions | H::ResetLinks | H::EmailLinks | H::Devices => Ends,
                H::AccountSessions | H::RememberedBrowsers | H::Challenges | H::PendingLogins => EndsByItself,
                H::RecoveryCodes => Stays,
            },
            Self::EmailChange => match holding {
                H::ResetLinks | H::EmailLinks => Ends,
                _ => Stays,
            },
            Self::Deactivation => match holding {
                H::Sessions => EndsIfConfigured,
                H::PanelSessions | H::AccountSessions | H::RememberedBrowsers | H::Challenges => Ends,
                H::PendingLogins | H::ResetLinks | H::EmailLinks => EndsByItself,
                H::Devices | H::RecoveryCodes => Stays,
            },
            Self::Deletion => match holding {
                H::Sessions => EndsIfConfigured,
                H::PanelSessions => Ends,
                _ => EndsByItself,
            },
            Self::FirstFactor => match holding {
                H::AccountSessions | H::Challenges => EndsByItself,
                H::EmailLinks => Ends,
                _ => Stays,
            },
            Self::FactorRemoval => match holding {
                H::AccountSessions | H::RememberedBrowsers | H::Challenges => Ends,
                _ => Stays,
            },
            Self::LastFactorRemoval => match holding {
                H::AccountSessions | H::RememberedBrowsers | H::Challenges | H::RecoveryCodes => Ends,
                _ => Stays,
            },
            Self::LogoutByAdmin => match holding {
                H::Sessions | H::AccountSessions | H::RememberedBrowsers | H::Challenges => Ends,
                _ => Stays,
            },
        }
    }

    /// The reason given for ended sessions and tokens.
    const fn reason(self) -> Reason {
        match self {
            Self::PasswordChange => Reason::PasswordChange,
            Self::PasswordReset => Reason::PasswordReset,
            Self::Deactivation => Reason::Deactivated,
            Self::Deletion => Reason::Deleted,
            _ => Reason::Admin,
        }
    }
}

/// What is kept although its kind ends: the session in which the user makes the change.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// The hash of a panel session's key.
    pub panel_session: Option<String>,
    /// The hash of an account session's token.
    pub account_session: Option<String>,
    /// The id of a session.
    pub session: Option<String>,
}

/// How many tokens and browsers ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    /// Tokens that were blacklisted.
    pub tokens: usize,
    /// Browsers that were forgotten.
    pub browsers: usize,
}

/// Ends what the table says. The user's row is locked; `by` is the actor, for "blacklisted by".
pub fn apply(tx: &mut Tx<'_>, ending: Ending, (user, by): (UserId, &str), kept: &Kept) -> Result<Ended, DbError> {
    let mut ended = Ended::default();
    for holding in Holding::VARIANTS {
        let does_end = match ending.effect(*holding) {
            Ends => true,
            EndsIfConfigured => tx.app.config.accounts.end_sessions_on_user_change,
            EndsByItself | Stays => false,
        };
        if !does_end {
            continue;
        }
        match holding {
            Holding::Sessions => {
                ended.tokens = sessions::end_all(tx, user, kept.session.as_deref(), (ending.reason(), by))?;
            }
            Holding::PanelSessions => {
                latchkey_admin_session::delete_of(tx.conn, user, kept.panel_session.as_deref())?;
            }
            Holding::AccountSessions => {
                latchkey_account_session::delete_of(tx.conn, user, kept.account_session.as_deref())?;
            }
            Holding::RememberedBrowsers => ended.browsers = latchkey_browser::delete_of(tx.conn, user)?,
            Holding::Challenges => latchkey_challenge::delete_of(tx.conn, user, latchkey_challenge::LOGIN)?,
            // No row has to be deleted: they are checked against the password and the account.
            Holding::PendingLogins => {}
            Holding::ResetLinks => link::forget_for(tx.conn, LinkPurpose::PasswordReset, user)?,
            Holding::EmailLinks => link::forget_for(tx.conn, LinkPurpose::EmailChange, user)?,
            Holding::Devices => latchkey_device::delete_of(tx.conn, user).map(drop)?,
            Holding::RecoveryCodes => latchkey_recovery_code::delete_of(tx.conn, user)?,
        }
    }
    Ok(ended)
}
