//! `latchkey_user`: what we know about a user besides Django's columns. The row is created with the user, or when it is first
//! needed for a user of Django's.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::list::Conditions;
use super::schema::latchkey_user;
use super::types::{Instant, UserId};
use super::user_id::UserKey;
use super::{Conn, DbError};

/// The user's random id, if it has one.
pub fn find_uuid(conn: &mut Conn, user: UserId) -> Result<Option<String>, DbError> {
    Ok(latchkey_user::table.find(user).select(latchkey_user::uuid).first(conn).optional()?)
}

/// The random ids of these users, in no particular order.
pub fn list_uuids(conn: &mut Conn, users: &[UserId]) -> Result<Vec<(UserId, String)>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = UserKey)]
        user_id: UserId,
        #[diesel(sql_type = Text)]
        uuid: String,
    }
    let mut these = Conditions::default();
    these.and_in("user_id", users.iter().map(|id| (*id).into()));
    let rows: Vec<Row> = these.select(conn, "SELECT user_id, uuid FROM latchkey_user", "")?;
    Ok(rows.into_iter().map(|row| (row.user_id, row.uuid)).collect())
}

/// Gives a user a random id.
///
/// # Errors
/// `Unique` if the user already has one.
pub fn insert(conn: &mut Conn, user: UserId, uuid: &str) -> Result<(), DbError> {
    diesel::insert_into(latchkey_user::table)
        .values((latchkey_user::user_id.eq(user), latchkey_user::uuid.eq(uuid)))
        .execute(conn)?;
    Ok(())
}

/// Stores whether a superuser requires the user to have a second factor; `uuid` is for a user without a random id.
pub fn upsert_second_factor_required(
    conn: &mut Conn,
    user: UserId,
    uuid: &str,
    is_required: bool,
) -> Result<(), DbError> {
    let required = latchkey_user::second_factor_required.eq(is_required);
    if diesel::update(latchkey_user::table.find(user)).set(required).execute(conn)? == 0 {
        insert(conn, user, uuid)?;
        diesel::update(latchkey_user::table.find(user)).set(required).execute(conn)?;
    }
    Ok(())
}

/// The address that the user has confirmed, and when. It counts only while it is the user's address.
pub fn find_confirmed(conn: &mut Conn, user: UserId) -> Result<Option<(String, Instant)>, DbError> {
    let columns = (latchkey_user::confirmed_email, latchkey_user::email_confirmed_at);
    let row: Option<(Option<String>, Option<Instant>)> =
        latchkey_user::table.find(user).select(columns).first(conn).optional()?;
    Ok(row.and_then(|(email, at)| email.zip(at)))
}

/// Stores that the user has confirmed an address; `uuid` is for a user without a random id.
pub fn upsert_confirmed(
    conn: &mut Conn,
    user: UserId,
    uuid: &str,
    (email, at): (&str, Instant),
) -> Result<(), DbError> {
    let confirmed = (latchkey_user::confirmed_email.eq(email), latchkey_user::email_confirmed_at.eq(at));
    if diesel::update(latchkey_user::table.find(user)).set(confirmed).execute(conn)? == 0 {
        insert(conn, user, uuid)?;
        diesel::update(latchkey_user::table.find(user)).set(confirmed).execute(conn)?;
    }
    Ok(())
}
