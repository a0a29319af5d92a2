//! `latchkey_recovery_code`: codes on paper for users who have lost their other factors, by the HMAC of each.

use diesel::prelude::*;

use super::schema::latchkey_recovery_code;
use super::types::{Instant, UserId};
use super::{Conn, DbError};

/// Replaces all codes of a user by these.
pub fn replace(conn: &mut Conn, user: UserId, hashes: &[String], at: Instant) -> Result<(), DbError> {
    delete_of(conn, user)?;
    for hash in hashes {
        diesel::insert_into(latchkey_recovery_code::table)
            .values((
                latchkey_recovery_code::user_id.eq(user),
                latchkey_recovery_code::code_hash.eq(hash),
                latchkey_recovery_code::created_at.eq(at),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Uses up a code; `false` if there is no such code or it was used before.
pub fn update_used(conn: &mut Conn, user: UserId, hash: &str, at: Instant) -> Result<bool, DbError> {
    let unused = latchkey_recovery_code::table.find((user, hash)).filter(latchkey_recovery_code::used_at.is_null());
    Ok(diesel::update(unused).set(latchkey_recovery_code::used_at.eq(at)).execute(conn)? > 0)
}

/// The unused codes.
pub fn list_unused(conn: &mut Conn, user: UserId) -> Result<Vec<String>, DbError> {
    Ok(latchkey_recovery_code::table
        .filter(latchkey_recovery_code::user_id.eq(user))
        .filter(latchkey_recovery_code::used_at.is_null())
        .select(latchkey_recovery_code::code_hash)
        .load(conn)?)
}

/// Deletes all codes of a user.
pub fn delete_of(conn: &mut Conn, user: UserId) -> Result<(), DbError> {
    diesel::delete(latchkey_recovery_code::table.filter(latchkey_recovery_code::user_id.eq(user))).execute(conn)?;
    Ok(())
}
