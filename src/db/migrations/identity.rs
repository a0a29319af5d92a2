//! Whether the stored tokens name their users as `JWT_USER_ID_FIELD` says: a claim that no column has (an encoded id)
//! would make every token of Django's worthless.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use serde_json::{Map, Value};

use super::error::{MigrateError, refuse};
use crate::config::Config;
use crate::db::sql::Sql;
use crate::db::types::UserId;
use crate::db::user_id::UserKey;
use crate::db::user_table::{Column, UserTable, catalogue, quoted};
use crate::db::{Conn, DbError};

/// A stored token of a user.
#[derive(Debug, QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    token: String,
    #[diesel(sql_type = Nullable<UserKey>)]
    user_id: Option<UserId>,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

/// The newest tokens that Django recorded: it stores them whole, Latchkey without their signature.
fn newest(conn: &mut Conn) -> Result<Vec<Stored>, DbError> {
    let text = "SELECT token, user_id FROM token_blacklist_outstandingtoken WHERE user_id IS NOT NULL \
                ORDER BY id DESC LIMIT 5";
    let stored: Vec<Stored> = sql_query(text).load(conn)?;
    Ok(stored
        .into_iter()
        .filter(|stored| stored.token.split('.').nth(2).is_some_and(|part| !part.is_empty()))
        .collect())
}

/// A claim of a token. The signature is not looked at.
fn claim(token: &str, name: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let mut claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    claims.remove(name)
}

/// The claim of a token that names its user, as text.
fn named_user(token: &str, name: &str) -> Option<String> {
    match claim(token, name)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether the newest stored token, whoever wrote it, has the user's key as a number.
pub fn is_number(conn: &mut Conn, config: &Config) -> Result<bool, DbError> {
    let text = "SELECT token, user_id FROM token_blacklist_outstandingtoken WHERE user_id IS NOT NULL \
                ORDER BY id DESC LIMIT 1";
    let stored: Vec<Stored> = sql_query(text).load(conn)?;
    let claim = stored.first().and_then(|stored| claim(&stored.token, &config.jwt.user_id_claim));
    Ok(claim.is_some_and(|claim| claim.is_number()))
}

/// Refuses a database whose newest tokens name their users by a text that is neither the key nor in any column.
pub fn check(conn: &mut Conn, users: &UserTable, config: &Config) -> Result<(), MigrateError> {
    let name = &config.jwt.user_id_claim;
    let mut unknown = None;
    for Stored { token, user_id } in newest(conn)? {
        let Some((id, text)) = user_id.zip(named_user(&token, name)) else { continue };
        if users.parse_key(&text) == Some(id) || is_in_a_column(conn, users, (id, &text))? {
            return Ok(());
        }
        unknown.get_or_insert(text);
    }
    let Some(text) = unknown else { return Ok(()) };
    Err(refuse(&format!(
        "the stored tokens name their users in the claim {name} by a value that no column of {} has (the newest: {text:?}), \
         so Latchkey could not tell whose they are",
        users.name.name
    )))
}

/// Whether some column of a user has this text.
fn is_in_a_column(conn: &mut Conn, users: &UserTable, (id, text): (UserId, &str)) -> Result<bool, DbError> {
    let columns = catalogue::columns(conn, &users.name)?;
    let is_equal = |column: &Column| format!("CAST({} AS text) = ?", quoted(&column.name));
    let any: Vec<_> = columns.iter().map(is_equal).collect();
    let query = format!(
        "SELECT EXISTS (SELECT 1 FROM {} WHERE {} = ? AND ({})) AS answer",
        users.name.quoted(),
        quoted(&users.key.name),
        any.join(" OR ")
    );
    let values: Vec<_> = std::iter::once(id.into()).chain(columns.iter().map(|_| text.into())).collect();
    Ok(Sql::varying(&query, &values).get_result::<Answer>(conn)?.answer)
}
