//! What a login still needs after the right password, and who must have a second factor.

use secrecy::SecretString;

use super::enrolled::Enrolled;
use super::remembered_browser;
use crate::app::{App, Tx};
use crate::config::Required;
use crate::db::DbError;
use crate::db::latchkey_second_factor::{self, Standing};
use crate::db::users::User;
use crate::journal::Client;
use crate::journal::authentication::{AuthenticatedBy, Method};

/// What a login still needs after the right password.
pub enum Due {
    /// Nothing.
    Nothing(AuthenticatedBy),
    /// One of these methods.
    Factor(Vec<Method>),
    /// The user must have a factor, and has none.
    Enrolment,
}

/// Decides what the login of this user still needs; `browser` is the token of a remembered browser. One statement if
/// there is no factor.
pub fn due(tx: &mut Tx<'_>, user: &User, browser: Option<&SecretString>, client: &Client) -> Result<Due, DbError> {
    let standing = latchkey_second_factor::standing(tx.conn, user.id)?;
    if !standing.has_factor {
        return Ok(if must_have(tx.app, user, standing) {
            Due::Enrolment
        } else {
            Due::Nothing(AuthenticatedBy::Password)
        });
    }
    if let Some(browser) = browser
        && remembered_browser::recognise(tx, user, browser, client)?
    {
        return Ok(Due::Nothing(AuthenticatedBy::RememberedBrowser));
    }
    Ok(Due::Factor(Enrolled::find(tx.conn, user.id)?.methods(tx.app)))
}

/// Whether the settings or a superuser require a factor of this user.
pub(super) fn must_have(app: &App, user: &User, standing: Standing) -> bool {
    match app.config.second_factor.required {
        Required::Everybody => true,
        Required::Staff if user.is_staff || user.is_superuser => true,
        Required::Staff | Required::Optional => standing.is_required,
    }
}
