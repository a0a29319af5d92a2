//! `token_blacklist_blacklistedtoken`: outstanding tokens that must no longer be accepted.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Bool, Text};

use super::conn::MultiBackend;

use super::fixed::Fixed;
use super::page::{self, Cursor, Page, Paging, Total};
use super::schema::{blacklisted_tokens, latchkey_token, outstanding_tokens, users};
use super::types::{Instant, Key, Moment, RowId, TokenId, UserId};
use super::{Conn, DbError};

/// Blacklists a token.
///
/// # Errors
/// `Unique` when it is blacklisted already: the index decides a race.
pub fn insert(conn: &mut Conn, token: TokenId, at: Instant) -> Result<(), DbError> {
    let text = "INSERT INTO token_blacklist_blacklistedtoken (token_id, blacklisted_at) VALUES (?, ?)";
    Fixed::new(text, &[token.into(), at.into()]).run(conn).map(drop)
}

/// Which tokens a blacklisting means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All of a user.
    User(UserId),
    /// All of a user but those of this session.
    Others(UserId, &'a str),
    /// Those of this session of this user.
    Session(UserId, &'a str),
}

impl<'a> Scope<'a> {
    /// A statement around the search for the tokens `o` of the scope that are not blacklisted yet.
    pub(super) fn select(self, before: &str, after: &str) -> String {
        // Each condition names both parameters, so that they are bound alike.
        let condition = match self {
            Self::User(_) => "o.user_id = $1 AND $2 = ''",
            Self::Others(..) => "o.user_id = $1 AND (k.session_id IS NULL OR k.session_id <> $2)",
            // The plus keeps SQLite from walking through all tokens of the user.
            Self::Session(..) => "+o.user_id = $1 AND k.session_id = $2",
        };
        format!(
            "{before} FROM token_blacklist_outstandingtoken o \
             LEFT JOIN token_blacklist_blacklistedtoken b ON b.token_id = o.id \
             LEFT JOIN latchkey_token k ON k.token_id = o.id WHERE b.id IS NULL AND {condition}{after}"
        )
    }

    /// Gives such a statement its first two parameters.
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

/// Blacklists all tokens of a scope that are not yet; answers how many.
pub fn insert_all_of(conn: &mut Conn, scope: Scope<'_>, at: Instant) -> Result<usize, DbError> {
    // A Django beside us takes no lock and may be blacklisting the same token now: hence DO NOTHING.
    let query = scope.select(
        "WITH gone AS (SELECT o.id",
        ") INSERT INTO token_blacklist_blacklistedtoken (blacklisted_at, token_id) \
         SELECT $3, id FROM gone WHERE true ON CONFLICT DO NOTHING",
    );
    Ok(scope.bind(diesel::sql_query(query).into_boxed()).bind::<Moment, _>(at).execute(conn)?)
}

/// The newest entries up to this key: when and, where it is known, why.
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

/// Columns that the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By primary key, which is the order of blacklisting.
    Blacklisted,
    /// By the token's `expires_at`.
    Expires,
}

/// A row of the list, and of the page of one.
#[derive(Debug, Clone, Queryable)]
#[allow(missing_docs, reason = "Django's columns")]
pub struct Listed {
    /// Primary key of the blacklist entry.
    pub id: TokenId,
    pub blacklisted_at: Instant,
    pub token_id: TokenId,
    pub jti: String,
    pub created_at: Option<Instant>,
    pub expires_at: Instant,
    pub user_id: Option<UserId>,
    pub username: Option<String>,
    pub rotated_at: Option<Instant>,
    pub blacklist_reason: Option<String>,
    pub blacklisted_by: Option<String>,
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
    )
}

#[diesel::dsl::auto_type(no_type_alias)]
fn joined() -> _ {
    let with_token: diesel::dsl::InnerJoin<blacklisted_tokens::table, outstanding_tokens::table> =
        blacklisted_tokens::table.inner_join(outstanding_tokens::table);
    with_token
        .left_join(users::table.on(users::id.nullable().eq(outstanding_tokens::user_id)))
        .left_join(latchkey_token::table.on(latchkey_token::token_id.eq(blacklisted_tokens::token_id)))
}

/// A page of blacklisted tokens; `q` as for outstanding tokens. At most 2 statements.
pub fn search(conn: &mut Conn, q: Option<&str>, paging: &Paging<Sort>) -> Result<Page<Listed>, DbError> {
    let mut query = joined().select(columns()).into_boxed();
    if let Some(q) = q {
        let owners = super::users::list_ids_starting_with(conn, q)?.into_iter().map(Some);
        query = query.filter(outstanding_tokens::jti.eq(q).or(outstanding_tokens::user_id.eq_any(owners)));
    }
    let descending = paging.descending != paging.is_backwards();
    if let Some(from) = paging.cursor() {
        let sign = if descending { "<" } else { ">" };
        let (entry, token) = ("token_blacklist_blacklistedtoken", "token_blacklist_outstandingtoken");
        query = match (paging.sort, from.instant()) {
            (Sort::Expires, Some(at)) => query.filter(
                sql::<Bool>(&format!("({token}.expires_at, {token}.id) {sign} ("))
                    .bind::<Moment, _>(at)
                    .sql(", ")
                    .bind::<Key, _>(RowId(from.id))
                    .sql(")"),
            ),
            _ => query.filter(sql::<Bool>(&format!("{entry}.id {sign} ")).bind::<Key, _>(RowId(from.id))),
        };
    }
    query = match (paging.sort, descending) {
        (Sort::Blacklisted, true) => query.order(blacklisted_tokens::id.desc()),
        (Sort::Blacklisted, false) => query.order(blacklisted_tokens::id.asc()),
        (Sort::Expires, true) => query.order((outstanding_tokens::expires_at.desc(), outstanding_tokens::id.desc())),
        (Sort::Expires, false) => query.order((outstanding_tokens::expires_at.asc(), outstanding_tokens::id.asc())),
    };
    let rows = query.limit(paging.limit()).load(conn)?;
    let total = page::total(conn, "token_blacklist_blacklistedtoken", q.is_none())?;
    Ok(Page::new(rows, paging, total, |row: &Listed| match paging.sort {
        Sort::Blacklisted => Cursor { value: String::new(), id: row.id.0 },
        Sort::Expires => Cursor::at(row.expires_at, row.token_id.0),
    }))
}

/// One blacklist entry.
pub fn find(conn: &mut Conn, id: TokenId) -> Result<Option<Listed>, DbError> {
    Ok(joined().filter(blacklisted_tokens::id.eq(id)).select(columns()).first(conn).optional()?)
}

/// How many blacklisted tokens there are, exactly or about.
pub fn count(conn: &mut Conn) -> Result<Total, DbError> {
    page::total(conn, "token_blacklist_blacklistedtoken", true)
}
