//! The sections below the profile of a user: second factors, live sessions, newest tokens and history.

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

/// How many sessions, tokens and entries of the audit log are shown.
const MAX_SESSIONS: i64 = 10;
const MAX_TOKENS: i64 = 5;
const MAX_ENTRIES: i64 = 10;

/// All sections.
pub struct Sections {
    /// Second factors and remembered browsers.
    pub second: SecondFactors,
    /// The live sessions, newest first.
    pub sessions: Vec<SessionRow>,
    /// The newest tokens.
    pub tokens: Vec<TokenRow>,
    /// The newest entries of the audit log.
    pub history: Vec<Line>,
    /// How many tokens are live, in words.
    pub live: String,
    /// How many are blacklisted, in words.
    pub blacklisted: String,
    /// How many are recorded, in words.
    pub all: String,
    /// When the user confirmed the email address.
    pub confirmed: Option<When>,
}

/// A live session.
pub struct SessionRow {
    /// Its id.
    pub id: String,
    /// The label that its user chose, or its device.
    pub name: String,
    /// The address of its last use.
    pub ip: String,
    /// When it began.
    pub started: When,
    /// When it was last used.
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
    /// Its status.
    pub status: Badge,
    /// When it was issued.
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

/// Reads a user with all sections. Ten statements, each answered by an index.
pub async fn read(staff: &Staff, app: &App, id: UserId) -> Result<(User, Sections), PageError> {
    let (id, now, reader) = (id, app.now(), staff.reader());
    let job = move |tx: &mut Tx<'_>| {
        let Some(user) = tx.app.users.find(tx.conn, id)? else { return Ok(None) };
        let counts = users::count_tokens(tx.conn, id, now, Some(users::TokenCounts::MAX_COUNTED))?;
        let sessions = latchkey_session::list_newest_live_of(tx.conn, id, now, MAX_SESSIONS)?;
        let tokens = outstanding_tokens::list_newest_of(tx.conn, &tx.app.users, id, MAX_TOKENS)?;
        let entries = latchkey_audit_log::list_newest_about(tx.conn, id, MAX_ENTRIES)?;
        let confirmed = email_change::confirmed_at(tx.conn, &user)?;
        let second = factors::overview::overview(tx, &user)?;
        Ok::<_, DbError>(Some((user, counts, second, sessions, tokens, entries, confirmed)))
    };
    let (user, counts, second, sessions, tokens, entries, confirmed) =
        app.read(job).await?.ok_or_else(|| missing(id))?;
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
