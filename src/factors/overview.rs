//! What users and superusers see of a user's factors.

use super::due::must_have;
use super::enrolled::Enrolled;
use super::remembered_browser;
use crate::app::Tx;
use crate::db::DbError;
use crate::db::latchkey_browser::Browser;
use crate::db::latchkey_second_factor;
use crate::db::users::User;

/// The overview of a user's factors.
pub struct Overview {
    /// The factors and recovery codes.
    pub enrolled: Enrolled,
    /// Whether the user has to have a factor.
    pub is_required: bool,
    /// Whether a superuser required it.
    pub is_asked: bool,
    /// The remembered browsers, last used first.
    pub browsers: Vec<Browser>,
}

/// Reads the overview. Four statements.
pub fn overview(tx: &mut Tx<'_>, user: &User) -> Result<Overview, DbError> {
    let standing = latchkey_second_factor::standing(tx.conn, user.id)?;
    let (is_required, is_asked) = (must_have(tx.app, user, standing), standing.is_required);
    let (enrolled, browsers) = (Enrolled::find(tx.conn, user.id)?, remembered_browser::list(tx, user)?);
    Ok(Overview { enrolled, is_required, is_asked, browsers })
}
