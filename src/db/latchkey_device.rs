//! `latchkey_device`: where users logged in from during the last month. `guard::device` and `accounts::throttle` use it.

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::schema::latchkey_device;
use super::sql::Sql;
use super::types::{Instant, Moment, UserId};
use super::{Conn, DbError};

/// A device of a user: where it is, and what its browser and system are called.
#[derive(Clone, Copy)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct Device<'a> {
    pub user: UserId,
    pub network: &'a str,
    pub name: &'a str,
}

/// Whether the user has logged in from this network since then.
pub fn is_known(conn: &mut Conn, user: UserId, network: &str, since: Instant) -> Result<bool, DbError> {
    let known = latchkey_device::table
        .filter(latchkey_device::user_id.eq(user))
        .filter(latchkey_device::network.eq(network))
        .filter(latchkey_device::last_login_at.ge(since));
    Ok(select(exists(known)).get_result(conn)?)
}

/// Notes another login from a known device; `false` if the device is not known.
pub fn update_seen(conn: &mut Conn, device: Device<'_>, at: Instant) -> Result<bool, DbError> {
    let Device { user, network, name } = device;
    let text = "UPDATE latchkey_device SET last_login_at = ? WHERE user_id = ? AND network = ? AND name = ?";
    let changed = Sql::fixed(text, &[at.into(), user.into(), network.into(), name.into()]).run(conn)?;
    Ok(changed > 0)
}

/// Notes a login from a new device; one that is already there is not an error.
pub fn insert(conn: &mut Conn, device: Device<'_>, at: Instant) -> Result<(), DbError> {
    let Device { user, network, name } = device;
    let text = "INSERT INTO latchkey_device (user_id, network, name, first_login_at, last_login_at) \
                VALUES (?, ?, ?, ?, ?) ON CONFLICT (user_id, network, name) DO NOTHING";
    Sql::fixed(text, &[user.into(), network.into(), name.into(), at.into(), at.into()]).run(conn).map(drop)
}

/// When the user last logged in, from anywhere.
pub fn find_last_login(conn: &mut Conn, user: UserId) -> Result<Option<Instant>, DbError> {
    let of = latchkey_device::table.filter(latchkey_device::user_id.eq(user));
    let newest = of.order(latchkey_device::last_login_at.desc()).select(latchkey_device::last_login_at);
    Ok(newest.first(conn).optional()?)
}

/// When the user last logged in from this network.
pub fn find_last_login_from(conn: &mut Conn, user: UserId, network: &str) -> Result<Option<Instant>, DbError> {
    let of =
        latchkey_device::table.filter(latchkey_device::user_id.eq(user)).filter(latchkey_device::network.eq(network));
    let newest = of.order(latchkey_device::last_login_at.desc()).select(latchkey_device::last_login_at);
    Ok(newest.first(conn).optional()?)
}

/// Forgets all devices of a user.
pub fn delete_of(conn: &mut Conn, user: UserId) -> Result<usize, DbError> {
    Ok(diesel::delete(latchkey_device::table.filter(latchkey_device::user_id.eq(user))).execute(conn)?)
}

/// Forgets all but the `keep` most recently used names in a network: clients can send any name they like.
pub fn delete_oldest_at(conn: &mut Conn, user: UserId, network: &str, keep: i64) -> Result<usize, DbError> {
    let text = "DELETE FROM latchkey_device WHERE user_id = ? AND network = ? AND name NOT IN (SELECT name \
                FROM latchkey_device WHERE user_id = ? AND network = ? ORDER BY last_login_at DESC LIMIT ?)";
    Sql::fixed(text, &[user.into(), network.into(), user.into(), network.into(), keep.into()]).run(conn)
}

/// Forgets all but the `keep` most recently used devices of a user.
pub fn delete_oldest_of(conn: &mut Conn, user: UserId, keep: i64) -> Result<usize, DbError> {
    let text = "DELETE FROM latchkey_device WHERE user_id = ? AND (network, name) NOT IN \
                (SELECT network, name FROM latchkey_device WHERE user_id = ? ORDER BY last_login_at DESC LIMIT ?)";
    Sql::fixed(text, &[user.into(), user.into(), keep.into()]).run(conn)
}

/// Forgets up to `limit` devices last used before `before`; returns how many.
pub fn delete_before(conn: &mut Conn, before: Instant, limit: i64) -> Result<usize, DbError> {
    let query = "DELETE FROM latchkey_device WHERE (user_id, network, name) IN (SELECT user_id, network, name \
                 FROM latchkey_device WHERE last_login_at < $1 ORDER BY last_login_at LIMIT $2)";
    Ok(diesel::sql_query(query).bind::<Moment, _>(before).bind::<BigInt, _>(limit).execute(conn)?)
}
