//! `token_blacklist_blacklistedtoken`: outstanding tokens that must no longer be accepted. The panel's list of them is in
//! `list`.

pub mod list;

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Nullable, Text};

use super::conn::MultiBackend;

use super::page::{self, Total};
use super::schema::{blacklisted_tokens, latchkey_session, latchkey_token, outstanding_tokens, users};
use super::sql::Sql;
use super::types::{Instant, Key, Moment, TokenId, UserId};
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
            Self::Session(..) => "+o.user_id = $1 AND k.session_id = $2",
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
        query.bind::<Key, _>(user).bind::<Text, _>(session)
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
    #[diesel(sql_type = Nullable<Key>)]
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

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        blacklisted_tokens::id,
        blacklisted_tokens::blacklisted_at,
        blacklisted_tokens::token_id,
        outstanding_tokens::jti,
        outstanding_tokens::created_at,
        outstanding_tokens::expires_at,
        outstanding_tokens::user_id,
        users::username.nullable(),
        latchkey_token::rotated_at.nullable(),
        latchkey_token::blacklist_reason.nullable(),
        latchkey_token::blacklisted_by.nullable(),
        latchkey_token::session_id.nullable(),
        latchkey_session::user_agent.nullable(),
    )
}

#[diesel::dsl::auto_type(no_type_alias)]
fn joined() -> _ {
    let with_token: diesel::dsl::InnerJoin<blacklisted_tokens::table, outstanding_tokens::table> =
        blacklisted_tokens::table.inner_join(outstanding_tokens::table);
    with_token
        .left_join(users::table.on(users::id.nullable().eq(outstanding_tokens::user_id)))
        .left_join(latchkey_token::table.on(latchkey_token::token_id.eq(blacklisted_tokens::token_id)))
        .left_join(latchkey_session::table.on(latchkey_session::id.nullable().eq(latchkey_token::session_id)))
}

/// One blacklist entry.
pub fn find(conn: &mut Conn, id: TokenId) -> Result<Option<Listed>, DbError> {
    Ok(joined().filter(blacklisted_tokens::id.eq(id)).select(columns()).first(conn).optional()?)
}

/// How many blacklisted tokens there are, exactly or approximately.
pub fn count(conn: &mut Conn) -> Result<Total, DbError> {
    page::total(conn, "token_blacklist_blacklistedtoken")
}
