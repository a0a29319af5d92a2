//! What superusers can do to recorded tokens and sessions: blacklist or end chosen ones, and undo a blacklisting by a
//! superuser if that is safe. All tokens of a user together are in `revoke`.

use std::collections::BTreeMap;

use serde_json::json;

use crate::app::{App, Tx};
use crate::db::latchkey_session::{self, Session};
use crate::db::outstanding_tokens::{self, Recorded};
use crate::db::types::{Instant, TokenId, UserId};
use crate::db::users::User;
use crate::db::users::{Intent, UserRef};
use crate::db::{Conn, DbError, blacklisted_tokens, latchkey_token};
use crate::journal::Actor;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::reason::Reason;
use crate::sessions;
use crate::sessions::blacklist::{self, Why};

/// The result of blacklisting tokens. Tokens that no longer exist are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many were blacklisted.
    pub blacklisted: usize,
    /// How many were already blacklisted.
    pub already: usize,
}

/// Blacklists these tokens, all or none. Ends sessions that have no token left. One audit entry for each owner.
pub async fn blacklist(app: &App, actor: &Actor, ids: Vec<TokenId>) -> Result<Outcome, DbError> {
    let actor = actor.clone();
    app.write(move |tx| {
        let mut by_owner: BTreeMap<Option<UserId>, Vec<(TokenId, String)>> = BTreeMap::new();
        for (id, owner, jti) in outstanding_tokens::list_of(tx.conn, &ids)? {
            by_owner.entry(owner).or_default().push((id, jti));
        }
        let mut outcome = Outcome::default();
        // In the order of the owners' ids, so that concurrent calls do not deadlock.
        for (owner, tokens) in by_owner {
            let done = blacklist_of(tx, &actor, owner, &tokens)?;
            outcome.blacklisted += done;
            outcome.already += tokens.len() - done;
        }
        Ok(outcome)
    })
    .await
}

fn blacklist_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    owner: Option<UserId>,
    tokens: &[(TokenId, String)],
) -> Result<usize, DbError> {
    if let Some(owner) = owner {
        tx.app.users.lock(tx.conn, &UserRef::Id(owner), Intent::Revoke)?;
    }
    let mut done = Vec::new();
    for (id, jti) in tokens {
        let recorded = outstanding_tokens::find_by_jti(tx.conn, jti)?;
        let Some(Recorded { blacklisted_at: None, session, .. }) = recorded else { continue };
        blacklist::blacklist_row(tx, *id, Why::new(Reason::Admin, &actor.name))?;
        if let Some(session) = session {
            sessions::end_if_spent(tx, &session, (Reason::Admin, &actor.name))?;
        }
        done.push(jti);
    }
    match *done {
        [] => {}
        [jti] => AuditEntry::new(Action::TokenBlacklist, actor).about(owner, jti).write(tx)?,
        _ => {
            let object = format!("{} tokens", done.len());
            AuditEntry::new(Action::TokenBlacklist, actor)
                .about(owner, &object)
                .detail(json!({ "jti": done }))
                .write(tx)?;
        }
    }
    Ok(done.len())
}

/// Ends these sessions and blacklists their tokens; returns how many had not ended before.
pub async fn end_sessions(app: &App, actor: &Actor, ids: Vec<String>) -> Result<usize, DbError> {
    let (now, actor) = (app.now(), actor.clone());
    app.write(move |tx| {
        let mut found = Vec::new();
        for id in ids.iter().filter(|id| sessions::is_id(id)) {
            found.extend(latchkey_session::find(tx.conn, id)?.filter(|session| session.expires_at > now));
        }
        // Every caller locks several users in this order.
        found.sort_by(|one, other| (one.user_id, &one.id).cmp(&(other.user_id, &other.id)));
        found.dedup();
        for user in found.chunk_by(|one, other| one.user_id == other.user_id) {
            tx.app.users.lock(tx.conn, &UserRef::Id(user[0].user_id), Intent::Revoke)?;
        }
        let mut count = 0;
        for session in found {
            if sessions::end(tx, &session, (Reason::Admin, &actor.name))? {
                AuditEntry::new(Action::SessionEnd, &actor).about(Some(session.user_id), &session.id).write(tx)?;
                count += 1;
            }
        }
        Ok(count)
    })
    .await
}

/// Why a blacklisting cannot be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Final {
    /// The holder has its successor. If it were valid again, its next use would raise the reuse alarm at best.
    #[error("It was rotated: its holder has the next token, and anyone who presents this one may have copied it.")]
    Rotated,
    /// Its holder wanted it refused, or the reason is unknown.
    #[error("Only a blacklisting by a superuser in the panel can be undone.")]
    NotByAdmin,
    /// It would still be refused.
    #[error("It has expired: it would still be refused.")]
    Expired,
    /// It would still be refused.
    #[error("Its user was deleted or is inactive: it would still be refused.")]
    NoUser,
    /// The session has since ended for another reason.
    #[error("Its session was ended for another reason.")]
    SessionEnded,
}

/// Whether the blacklisting of a token can be undone.
pub fn is_reversible(found: &outstanding_tokens::Detail, session: Option<&Session>, now: Instant) -> Result<(), Final> {
    let row = &found.row;
    if row.rotated_at.is_some() {
        return Err(Final::Rotated);
    }
    if row.blacklist_reason.as_deref() != Some(Reason::Admin.name()) {
        return Err(Final::NotByAdmin);
    }
    if row.expires_at <= now {
        return Err(Final::Expired);
    }
    if !found.user.as_ref().is_some_and(User::may_log_in) {
        return Err(Final::NoUser);
    }
    let goes_on = |session: &Session| match session.ended_at {
        None => true,
        // It ended because this was its last token, or together with it.
        at => at == row.blacklisted_at && session.end_reason.as_deref() == Some(Reason::Admin.name()),
    };
    if session.is_none_or(goes_on) { Ok(()) } else { Err(Final::SessionEnded) }
}

/// The result of undoing a blacklisting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unblacklisted {
    /// The token is valid again.
    Done,
    /// It was not blacklisted.
    WasNot,
    /// There is no such token.
    NotFound,
    /// It cannot be undone.
    Final(Final),
}

/// Undoes the blacklisting of a token, and the end of its session if that was the cause.
pub async fn unblacklist(app: &App, actor: &Actor, id: TokenId) -> Result<Unblacklisted, DbError> {
    let (now, actor) = (app.now(), actor.clone());
    app.write(move |tx| {
        let Some(before) = outstanding_tokens::find_detail(tx.conn, &tx.app.users, id)? else {
            return Ok(Unblacklisted::NotFound);
        };
        if let Some(owner) = before.row.user_id {
            tx.app.users.lock(tx.conn, &UserRef::Id(owner), Intent::Revoke)?;
        }
        let Some(found) = outstanding_tokens::find_detail(tx.conn, &tx.app.users, id)? else {
            return Ok(Unblacklisted::NotFound);
        };
        if found.row.blacklisted_at.is_none() {
            return Ok(Unblacklisted::WasNot);
        }
        let session = find_session(tx.conn, &found)?;
        if let Err(reason) = is_reversible(&found, session.as_ref(), now) {
            return Ok(Unblacklisted::Final(reason));
        }
        blacklisted_tokens::delete(tx.conn, id)?;
        latchkey_token::update_unblacklisted(tx.conn, id)?;
        if let Some(Session { id, ended_at: Some(_), .. }) = session {
            latchkey_session::update_reopened(tx.conn, &id)?;
        }
        AuditEntry::new(Action::TokenUnblacklist, &actor).about(found.row.user_id, &found.row.jti).write(tx)?;
        Ok(Unblacklisted::Done)
    })
    .await
}

/// Returns the session of a token.
pub fn find_session(conn: &mut Conn, found: &outstanding_tokens::Detail) -> Result<Option<Session>, DbError> {
    match &found.row.session_id {
        Some(session) => latchkey_session::find(conn, session),
        None => Ok(None),
    }
}
