//! The latest entries, for the dashboard.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::list::{COLUMNS, Entry};
use crate::db::{Conn, DbError};

/// So many entries are looked at for those that are no routine.
const LOOKED_AT: i64 = 2000;

/// The newest entries without those of these actions, which would hide everything else.
pub fn list_newest_except(conn: &mut Conn, actions: &[&'static str], limit: i64) -> Result<Vec<Entry>, DbError> {
    let routine = actions.iter().map(|action| format!("'{action}'")).collect::<Vec<_>>().join(", ");
    let query = format!(
        "SELECT {COLUMNS} FROM (SELECT * FROM latchkey_audit_log ORDER BY id DESC LIMIT $1) AS a \
         LEFT JOIN auth_user u ON u.id = a.user_id \
         WHERE a.action NOT IN ({routine}) ORDER BY a.id DESC LIMIT $2"
    );
    Ok(diesel::sql_query(query).bind::<BigInt, _>(LOOKED_AT).bind::<BigInt, _>(limit).load(conn)?)
}
