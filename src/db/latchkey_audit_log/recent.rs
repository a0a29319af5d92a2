//! The latest entries, for the dashboard.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::list::{COLUMNS, ListedEntry};
use crate::db::user_table::UserTable;
use crate::db::{Conn, DbError};

/// How many entries are searched for those that are not routine.
const MAX_SCANNED: i64 = 2000;

/// The newest entries except those of these actions, which would crowd out everything else.
pub fn list_newest_except(
    conn: &mut Conn,
    users: &UserTable,
    actions: &[&'static str],
    limit: i64,
) -> Result<Vec<ListedEntry>, DbError> {
    let routine = actions.iter().map(|action| format!("'{action}'")).collect::<Vec<_>>().join(", ");
    let query = format!(
        "SELECT {COLUMNS} FROM (SELECT * FROM latchkey_audit_log ORDER BY id DESC LIMIT $1) AS a \
         LEFT JOIN {} u ON u.id = a.user_id \
         WHERE a.action NOT IN ({routine}) ORDER BY a.id DESC LIMIT $2",
        users.source()
    );
    Ok(diesel::sql_query(query).bind::<BigInt, _>(MAX_SCANNED).bind::<BigInt, _>(limit).load(conn)?)
}
