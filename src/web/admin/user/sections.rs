//! What the page of a user shows below the profile: second factors, live sessions, newest tokens, history.

use super::super::access::Staff;
use super::super::error::PageError;
use super::super::status::{Badge, Status};
use super::super::words::{Jti, Reader, When, at_least};
use super::factors::SecondFactors;
use super::history::{self, Line};
use super::missing;
use crate::accounts::email_change;
use crate::app::{App, Tx};
use crate::db::latchkey_session::{self, Session};
use crate::db::outstanding_tokens::{self, Listed};
use crate::db::types::UserId;
use crate::db::users::{self, User};
use crate::db::{DbError, latchkey_audit_log};
use crate::factors;
use crate::guard::device;
use crate::tokens::own_sessions;

/// So many sessions are shown, and so many tokens and entries of the audit log.
const SESSIONS: i64 = 10;
const TOKENS: i64 = 5;
const ENTRIES: i64 = 10;

/// Everything but the profile.
pub struct Sections {
    /// What the user logs in with besides the password.
    pub second: SecondFactors,
    /// Live ones, newest first.
    pub sessions: Vec<SessionRow>,
    /// The newest ones.
    pub tokens: Vec<TokenRow>,
    /// The newest entries about the user.
    pub history: Vec<Line>,
    /// How many tokens there are, in words.
    pub live: String,
    /// Of them, how many are blacklisted.
    pub blacklisted: String,
    /// All that are recorded.
    pub all: String,
    /// When the user has shown the address to be theirs.
    pub confirmed: Option<When>,
}

/// A live session.
pub struct SessionRow {
    /// Its id.
    pub id: String,
    /// Its device in words, or what its user calls it.
    pub name: String,
    /// The address that it was used from last.
    pub ip: String,
    /// When it began.
    pub started: When,
    /// When it was used last.
    pub used: When,
}

impl SessionRow {
    /// As its reader sees it.
    pub fn new(session: Session, reader: Reader) -> Self {
        let used = When::new(session.last_used(), reader);
        let name = if session.label.is_empty() { device::words(&session.user_agent) } else { session.label };
        Self {
            id: session.id,
            name,
            ip: session.ip.unwrap_or_default(),
            started: When::new(session.created_at, reader),
            used,
        }
    }
}

/// One of the newest tokens.
pub struct TokenRow {
    /// Its number.
    pub id: i64,
    /// Its id.
    pub jti: Jti,
    /// What it is now.
    pub status: Badge,
    /// When it was made.
    pub created: Option<When>,
    /// When it expires.
    pub expires: When,
}

impl TokenRow {
    fn new(token: Listed, reader: Reader) -> Self {
        Self {
            id: token.id.0,
            jti: Jti(token.jti),
            status: Status::of(token.rotated_at, token.blacklisted_at, token.expires_at, reader.now).badge(),
            created: token.created_at.map(|at| When::new(at, reader)),
            expires: When::new(token.expires_at, reader),
        }
    }
}

/// A user with all of it. Ten statements, each answered by an index.
pub async fn read(staff: &Staff, app: &App, id: i64) -> Result<(User, Sections), PageError> {
    let (id, now, reader) = (UserId(id), app.now(), staff.reader());
    let job = move |tx: &mut Tx<'_>| {
        let Some(user) = users::find(tx.conn, id)? else { return Ok(None) };
        let counts = users::count_tokens(tx.conn, id, now, Some(users::TokenCounts::MAX_COUNTED))?;
        let sessions = latchkey_session::list_newest_live_of(tx.conn, id, now, SESSIONS)?;
        let tokens = outstanding_tokens::list_newest_of(tx.conn, id, TOKENS)?;
        let entries = latchkey_audit_log::list_newest_about(tx.conn, id, ENTRIES)?;
        let confirmed = email_change::confirmed_at(tx.conn, &user)?;
        let second = factors::overview::overview(tx, &user)?;
        Ok::<_, DbError>(Some((user, counts, second, sessions, tokens, entries, confirmed)))
    };
    let (user, counts, second, sessions, tokens, entries, confirmed) =
        app.read(job).await?.ok_or_else(|| missing(id.0))?;
    let sections = Sections {
        second: SecondFactors::new(app, &user, second, reader),
        confirmed: confirmed.map(|at| When::new(at, reader)),
        sessions: sessions
            .into_iter()
            .filter(|session| own_sessions::is_live(app, session))
            .map(|session| SessionRow::new(session, reader))
            .collect(),
        tokens: tokens.into_iter().map(|token| TokenRow::new(token, reader)).collect(),
        history: entries.into_iter().map(|entry| history::line(entry, reader)).collect(),
        live: at_least(counts.live, counts.is_cut()),
        blacklisted: at_least(counts.blacklisted, counts.is_cut()),
        all: at_least(counts.all, counts.is_cut()),
    };
    Ok((user, sections))
}
