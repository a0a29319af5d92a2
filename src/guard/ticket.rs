//! Tickets: random tokens that are handed out once and stored as a hash. Each has one purpose and an expiry, and stops
//! working when the password (or address) that it was issued under changes. The rows are in separate tables; what they
//! share is here.

use std::iter::{once, once_with};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::app::App;
use crate::crypto::digest::{equal, hmac_sha256, sha256_hex};
use crate::crypto::keyed;
use crate::crypto::random;
use crate::db::types::{Instant, UserId};
use crate::db::users::User;
use crate::journal::Door;

/// The purpose of a link in a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum LinkPurpose {
    /// Choosing a new password.
    PasswordReset,
    /// Confirming an address.
    EmailChange,
}

/// The purpose of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A link in a mail (`latchkey_link`).
    Link(LinkPurpose),
    /// Continuing something that waits for a second factor (`latchkey_challenge`).
    Challenge,
    /// Logging in through this door without a second factor (`latchkey_browser`).
    RememberedBrowser(Door),
    /// Being logged in to the account pages (`latchkey_account_session`).
    AccountSession,
    /// Being logged in to the panel (`latchkey_admin_session`).
    PanelSession,
}

impl Purpose {
    /// How long a ticket is valid. Using a panel session extends it.
    pub fn lifetime(self, app: &App) -> Duration {
        match self {
            Self::Link(LinkPurpose::PasswordReset) => Duration::from_hours(1),
            Self::Link(LinkPurpose::EmailChange) => Duration::from_hours(24),
            // Longer than a mailed code is valid, so that there is time to request another.
            Self::Challenge | Self::AccountSession => Duration::from_mins(15),
            Self::RememberedBrowser(_) => app.config.second_factor.remember,
            Self::PanelSession => Duration::from_hours(12),
        }
    }

    /// The hash of a token, for storage.
    pub fn hash(self, token: &SecretString) -> String {
        let token = token.expose_secret();
        match self {
            // A token that a front end keeps must not work for the panel.
            Self::RememberedBrowser(door) => sha256_hex(format!("{} {token}", door.name()).as_bytes()),
            _ => sha256_hex(token.as_bytes()),
        }
    }

    /// The state that a ticket depends on: its fingerprint changes with the user's password, and a link's also with the
    /// address.
    pub fn fingerprint(self, app: &App, user: &User) -> String {
        let (key, password) = (&app.config.secret_key, user.password.0.as_str());
        let mac = match self {
            Self::Link(purpose) => keyed::mac(key, "latchkey link", &[purpose.into(), password, &user.email]),
            Self::PanelSession => keyed::mac(key, "latchkey.admin_session", &[password]),
            Self::Challenge | Self::RememberedBrowser(_) | Self::AccountSession => {
                keyed::mac(key, "latchkey challenge", &[&user.id.to_string(), password])
            }
        };
        mac.hex()
    }

    /// Every fingerprint that a row of this user may have: the current one, and the one of an older version.
    pub fn fingerprints(self, app: &App, user: &User) -> impl Iterator<Item = String> {
        once(self.fingerprint(app, user)).chain(once_with(move || self.older_fingerprint(app, user)).flatten())
    }

    /// Whether a stored fingerprint still matches the user.
    pub fn is_current(self, app: &App, user: &User, stored: &str) -> bool {
        self.fingerprints(app, user).any(|known| equal(known.as_bytes(), stored.as_bytes()))
    }

    /// The fingerprint in rows older than migration 7.
    fn older_fingerprint(self, app: &App, user: &User) -> Option<String> {
        match self {
            Self::Link(_) | Self::PanelSession => None,
            Self::Challenge | Self::RememberedBrowser(_) | Self::AccountSession => {
                let message = format!("latchkey challenge {} {}", user.id, user.password.0);
                let key = app.config.secret_key.expose_secret().as_bytes();
                Some(random::hex(&hmac_sha256(key, message.as_bytes())))
            }
        }
    }
}

/// A ticket that has just been issued.
pub struct Ticket {
    /// For its holder. No `Debug`: it is as good as a password.
    pub token: SecretString,
    /// The hash of the token, for storage.
    pub hash: String,
    /// The state that it depends on.
    pub fingerprint: String,
    /// When it was issued.
    pub created_at: Instant,
    /// When it expires.
    pub expires_at: Instant,
}

impl Ticket {
    /// Issues a ticket to a user.
    pub fn issue(app: &App, now: Instant, purpose: Purpose, user: &User) -> Self {
        let token = SecretString::from(random::token());
        Self {
            hash: purpose.hash(&token),
            fingerprint: purpose.fingerprint(app, user),
            created_at: now,
            expires_at: now + purpose.lifetime(app),
            token,
        }
    }
}

/// The columns that all tables of tickets have.
pub struct Stored<'a> {
    /// The owner.
    pub user_id: UserId,
    /// The state that it depends on.
    pub fingerprint: &'a str,
    /// When it expires.
    pub expires_at: Instant,
}

impl Stored<'_> {
    /// Whether the ticket is valid now, for this user: not expired, the user active, and nothing changed that it
    /// depends on.
    pub fn is_good(&self, app: &App, purpose: Purpose, user: &User) -> bool {
        self.user_id == user.id
            && app.now() < self.expires_at
            && user.may_log_in()
            && purpose.is_current(app, user, self.fingerprint)
    }
}
