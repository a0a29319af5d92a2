//! What users and superusers see of a user's factors.

use super::due::must_have;
use super::enrolled::Enrolled;
use super::remembered_browser;
use crate::app::Tx;
use crate::db::DbError;
use crate::db::latchkey_browser::Browser;
use crate::db::latchkey_second_factor;
use crate::db::users::User;

/// What users see of their factors.
pub struct Overview {
    /// What they have.
    pub enrolled: Enrolled,
    /// Whether they must have one.
    pub is_required: bool,
    /// Whether a superuser asked it of them.
    pub is_asked: bool,
    /// The browsers that are remembered, last used first.
    pub browsers: Vec<Browser>,
}

/// Reads it. Four statements.
pub fn overview(tx: &mut Tx<'_>, user: &User) -> Result<Overview, DbError> {
    let standing = latchkey_second_factor::standing(tx.conn, user.id)?;
    let (is_required, is_asked) = (must_have(tx.app, user, standing), standing.is_required);
    let (enrolled, browsers) = (Enrolled::find(tx.conn, user.id)?, remembered_browser::list(tx, user)?);
    Ok(Overview { enrolled, is_required, is_asked, browsers })
}
