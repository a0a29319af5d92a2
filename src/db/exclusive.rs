//! Background work that only one of several instances on a database does at a time.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::{Conn, DbError};

/// A piece of background work; each has an advisory lock in PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Deleting what has expired.
    Purge,
    /// Keeping counts and audit log in order.
    Upkeep,
}

impl Task {
    /// A number that nobody else on the database uses: the letters `latchkey`.
    fn number(self) -> i64 {
        const LATCHKEY: i64 = 0x6c61_7463_686b_6579;
        match self {
            Self::Purge => LATCHKEY,
            Self::Upkeep => LATCHKEY + 1,
        }
    }
}

/// Whether this transaction may do it; `false` while another one is doing it. SQLite has only one writer anyway.
pub fn try_start(conn: &mut Conn, task: Task) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        free: bool,
    }
    let Conn::Postgres(conn) = conn else { return Ok(true) };
    let query = diesel::sql_query("SELECT pg_try_advisory_xact_lock($1) AS free");
    Ok(query.bind::<BigInt, _>(task.number()).get_result::<Row>(conn)?.free)
}
