//! `token_blacklist_blacklistedtoken`: outstanding tokens that must no longer be accepted. The panel's list of them is in
//! `list`.

pub mod list;

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Nullable, Text};

use super::conn::MultiBackend;

use super::page::{self, Total};
use super::schema::{blacklisted_tokens, latchkey_token};
use super::sql::Sql;
use super::types::{Instant, Key, Moment, TokenId, UserId};
use super::user_id::UserKey;
use super::user_table::UserTable;
use super::{Conn, DbError};

/// Blacklists a token.
///
/// # Errors
/// `Unique` when it is blacklisted already: the index decides a race.
pub fn insert(conn: &mut Conn, token: TokenId, at: Instant) -> Result<(), DbError> {
    let text = "INSERT INTO token_blacklist_blacklistedtoken (token_id, blacklisted_at) VALUES (?, ?)";
    Sql::fixed(text, &[token.into(), at.into()]).run(conn).map(drop)
}

/// Takes a token off the blacklist.
pub fn delete(conn: &mut Conn, token: TokenId) -> Result<(), DbError> {
    diesel::delete(blacklisted_tokens::table.filter(blacklisted_tokens::token_id.eq(token))).execute(conn)?;
    Ok(())
}

/// Which tokens to blacklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All tokens of a user.
    User(UserId),
    /// All tokens of a user, except those of this session.
    Others(UserId, &'a str),
    /// The tokens of this session of this user.
    Session(UserId, &'a str),
}

impl<'a> Scope<'a> {
    /// A statement built around the search for tokens `o` in the scope that are not blacklisted yet.
    pub(super) fn select(self, before: &str, after: &str) -> String {
        // Each condition uses both parameters, so that they are always bound in the same way.
        let condition = match self {
            Self::User(_) => "o.user_id = $1 AND $2 = ''",
            Self::Others(..) => "o.user_id = $1 AND (k.session_id IS NULL OR k.session_id <> $2)",
            // The plus keeps SQLite from reading all tokens of the user.
            Self::Session(..) => "coalesce(o.user_id, NULL) = $1 AND k.session_id = $2",
        };
        format!(
            "{before} FROM token_blacklist_outstandingtoken o \
             LEFT JOIN token_blacklist_blacklistedtoken b ON b.token_id = o.id \
             LEFT JOIN latchkey_token k ON k.token_id = o.id WHERE b.id IS NULL AND {condition}{after}"
        )
    }

    /// Binds the first two parameters of such a statement.
    pub(super) fn bind<'f>(
        self,
        query: BoxedSqlQuery<'f, MultiBackend, SqlQuery>,
    ) -> BoxedSqlQuery<'f, MultiBackend, SqlQuery>
    where
        'a: 'f,
    {
        let (user, session) = match self {
            Self::User(user) => (user, ""),
            Self::Others(user, session) | Self::Session(user, session) => (user, session),
        };
        query.bind::<UserKey, _>(user).bind::<Text, _>(session)
    }
}

/// Blacklists all tokens in a scope that are not blacklisted yet; returns how many.
pub fn insert_all_of(conn: &mut Conn, scope: Scope<'_>, at: Instant) -> Result<usize, DbError> {
    // Django takes no lock and may be blacklisting the same token now: hence DO NOTHING.
    let query = scope.select(
        "WITH gone AS (SELECT o.id",
        ") INSERT INTO token_blacklist_blacklistedtoken (blacklisted_at, token_id) \
         SELECT $3, id FROM gone WHERE true ON CONFLICT DO NOTHING",
    );
    Ok(scope.bind(diesel::sql_query(query).into_boxed()).bind::<Moment, _>(at).execute(conn)?)
}

/// The newest entries up to this key: when and, if known, why.
pub fn list_up_to(conn: &mut Conn, up_to: i64, limit: i64) -> Result<Vec<(TokenId, Instant, Option<String>)>, DbError> {
    Ok(blacklisted_tokens::table
        .left_join(latchkey_token::table.on(latchkey_token::token_id.eq(blacklisted_tokens::token_id)))
        .filter(blacklisted_tokens::id.le(TokenId(up_to)))
        .order(blacklisted_tokens::id.desc())
        .select((
            blacklisted_tokens::id,
            blacklisted_tokens::blacklisted_at,
            latchkey_token::blacklist_reason.nullable(),
        ))
        .limit(limit)
        .load(conn)?)
}

/// A blacklisted token.
#[derive(Debug, Clone, Queryable, QueryableByName)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Listed {
    /// Primary key of the blacklist entry.
    #[diesel(sql_type = Key)]
    pub id: TokenId,
    #[diesel(sql_type = Moment)]
    pub blacklisted_at: Instant,
    #[diesel(sql_type = Key)]
    pub token_id: TokenId,
    #[diesel(sql_type = Text)]
    pub jti: String,
    #[diesel(sql_type = Nullable<Moment>)]
    pub created_at: Option<Instant>,
    #[diesel(sql_type = Moment)]
    pub expires_at: Instant,
    #[diesel(sql_type = Nullable<UserKey>)]
    pub user_id: Option<UserId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub username: Option<String>,
    #[diesel(sql_type = Nullable<Moment>)]
    pub rotated_at: Option<Instant>,
    #[diesel(sql_type = Nullable<Text>)]
    pub blacklist_reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub blacklisted_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub session_id: Option<String>,
    /// The `User-Agent` with which the session was last used.
    #[diesel(sql_type = Nullable<Text>)]
    pub user_agent: Option<String>,
}

/// The columns of a `Listed`.
const COLUMNS: &str = "b.id, b.blacklisted_at, b.token_id, o.jti, o.created_at, o.expires_at, o.user_id, u.username, \
                       k.rotated_at, k.blacklist_reason, k.blacklisted_by, k.session_id, s.user_agent";

/// One blacklist entry.
pub fn find(conn: &mut Conn, users: &UserTable, id: TokenId) -> Result<Option<Listed>, DbError> {
    let text = format!(
        "SELECT {COLUMNS} FROM token_blacklist_blacklistedtoken b \
         JOIN token_blacklist_outstandingtoken o ON o.id = b.token_id LEFT JOIN latchkey_token k ON k.token_id = b.token_id \
         LEFT JOIN {} u ON u.id = o.user_id LEFT JOIN latchkey_session s ON s.id = k.session_id WHERE b.id = ?",
        users.source()
    );
    Ok(Sql::fixed(&text, &[id.into()]).get_result(conn).optional()?)
}

/// How many blacklisted tokens there are, exactly or approximately.
pub fn count(conn: &mut Conn) -> Result<Total, DbError> {
    page::total(conn, "token_blacklist_blacklistedtoken")
}
