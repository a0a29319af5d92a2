//! The search fields. A pasted token is reduced to its jti, so that no live token ends up in an address, a browser history
//! or a log. Every search is answered with a redirect: to a list's `?q=…`, or from the top bar to the page of what it found.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;

use super::access::Staff;
use super::address::{self, BLACKLISTED, EXPLAIN, OUTSTANDING, SESSIONS, USERS};
use super::changelist;
use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Message, Tone, see};
use crate::app::{App, Tx};
use crate::crypto::jwt;
use crate::db::types::UserId;
use crate::db::{Conn, DbError, latchkey_session, outstanding_tokens, users};
use crate::sessions;
use crate::tokens::explain::pasted::find_token;

/// Longer searches are cut.
const MAX_LENGTH: usize = 255;

/// The field of every search form.
#[derive(Deserialize)]
pub struct Fields {
    /// As typed.
    #[serde(default)]
    pub q: String,
}

/// A search, as far as its text tells.
#[derive(Debug, PartialEq, Eq)]
pub enum SearchTerm {
    /// Nothing.
    Nothing,
    /// A name, an address, a number or a jti.
    Text(String),
    /// The jti of a whole token.
    Jti(String),
    /// A token without a readable jti.
    Unreadable,
}

impl SearchTerm {
    /// Reads typed or pasted text.
    pub fn read(typed: &str, jti_claim: Option<&str>) -> Self {
        if let Some(token) = find_token(typed) {
            let jti = jwt::peek(&token).and_then(|(_, claims)| claims.get(jti_claim?)?.as_str().map(clean));
            return jti.filter(|jti| !jti.is_empty()).map_or(Self::Unreadable, Self::Jti);
        }
        let text = clean(typed);
        if text.is_empty() { Self::Nothing } else { Self::Text(text) }
    }
}

/// Whether the search in an address is a whole token, which must not stay there.
pub fn is_pasted_token(q: &str) -> bool {
    matches!(SearchTerm::read(q, None), SearchTerm::Jti(_) | SearchTerm::Unreadable)
}

/// The users or the token that a search means.
#[derive(Debug, Default)]
pub struct Whose {
    /// Tokens of these users.
    pub owners: Option<Vec<UserId>>,
    /// The token with this jti.
    pub jti: Option<String>,
    /// How many users these are, if there are more.
    pub cut_at: Option<usize>,
}

impl Whose {
    /// How many users the beginning of a name can mean.
    const MAX_USERS: usize = 50;

    /// The token with this jti, or else users. At most two statements.
    pub fn find(tx: &mut Tx<'_>, q: Option<&str>) -> Result<Self, DbError> {
        let Some(q) = q else { return Ok(Self::default()) };
        if outstanding_tokens::find_by_jti(tx.conn, q)?.is_some() {
            return Ok(Self { jti: Some(q.to_owned()), ..Self::default() });
        }
        let found = users::list::find_starting_with(tx.conn, &tx.app.users, (q, false), Self::MAX_USERS)?;
        Ok(Self { owners: Some(found.ids), jti: None, cut_at: found.cut_at })
    }
}

/// Trimmed, short, and without the control characters that PostgreSQL refuses.
pub fn clean(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_LENGTH).collect();
    text.trim().to_owned()
}

/// Answers a search in `list`; `kept` is the rest of the list's query.
pub fn answer(
    staff: &Staff,
    list: &'static str,
    kept: &[(String, String)],
    typed: &str,
) -> Result<HttpResponse, PageError> {
    let to = |list, q: &str| {
        let pairs: Vec<_> = kept.iter().cloned().chain([("q".to_owned(), q.to_owned())]).collect();
        see(&changelist::address(list, &pairs))
    };
    match SearchTerm::read(typed, staff.visit.app.config.jwt.jti_claim.as_deref()) {
        SearchTerm::Nothing => Ok(see(&changelist::address(list, kept))),
        SearchTerm::Text(q) => Ok(to(list, &q)),
        SearchTerm::Jti(jti) if [OUTSTANDING, BLACKLISTED].contains(&list) => Ok(to(list, &jti)),
        SearchTerm::Jti(jti) => Ok(see(&address::search(OUTSTANDING, &jti))),
        SearchTerm::Unreadable => {
            let text = "This looks like a token, but it has no readable jti.".to_owned();
            staff.say(Message { tone: Tone::Bad, text, link: None })?;
            Ok(see(list))
        }
    }
}

/// `POST` to a list: the search above it. It keeps the order and the filters.
pub fn in_list(
    staff: &Staff,
    list: &'static str,
    CsrfForm(fields): CsrfForm<Vec<(String, String)>>,
) -> Result<HttpResponse, PageError> {
    let typed = fields.iter().find(|(name, _)| name == "q").map(|(_, value)| value.clone()).unwrap_or_default();
    let is_kept = |(name, value): &(String, String)| name != "q" && name != "csrf_token" && value.len() <= MAX_LENGTH;
    let kept: Vec<_> = fields.into_iter().filter(is_kept).take(20).collect();
    answer(staff, list, &kept, &typed)
}

/// What the search in the top bar found.
enum Hit {
    User(UserId),
    Session(String),
    Token(i64),
}

impl Hit {
    fn address(&self) -> String {
        match self {
            Self::User(id) => format!("{USERS}{id}/change/"),
            Self::Session(id) => format!("{SESSIONS}{id}/"),
            Self::Token(id) => format!("{OUTSTANDING}{id}/change/"),
        }
    }
}

/// `POST search/`: the search in the top bar. An exact match leads to its page, anything else to a list.
pub async fn everything(
    staff: Staff,
    app: Data<App>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    match SearchTerm::read(&fields.q, app.config.jwt.jti_claim.as_deref()) {
        SearchTerm::Nothing => Ok(see(address::HOME)),
        SearchTerm::Unreadable => explain(&staff, "This looks like a token, but it has no readable jti."),
        SearchTerm::Jti(jti) => match app.read(move |tx| token(tx.conn, &jti)).await? {
            Some(hit) => Ok(see(&hit.address())),
            None => explain(&staff, "No token with this jti is recorded. Access tokens never are."),
        },
        SearchTerm::Text(q) => {
            let sought = q.clone();
            let hit = app.read(move |tx| find(tx, &sought)).await?;
            let is_jti = q.len() == 32 && q.bytes().all(|byte| byte.is_ascii_hexdigit());
            let list = if is_jti { OUTSTANDING } else { USERS };
            Ok(see(&hit.map_or_else(|| address::search(list, &q), |hit| hit.address())))
        }
    }
}

/// The user, session or token of exactly this name. At most three statements, each answered by an index.
fn find(tx: &mut Tx<'_>, q: &str) -> Result<Option<Hit>, DbError> {
    if let [user] = tx.app.users.list_named(tx.conn, q)?[..] {
        return Ok(Some(Hit::User(user)));
    }
    if sessions::is_id(q) && latchkey_session::find(tx.conn, q)?.is_some() {
        return Ok(Some(Hit::Session(q.to_owned())));
    }
    token(tx.conn, q)
}

fn token(conn: &mut Conn, jti: &str) -> Result<Option<Hit>, DbError> {
    Ok(outstanding_tokens::find_by_jti(conn, jti)?.map(|token| Hit::Token(token.id.0)))
}

/// Leads to the page that explains a token, without the token: it must not appear in an address.
fn explain(staff: &Staff, text: &str) -> Result<HttpResponse, PageError> {
    let text = format!("{text} Paste it below to see why.");
    staff.say(Message { tone: Tone::Bad, text, link: None })?;
    Ok(see(EXPLAIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;

    fn token(claims: &str) -> String {
        format!("{}.{}.c2ln", BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#), BASE64.encode(claims))
    }

    fn read(typed: &str) -> SearchTerm {
        SearchTerm::read(typed, Some("jti"))
    }

    #[test]
    fn a_pasted_token_becomes_its_jti() {
        let token = token(r#"{"jti":"6a46e0a1"}"#);
        for pasted in [
            token.clone(),
            format!("  {token}\n"),
            format!("Bearer {token}"),
            format!("Authorization: Bearer {token}"),
            format!(r#"{{"refresh":"{token}","access":"x"}}"#),
            format!("\"{token}\""),
            token.rsplit_once('.').unwrap().0.to_owned(),
        ] {
            assert_eq!(read(&pasted), SearchTerm::Jti("6a46e0a1".to_owned()), "{pasted}");
        }
    }

    #[test]
    fn a_token_without_a_jti_never_becomes_a_search() {
        assert_eq!(read(&token(r#"{"user_id":"1"}"#)), SearchTerm::Unreadable);
        assert_eq!(read(&token(r#"{"jti":7}"#)), SearchTerm::Unreadable);
        assert_eq!(read("eyJhbGciOiJIUzI1NiJ9.broken.c2ln"), SearchTerm::Unreadable);
    }

    #[test]
    fn anything_else_is_searched_as_it_is() {
        for text in ["alice", "alice@example.com", "7", "jean.paul.sartre", "eyjafjallajokull", "{not json", "O'Neil"] {
            assert_eq!(read(text), SearchTerm::Text(text.to_owned()));
        }
        assert_eq!(read(" \0\n "), SearchTerm::Nothing);
        assert_eq!(read("a\0b"), SearchTerm::Text("ab".to_owned()));
    }
}
