//! `latchkey_second_factor`: what users log in with besides their password. Only confirmed factors are here; one that is being
//! enrolled is in `latchkey_challenge`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::schema::latchkey_second_factor;
use super::sql::Sql;
use super::types::{Instant, RowId, UserId};
use super::user_table::UserTable;
use super::{Conn, DbError};

/// A factor.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = latchkey_second_factor)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct Factor {
    pub id: RowId,
    pub user_id: UserId,
    pub kind: String,
    pub name: String,
    /// For TOTP the encrypted secret; for a passkey its public key; for email the address.
    pub data: String,
    pub credential_id: Option<String>,
    pub last_step: Option<i64>,
    pub created_at: Instant,
    pub last_used_at: Option<Instant>,
}

/// A factor that has just been confirmed.
#[derive(Clone, Insertable)]
#[diesel(table_name = latchkey_second_factor)]
#[allow(missing_docs, reason = "the table's columns")]
pub struct NewRow<'a> {
    pub user_id: UserId,
    pub kind: &'a str,
    pub name: &'a str,
    pub data: &'a str,
    pub credential_id: Option<&'a str>,
    pub last_step: Option<i64>,
    pub created_at: Instant,
}

/// What a login needs to know about its user.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct Standing {
    /// The user has a factor.
    #[diesel(sql_type = Bool)]
    pub has_factor: bool,
    /// A superuser requires the user to have one.
    #[diesel(sql_type = Bool)]
    pub is_required: bool,
}

/// Whether a user has a factor, and whether a superuser requires one.
pub fn standing(conn: &mut Conn, user: UserId) -> Result<Standing, DbError> {
    let text = "SELECT EXISTS (SELECT 1 FROM latchkey_second_factor WHERE user_id = ?) AS has_factor, \
                EXISTS (SELECT 1 FROM latchkey_user WHERE user_id = ? AND second_factor_required) AS is_required";
    let mut rows = Sql::fixed(text, &[user.into(), user.into()]).load(conn)?;
    rows.pop().ok_or(DbError::NotFound)
}

/// All factors of a user, oldest first.
pub fn list_of(conn: &mut Conn, user: UserId) -> Result<Vec<Factor>, DbError> {
    Ok(latchkey_second_factor::table
        .filter(latchkey_second_factor::user_id.eq(user))
        .order(latchkey_second_factor::id)
        .select(Factor::as_select())
        .load(conn)?)
}

/// Adds a factor.
///
/// # Errors
/// `Unique` if the user already has one of this kind, or somebody already has this passkey.
pub fn insert(conn: &mut Conn, row: &NewRow<'_>) -> Result<Factor, DbError> {
    let new = diesel::insert_into(latchkey_second_factor::table).values(row.clone());
    let id = new.returning(latchkey_second_factor::id).get_result(conn)?;
    let NewRow { user_id, kind, name, data, credential_id, last_step, created_at } = row.clone();
    let (kind, name, data) = (kind.to_owned(), name.to_owned(), data.to_owned());
    let (credential_id, last_used_at) = (credential_id.map(str::to_owned), None);
    Ok(Factor { id, user_id, kind, name, data, credential_id, last_step, created_at, last_used_at })
}

/// Notes that a TOTP code was used; `false` if it or a later one was used before.
pub fn update_step(conn: &mut Conn, id: RowId, step: i64, at: Instant) -> Result<bool, DbError> {
    let unused = latchkey_second_factor::last_step.is_null().or(latchkey_second_factor::last_step.lt(step));
    let changed = diesel::update(latchkey_second_factor::table.find(id).filter(unused))
        .set((latchkey_second_factor::last_step.eq(step), latchkey_second_factor::last_used_at.eq(at)))
        .execute(conn)?;
    Ok(changed > 0)
}

/// Notes that a factor was used; `false` if it no longer exists.
pub fn update_used(conn: &mut Conn, id: RowId, at: Instant) -> Result<bool, DbError> {
    let row = latchkey_second_factor::table.find(id);
    Ok(diesel::update(row).set(latchkey_second_factor::last_used_at.eq(at)).execute(conn)? > 0)
}

/// The same of a passkey, whose data becomes another with its new counter; `false` if its data was changed meanwhile.
pub fn update_data(conn: &mut Conn, id: RowId, (old, new): (&str, &str), at: Instant) -> Result<bool, DbError> {
    let row = latchkey_second_factor::table.find(id).filter(latchkey_second_factor::data.eq(old));
    let change = (latchkey_second_factor::data.eq(new), latchkey_second_factor::last_used_at.eq(at));
    Ok(diesel::update(row).set(change).execute(conn)? > 0)
}

/// Whether a user has a factor of one of these kinds.
pub fn has_any(conn: &mut Conn, user: UserId, kinds: &[&str]) -> Result<bool, DbError> {
    let those = latchkey_second_factor::table.filter(latchkey_second_factor::user_id.eq(user));
    let those = those.filter(latchkey_second_factor::kind.eq_any(kinds.to_vec()));
    Ok(diesel::select(diesel::dsl::exists(those)).get_result(conn)?)
}

/// How many people there are in a group, and how many of them have no factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct FactorCoverage {
    /// All of them; at most `MAX_COUNTED` are counted.
    #[diesel(sql_type = BigInt)]
    pub people: i64,
    /// Those without.
    #[diesel(sql_type = BigInt)]
    pub without: i64,
}

impl FactorCoverage {
    /// Maximum number of people counted.
    pub const MAX_COUNTED: i64 = 1_000;
}

/// A group of people who can open the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelRole {
    /// Superusers.
    Superuser,
    /// Staff who are not superusers.
    Staff,
}

/// How many active users of a group have no factor. One statement, answered by a partial index.
pub fn count_without(conn: &mut Conn, users: &UserTable, who: PanelRole) -> Result<FactorCoverage, DbError> {
    let who = match who {
        PanelRole::Superuser => "u.is_superuser",
        PanelRole::Staff => "u.is_staff AND NOT u.is_superuser",
    };
    let query = format!(
        "SELECT count(*) AS people, CAST(coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM latchkey_second_factor f \
         WHERE f.user_id = u.id) THEN 0 ELSE 1 END), 0) AS BIGINT) AS without \
         FROM (SELECT u.id FROM {} u WHERE {who} AND u.is_active LIMIT {}) u",
        users.source(),
        FactorCoverage::MAX_COUNTED
    );
    Ok(diesel::sql_query(query).get_result(conn)?)
}

/// Removes a factor of a user; `false` if none has that id.
pub fn delete(conn: &mut Conn, user: UserId, id: RowId) -> Result<bool, DbError> {
    let row = latchkey_second_factor::table.find(id).filter(latchkey_second_factor::user_id.eq(user));
    Ok(diesel::delete(row).execute(conn)? > 0)
}
