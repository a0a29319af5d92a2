//! `latchkey_audit_log`: who did what, and when. Rows are only ever added. The panel's list of them is in `list`.

pub mod list;

use diesel::prelude::*;

use super::schema::latchkey_audit_log;
use super::types::{Instant, UserId};
use super::{Conn, DbError};

/// An entry.
#[derive(Clone, Insertable)]
#[diesel(table_name = latchkey_audit_log)]
pub struct NewRow<'a> {
    /// When.
    pub at: Instant,
    /// What: `token.reveal`, `user.create` …
    pub action: &'a str,
    /// The user who did it, where it was one.
    pub actor_id: Option<UserId>,
    /// A username, "Command line", "Latchkey".
    pub actor: &'a str,
    /// Where the request came from.
    pub ip: Option<&'a str>,
    /// The user whom it is about.
    pub user_id: Option<UserId>,
    /// What it is about, for people: a username, a jti.
    pub object: &'a str,
    /// More, as JSON; never a secret.
    pub detail: &'a str,
}

/// Adds an entry.
pub fn insert(conn: &mut Conn, row: &NewRow<'_>) -> Result<(), DbError> {
    diesel::insert_into(latchkey_audit_log::table).values(row.clone()).execute(conn)?;
    Ok(())
}
