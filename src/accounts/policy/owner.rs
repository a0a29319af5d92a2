//! The user whose password is checked.

use crate::app::App;
use crate::db::users::User;
use crate::db::users::profile::Profile;
use crate::db::{DbError, latchkey_second_factor};

/// The user who gets the password.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Owner {
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    /// Whether a login needs more than the password, which may then be shorter (NIST SP 800-63B-4, 3.1.3.1: codes by
    /// email do not count).
    pub has_second_factor: bool,
}

/// The kinds of factors that NIST counts as a second one.
const STRONG: [&str; 2] = ["totp", "passkey"];

impl Owner {
    /// An existing user.
    pub async fn find(app: &App, user: &User) -> Result<Self, DbError> {
        let id = user.id;
        let has_second_factor = app.read(move |tx| latchkey_second_factor::has_any(tx.conn, id, &STRONG)).await?;
        Ok(Self { has_second_factor, ..Self::from(&Profile::from(user)) })
    }
}

impl From<&Profile> for Owner {
    fn from(profile: &Profile) -> Self {
        Self {
            username: profile.username.clone(),
            first_name: profile.first_name.clone(),
            last_name: profile.last_name.clone(),
            email: profile.email.clone(),
            has_second_factor: false,
        }
    }
}
