//! `latchkey_user`: what we know of a user beyond Django's columns. Made with the user, or when a user of Django's is first met.

use diesel::prelude::*;

use super::schema::latchkey_user;
use super::types::UserId;
use super::{Conn, DbError};

/// The user's random id, if it has one.
pub fn find_uuid(conn: &mut Conn, user: UserId) -> Result<Option<String>, DbError> {
    Ok(latchkey_user::table.find(user).select(latchkey_user::uuid).first(conn).optional()?)
}

/// Random ids of these users, in no order.
pub fn list_uuids(conn: &mut Conn, users: &[UserId]) -> Result<Vec<(UserId, String)>, DbError> {
    Ok(latchkey_user::table
        .filter(latchkey_user::user_id.eq_any(users))
        .select((latchkey_user::user_id, latchkey_user::uuid))
        .load(conn)?)
}

/// Gives a user a random id.
///
/// # Errors
/// `Unique` when it has one already.
pub fn insert(conn: &mut Conn, user: UserId, uuid: &str) -> Result<(), DbError> {
    diesel::insert_into(latchkey_user::table)
        .values((latchkey_user::user_id.eq(user), latchkey_user::uuid.eq(uuid)))
        .execute(conn)?;
    Ok(())
}

/// Whether a superuser wants the user to have a second factor.
pub fn is_second_factor_required(conn: &mut Conn, user: UserId) -> Result<bool, DbError> {
    let row = latchkey_user::table.find(user).select(latchkey_user::second_factor_required);
    Ok(row.first(conn).optional()?.unwrap_or(false))
}

/// Notes whether they do; `false` where the user has no row yet.
pub fn update_second_factor_required(conn: &mut Conn, user: UserId, is_required: bool) -> Result<bool, DbError> {
    let row = latchkey_user::table.find(user);
    Ok(diesel::update(row).set(latchkey_user::second_factor_required.eq(is_required)).execute(conn)? > 0)
}
