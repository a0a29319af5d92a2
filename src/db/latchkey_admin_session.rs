//! `latchkey_admin_session`: logins to the panel. Only the SHA-256 of the cookie's key is stored.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::schema::latchkey_admin_session as sessions;
use super::sql::Sql;
use super::types::{Instant, Moment, RowId, UserId};
use super::user_table::UserTable;
use super::users::{self, User};
use super::{Conn, DbError};

/// A new session.
#[derive(Clone, Insertable)]
#[diesel(table_name = sessions)]
#[allow(missing_docs, reason = "the columns are named for what they hold")]
pub struct NewRow {
    pub key_hash: String,
    pub user_id: UserId,
    pub state: String,
    pub created_at: Instant,
    pub last_seen_at: Instant,
    pub expires_at: Instant,
    pub ip: Option<String>,
    pub user_agent: String,
}

/// A session with its user.
#[derive(Debug, Clone, QueryableByName)]
pub struct SessionWithUser {
    /// Its data, as JSON.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// When it was last used, to the minute.
    #[diesel(sql_type = Moment)]
    pub last_seen_at: Instant,
    /// Whose it is.
    #[diesel(embed)]
    pub user: User,
}

/// Records a session.
pub fn insert(conn: &mut Conn, row: &NewRow) -> Result<(), DbError> {
    diesel::insert_into(sessions::table).values(row.clone()).execute(conn)?;
    Ok(())
}

/// The unexpired session with this key, with its user. One statement.
pub fn find(
    conn: &mut Conn,
    users: &UserTable,
    key_hash: &str,
    now: Instant,
) -> Result<Option<SessionWithUser>, DbError> {
    let text = format!(
        "SELECT s.state, s.last_seen_at, {} FROM latchkey_admin_session s JOIN {} u ON u.id = s.user_id \
         WHERE s.key_hash = ? AND s.expires_at > ?",
        users::COLUMNS,
        users.source()
    );
    Ok(Sql::fixed(&text, &[key_hash.into(), now.into()]).get_result(conn).optional()?)
}

/// Replaces the data of a session.
pub fn update_state(conn: &mut Conn, key_hash: &str, state: &str) -> Result<(), DbError> {
    diesel::update(sessions::table.filter(sessions::key_hash.eq(key_hash)))
        .set(sessions::state.eq(state))
        .execute(conn)?;
    Ok(())
}

/// Notes that a session was used, and extends it.
pub fn update_seen(conn: &mut Conn, key_hash: &str, at: Instant, expires_at: Instant) -> Result<(), DbError> {
    diesel::update(sessions::table.filter(sessions::key_hash.eq(key_hash)))
        .set((sessions::last_seen_at.eq(at), sessions::expires_at.eq(expires_at)))
        .execute(conn)?;
    Ok(())
}

/// Ends a session.
pub fn delete(conn: &mut Conn, key_hash: &str) -> Result<(), DbError> {
    diesel::delete(sessions::table.filter(sessions::key_hash.eq(key_hash))).execute(conn)?;
    Ok(())
}

/// Ends all sessions of a user, except the one with the key `except`.
pub fn delete_of(conn: &mut Conn, user: UserId, except: Option<&str>) -> Result<(), DbError> {
    let others = sessions::user_id.eq(user).and(sessions::key_hash.ne(except.unwrap_or_default()));
    diesel::delete(sessions::table.filter(others)).execute(conn)?;
    Ok(())
}

/// Ends one of a user's sessions; `false` if there is none with that id, or if it has the key `except`.
pub fn delete_one_of(conn: &mut Conn, user: UserId, id: RowId, except: &str) -> Result<bool, DbError> {
    let one = sessions::id.eq(id).and(sessions::user_id.eq(user)).and(sessions::key_hash.ne(except));
    Ok(diesel::delete(sessions::table.filter(one)).execute(conn)? > 0)
}

/// A session without its data.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
#[allow(missing_docs, reason = "the columns are named for what they hold")]
pub struct Listed {
    pub id: RowId,
    pub key_hash: String,
    pub created_at: Instant,
    pub last_seen_at: Instant,
    pub ip: Option<String>,
    pub user_agent: String,
}

/// Up to `limit` unexpired sessions of a user, last used first.
pub fn list_of(conn: &mut Conn, user: UserId, now: Instant, limit: i64) -> Result<Vec<Listed>, DbError> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::expires_at.gt(now)))
        .order((sessions::last_seen_at.desc(), sessions::id.desc()))
        .limit(limit)
        .select(Listed::as_select())
        .load(conn)?)
}

/// Deletes expired sessions.
pub fn delete_expired(conn: &mut Conn, now: Instant) -> Result<(), DbError> {
    diesel::delete(sessions::table.filter(sessions::expires_at.le(now))).execute(conn)?;
    Ok(())
}
