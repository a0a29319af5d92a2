//! The latest entries, for the dashboard.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::db::types::{Instant, Key, Moment, UserId};
use crate::db::{Conn, DbError};

/// An entry, with the present name of the user whom it is about.
#[derive(Debug, Clone, QueryableByName)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct Recent {
    #[diesel(sql_type = Moment)]
    pub at: Instant,
    #[diesel(sql_type = Text)]
    pub action: String,
    #[diesel(sql_type = Nullable<Key>)]
    pub actor_id: Option<UserId>,
    #[diesel(sql_type = Text)]
    pub actor: String,
    #[diesel(sql_type = Nullable<Key>)]
    pub user_id: Option<UserId>,
    /// `None` when that user was deleted.
    #[diesel(sql_type = Nullable<Text>)]
    pub username: Option<String>,
    #[diesel(sql_type = Text)]
    pub object: String,
    /// JSON.
    #[diesel(sql_type = Text)]
    pub detail: String,
    #[diesel(sql_type = Integer)]
    pub count: i32,
}

/// So many entries are looked at for those that are no routine.
const LOOKED_AT: i64 = 2000;

/// The newest entries but logins and logouts, which would hide everything else.
pub fn list_newest(conn: &mut Conn, limit: i64) -> Result<Vec<Recent>, DbError> {
    let query = "SELECT a.at, a.action, a.actor_id, a.actor, a.user_id, u.username, a.object, a.detail, a.count \
                 FROM (SELECT * FROM latchkey_audit_log ORDER BY id DESC LIMIT $1) AS a \
                 LEFT JOIN auth_user u ON u.id = a.user_id \
                 WHERE a.action NOT IN ('login', 'logout', 'login.failed', 'admin.logout') ORDER BY a.id DESC LIMIT $2";
    Ok(diesel::sql_query(query).bind::<BigInt, _>(LOOKED_AT).bind::<BigInt, _>(limit).load(conn)?)
}
