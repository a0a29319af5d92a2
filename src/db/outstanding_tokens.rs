//! `token_blacklist_outstandingtoken`: refresh and sliding tokens that were issued and recorded. The panel's list of them
//! is in `list`, what background work reads and deletes in `batches`.

mod batches;
pub mod list;

pub use batches::{count_expired, delete_expired, list_created_up_to};

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::latchkey_session::Session;
use super::page::{self, Total};
use super::schema::{blacklisted_tokens, latchkey_session, latchkey_token, outstanding_tokens};
use super::sql::Sql;
use super::types::{Instant, Key, Moment, TokenId, UserId};
use super::user_id::UserKey;
use super::user_table::UserTable;
use super::users::User;
use super::{Conn, DbError};

/// A token to be recorded.
#[derive(Clone)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct NewRow {
    /// `header.payload`, so that a copy of the database contains no usable tokens.
    pub token: String,
    pub created_at: Option<Instant>,
    pub expires_at: Instant,
    pub user_id: Option<UserId>,
    pub jti: String,
}

/// What a check of one token needs to know.
#[derive(Debug, Clone, Queryable)]
pub struct Recorded {
    /// Its row.
    pub id: TokenId,
    /// Its owner, if the owner still exists.
    pub user_id: Option<UserId>,
    /// When it was blacklisted.
    pub blacklisted_at: Option<Instant>,
    /// When we rotated it.
    pub rotated_at: Option<Instant>,
    /// HMAC of the idempotency key with which the same rotation may be requested again.
    pub retry_key: Option<String>,
    /// Its session.
    pub session: Option<Session>,
}

/// The token with this jti, with its session and whether it is blacklisted. One statement.
pub fn find_by_jti(conn: &mut Conn, jti: &str) -> Result<Option<Recorded>, DbError> {
    let session = latchkey_session::id.nullable().eq(latchkey_token::session_id);
    Ok(outstanding_tokens::table
        .left_join(blacklisted_tokens::table)
        .left_join(latchkey_token::table.on(latchkey_token::token_id.eq(outstanding_tokens::id)))
        .left_join(latchkey_session::table.on(session))
        .filter(outstanding_tokens::jti.eq(jti))
        .select((
            outstanding_tokens::id,
            outstanding_tokens::user_id,
            blacklisted_tokens::blacklisted_at.nullable(),
            latchkey_token::rotated_at.nullable(),
            latchkey_token::retry_key.nullable(),
            Option::<Session>::as_select(),
        ))
        .first(conn)
        .optional()?)
}

/// The token that another was rotated into. No `Debug`: Django stores whole tokens.
#[derive(Clone, Queryable)]
pub struct Successor {
    /// `header.payload`, as stored by us.
    pub token: String,
    /// Id of the key that signed it.
    pub kid: Option<String>,
    /// The address it was issued to.
    pub ip: Option<String>,
    /// When it was blacklisted.
    pub blacklisted_at: Option<Instant>,
}

/// The token that we rotated another into; the last one, if there are several.
pub fn find_successor(conn: &mut Conn, of: TokenId) -> Result<Option<Successor>, DbError> {
    Ok(latchkey_token::table
        .inner_join(outstanding_tokens::table.on(outstanding_tokens::id.eq(latchkey_token::token_id)))
        .left_join(blacklisted_tokens::table.on(blacklisted_tokens::token_id.eq(latchkey_token::token_id)))
        .filter(latchkey_token::rotated_from.eq(of))
        .order(outstanding_tokens::id.desc())
        .select((
            outstanding_tokens::token,
            latchkey_token::kid,
            latchkey_token::ip,
            blacklisted_tokens::blacklisted_at.nullable(),
        ))
        .first(conn)
        .optional()?)
}

/// Tokens of a user that are neither blacklisted nor expired and belong to no session of ours: Django issued them.
pub fn list_without_session(conn: &mut Conn, user: UserId, now: Instant) -> Result<Vec<(TokenId, String)>, DbError> {
    Ok(outstanding_tokens::table
        .left_join(blacklisted_tokens::table)
        .left_join(latchkey_token::table.on(latchkey_token::token_id.eq(outstanding_tokens::id)))
        .filter(outstanding_tokens::user_id.eq(user).and(outstanding_tokens::expires_at.gt(now)))
        .filter(blacklisted_tokens::id.is_null().and(latchkey_token::session_id.is_null()))
        .select((outstanding_tokens::id, outstanding_tokens::token))
        .load(conn)?)
}

/// These tokens, with owner and jti; those that no longer exist are left out.
pub fn list_of(conn: &mut Conn, ids: &[TokenId]) -> Result<Vec<(TokenId, Option<UserId>, String)>, DbError> {
    Ok(outstanding_tokens::table
        .filter(outstanding_tokens::id.eq_any(ids))
        .order(outstanding_tokens::id)
        .select((outstanding_tokens::id, outstanding_tokens::user_id, outstanding_tokens::jti))
        .load(conn)?)
}

/// A selected token, as shown before something is done with it.
#[derive(Debug, Clone, Queryable)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Ticked {
    pub id: TokenId,
    pub user_id: Option<UserId>,
    pub expires_at: Instant,
    pub blacklisted_at: Option<Instant>,
}

/// These selected tokens; those that no longer exist are left out.
pub fn list_ticked(conn: &mut Conn, ids: &[TokenId]) -> Result<Vec<Ticked>, DbError> {
    Ok(outstanding_tokens::table
        .left_join(blacklisted_tokens::table)
        .filter(outstanding_tokens::id.eq_any(ids))
        .select((
            outstanding_tokens::id,
            outstanding_tokens::user_id,
            outstanding_tokens::expires_at,
            blacklisted_tokens::blacklisted_at.nullable(),
        ))
        .load(conn)?)
}

/// Records a token.
pub fn insert(conn: &mut Conn, row: &NewRow) -> Result<TokenId, DbError> {
    #[derive(QueryableByName)]
    struct Inserted {
        #[diesel(sql_type = Key)]
        id: TokenId,
    }
    let text = "INSERT INTO token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti) \
                VALUES (?, ?, ?, ?, ?) RETURNING id";
    let NewRow { token, created_at, expires_at, user_id, jti } = row;
    let values = [(&**token).into(), (*created_at).into(), (*expires_at).into(), (*user_id).into(), (&**jti).into()];
    Ok(Sql::fixed(text, &values).get_result::<Inserted>(conn)?.id)
}

/// Removes the owner from all tokens of a user who is about to be deleted, as Django does.
pub fn update_owner_to_none(conn: &mut Conn, user: UserId) -> Result<usize, DbError> {
    Ok(diesel::update(outstanding_tokens::table.filter(outstanding_tokens::user_id.eq(user)))
        .set(outstanding_tokens::user_id.eq(None::<UserId>))
        .execute(conn)?)
}

/// A token in a list.
#[derive(Debug, Clone, Queryable, QueryableByName)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Listed {
    #[diesel(sql_type = Key)]
    pub id: TokenId,
    #[diesel(sql_type = Text)]
    pub jti: String,
    #[diesel(sql_type = Nullable<Moment>)]
    pub created_at: Option<Instant>,
    #[diesel(sql_type = Moment)]
    pub expires_at: Instant,
    #[diesel(sql_type = Nullable<UserKey>)]
    pub user_id: Option<UserId>,
    /// The owner's name; `None` when the owner was deleted.
    #[diesel(sql_type = Nullable<Text>)]
    pub username: Option<String>,
    #[diesel(sql_type = Nullable<Moment>)]
    pub blacklisted_at: Option<Instant>,
    /// Set if the token was rotated into another one.
    #[diesel(sql_type = Nullable<Moment>)]
    pub rotated_at: Option<Instant>,
    /// Why it is blacklisted (`latchkey_token.blacklist_reason`), if we did it.
    #[diesel(sql_type = Nullable<Text>)]
    pub blacklist_reason: Option<String>,
    /// The session that it belongs to.
    #[diesel(sql_type = Nullable<Text>)]
    pub session_id: Option<String>,
    /// The `User-Agent` with which the session was last used.
    #[diesel(sql_type = Nullable<Text>)]
    pub user_agent: Option<String>,
}

/// A token with everything that its page shows. No `Debug`: Django stores whole tokens.
#[derive(Clone)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Detail {
    pub row: Listed,
    /// `header.payload`, or a whole token if Django issued it.
    pub token: String,
    pub user: Option<User>,
    /// Who blacklisted it: a username, "Command line", "Latchkey".
    pub blacklisted_by: Option<String>,
    /// Its row in `token_blacklist_blacklistedtoken`.
    pub blacklisted_id: Option<TokenId>,
    /// The token that it was rotated from, with its jti.
    pub rotated_from: Option<(TokenId, String)>,
    /// The token that it was rotated into, with its jti.
    pub rotated_into: Option<(TokenId, String)>,
    /// Whether we issued it (there is a `latchkey_token` row with a key id), not Django.
    pub ours: bool,
    /// Id of the key that signed it, if we issued it.
    pub kid: Option<String>,
}

/// The columns of a `Listed`.
const COLUMNS: &str = "o.id, o.jti, o.created_at, o.expires_at, o.user_id, u.username, b.blacklisted_at, k.rotated_at, \
                       k.blacklist_reason, k.session_id, s.user_agent";

/// The joins from a token, `o`, to everything that `COLUMNS` has of it.
fn joins(users: &UserTable) -> String {
    format!(
        "LEFT JOIN token_blacklist_blacklistedtoken b ON b.token_id = o.id LEFT JOIN latchkey_token k ON k.token_id = o.id \
         LEFT JOIN {} u ON u.id = o.user_id LEFT JOIN latchkey_session s ON s.id = k.session_id",
        users.source()
    )
}

/// The newest tokens of a user.
pub fn list_newest_of(conn: &mut Conn, users: &UserTable, user: UserId, limit: i64) -> Result<Vec<Listed>, DbError> {
    let text = format!(
        "SELECT {COLUMNS} FROM token_blacklist_outstandingtoken o {} WHERE o.user_id = ? ORDER BY o.id DESC LIMIT {limit}",
        joins(users)
    );
    Ok(Sql::fixed(&text, &[user.into()]).load(conn)?)
}

/// How many tokens there are, exactly or approximately.
pub fn count(conn: &mut Conn) -> Result<Total, DbError> {
    page::total(conn, "token_blacklist_outstandingtoken")
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    listed: Listed,
    #[diesel(sql_type = Text)]
    token: String,
    #[diesel(sql_type = Nullable<Text>)]
    blacklisted_by: Option<String>,
    #[diesel(sql_type = Nullable<Key>)]
    blacklisted_id: Option<TokenId>,
    #[diesel(sql_type = Nullable<Key>)]
    rotated_from: Option<TokenId>,
    #[diesel(sql_type = Nullable<Text>)]
    kid: Option<String>,
}

/// One token. At most 4 statements.
pub fn find_detail(conn: &mut Conn, users: &UserTable, id: TokenId) -> Result<Option<Detail>, DbError> {
    let text = format!(
        "SELECT {COLUMNS}, o.token, k.blacklisted_by, b.id AS blacklisted_id, k.rotated_from, k.kid \
         FROM token_blacklist_outstandingtoken o {} WHERE o.id = ?",
        joins(users)
    );
    let Some(found) = Sql::fixed(&text, &[id.into()]).get_result::<Row>(conn).optional()? else { return Ok(None) };
    let Row { listed: row, token, blacklisted_by, blacklisted_id, rotated_from, kid } = found;
    let user = row.user_id.map(|id| users.find(conn, id)).transpose()?.flatten();
    let rotated_from = match rotated_from {
        Some(from) => outstanding_tokens::table
            .find(from)
            .select((outstanding_tokens::id, outstanding_tokens::jti))
            .first(conn)
            .optional()?,
        None => None,
    };
    let rotated_into = latchkey_token::table
        .inner_join(outstanding_tokens::table.on(outstanding_tokens::id.eq(latchkey_token::token_id)))
        .filter(latchkey_token::rotated_from.eq(id))
        .order(outstanding_tokens::id.desc())
        .select((outstanding_tokens::id, outstanding_tokens::jti))
        .first(conn)
        .optional()?;
    let ours = kid.is_some();
    Ok(Some(Detail { row, token, user, blacklisted_by, blacklisted_id, rotated_from, rotated_into, ours, kid }))
}
