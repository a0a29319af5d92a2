//! Refresh tokens that are presented again after their rotation: by a client that lost the answer (RFC 9700, 4.14.2;
//! FAPI 2.0, 5.3.2.1), by a second tab, or by a thief. Called by `refresh` and `renew`.

use std::time::Duration;

use serde_json::json;

use super::claims::{self, Kind};
use super::error::TokenError;
use super::presented::{Outcome, Presented, RefreshError, access, check};
use super::record;
use crate::app::{App, Tx};
use crate::crypto::jwt::{self, Claims};
use crate::crypto::keyed;
use crate::db::DbError;
use crate::db::latchkey_session::Session;
use crate::db::outstanding_tokens::{self, Recorded, Successor};
use crate::db::users::{Intent, User, UserRef};
use crate::journal::Actor;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::events::{self, Event};
use crate::journal::reason::Reason;
use crate::sessions;

/// How long a refresh may be repeated with its `Idempotency-Key`.
const RETRY_WINDOW: Duration = Duration::from_mins(1);

/// The stored form of an `Idempotency-Key`: not readable, and bound to this token.
pub(super) fn retry_key(app: &App, presented: &Claims, key: Option<&str>) -> Option<String> {
    let jti = claims::jti(app, presented).ok()??;
    Some(keyed::mac(&app.config.secret_key, "latchkey.idempotency_key", &[jti, key?]).hex())
}

/// Answers a blacklisted token: with the same tokens again, a refusal, or the alarm.
pub(super) fn answer(
    tx: &mut Tx<'_>,
    presented: &Presented,
    rotated: &Recorded,
    user: Option<User>,
) -> Result<Outcome, RefreshError> {
    // Only our own rotations can be repeated or raise an alarm; Django records none, and other blacklistings are final.
    let refused = || Err(record::refusal(rotated).into());
    let (Some(rotated_at), Some(session)) = (rotated.rotated_at, &rotated.session) else { return refused() };
    if session.ended_at.is_some() {
        return refused();
    }
    let (now, settings) = (tx.now, &tx.app.config.sessions);
    let is_retry = match &presented.retry_key {
        Some(_) => presented.retry_key == rotated.retry_key && now < rotated_at + RETRY_WINDOW,
        None => rotated.retry_key.is_none() && now < rotated_at + settings.refresh_grace,
    };
    if is_retry {
        let user = check(tx.app, &presented.claims, (user, Some(rotated)), Kind::Refresh)?;
        if let Some(reason) = sessions::fault(tx.app, session, &presented.claims) {
            return Ok(Outcome::End(Box::new(session.clone()), reason));
        }
        return again(tx, rotated, &user);
    }
    if rotated_at + settings.reuse_alarm_after <= now {
        return Ok(Outcome::End(Box::new(session.clone()), Reason::Reuse));
    }
    refused()
}

/// Returns the successor again, if it is unused: the same payload, signed again, and a fresh access token.
fn again(tx: &mut Tx<'_>, rotated: &Recorded, user: &User) -> Result<Outcome, RefreshError> {
    let successor = outstanding_tokens::find_successor(tx.conn, rotated.id)?;
    let refused = || record::refusal(rotated);
    let unused = successor.filter(|successor| successor.blacklisted_at.is_none()).ok_or_else(refused)?;
    let claims = ours(tx.app, &unused).ok_or_else(refused)?;
    Ok(Outcome::Tokens(access(tx.app, &claims, user), unused.token))
}

/// The stored claims, if they were made with the current key and are still those of a valid refresh token.
fn ours(app: &App, successor: &Successor) -> Option<Claims> {
    let (header, claims) = jwt::peek(&successor.token)?;
    let same_key = successor.kid.as_deref() == Some(app.keys.kid());
    let same_algorithm =
        header.get("alg") == Some(&json!(app.keys.algorithm())) && successor.token.matches('.').count() == 1;
    let is_good = claims::check(app, &claims, Some(Kind::Refresh)).is_ok();
    (same_key && same_algorithm && is_good).then_some(claims)
}

/// Ends a session, in a separate transaction, because the rotation holds a shared lock. Returns the error of the
/// refresh.
pub(super) async fn end(app: &App, session: Session, reason: Reason, presented: Presented) -> TokenError {
    let ended = app.write(move |tx| end_under_lock(tx, &session, reason, &presented));
    match ended.await {
        Ok(()) => refusal(reason),
        Err(error) => error.into(),
    }
}

/// The error that a client gets when its session ends for this reason.
pub(super) fn refusal(reason: Reason) -> TokenError {
    if reason == Reason::Reuse { TokenError::Blacklisted } else { TokenError::SessionEnded }
}

fn end_under_lock(tx: &mut Tx<'_>, session: &Session, reason: Reason, presented: &Presented) -> Result<(), DbError> {
    let owner = tx.app.users.lock(tx.conn, &UserRef::Id(session.user_id), Intent::Revoke)?;
    // Of two concurrent requests, one raises the alarm.
    let is_first = sessions::end(tx, session, (reason, "Latchkey"))?;
    if reason != Reason::Reuse || !is_first {
        return Ok(());
    }
    events::count(tx, &[Event::ReuseAlarm])?;
    let jti = claims::jti(tx.app, &presented.claims).ok().flatten().unwrap_or_default();
    let used = outstanding_tokens::find_by_jti(tx.conn, jti)?;
    let successor = match &used {
        Some(used) => outstanding_tokens::find_successor(tx.conn, used.id)?,
        None => None,
    };
    let rotated_at = used.and_then(|used| used.rotated_at).map(crate::db::types::Instant::iso);
    let detail = json!({
        "session": session.id,
        "rotated_at": rotated_at,
        "rotated_by": successor.and_then(|successor| successor.ip),
        "presented_by": presented.client.address(),
        "user_agent": presented.client.user_agent,
    });
    tracing::warn!(
        session = session.id,
        user = owner.map(|owner| owner.username),
        detail = %detail,
        "a rotated refresh token came back: the session ends"
    );
    let actor = Actor { user_id: None, name: "Latchkey".to_owned(), ip: presented.client.address() };
    AuditEntry::new(Action::SessionReuse, &actor).about(Some(session.user_id), jti).detail(detail).write(tx)
}
