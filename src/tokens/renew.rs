//! Refreshes that keep the presented token: refresh tokens if `JWT_ROTATE_REFRESH_TOKENS` is false, and all sliding
//! tokens. They only read, except that the first one, and then one per minute, updates the session.

use std::time::Duration;

use super::claims::{self, Kind};
use super::error::TokenError;
use super::presented::{Presented, RefreshError, check, find_user, join};
use super::{record, replay};
use crate::app::{App, Tx};
use crate::crypto::jwt::Claims;
use crate::db::DbError;
use crate::db::latchkey_session::Session;
use crate::db::users::{Intent, User};
use crate::journal::events::{self, Event};
use crate::journal::reason::Reason;
use crate::sessions;

/// `last_refreshed_at` of a session is written at most this often.
const STEP: Duration = Duration::from_mins(1);

/// A token that may be refreshed.
pub(super) struct Admitted {
    /// The claims, including the session claim.
    pub claims: Claims,
    /// Its user.
    pub user: User,
    /// Its session, if it has one.
    pub session: Option<Session>,
}

/// The verdict on a presented token.
pub(super) enum Admission {
    /// It is valid.
    Good(Box<Admitted>),
    /// It is valid, but its session has to be written.
    Due,
    /// Its session has to end.
    End(Box<Session>, Reason),
}

/// Admits a token to a refresh and returns what the new token is made from.
pub(super) async fn admit(app: &App, presented: Presented, kind: Kind) -> Result<Admitted, RefreshError> {
    let wanted = presented.clone();
    let mut admission = app.read(move |tx| look(tx, &wanted, kind, None)).await?;
    if matches!(admission, Admission::Due) {
        admission = match write(app, &presented, kind).await {
            // Another request added the token to a session at the same time: now it has that one.
            Err(RefreshError::Token(TokenError::Db(DbError::Unique(_)))) => write(app, &presented, kind).await?,
            other => other?,
        };
    }
    match admission {
        Admission::Good(admitted) => Ok(*admitted),
        Admission::Due => Err(TokenError::Invalid.into()),
        Admission::End(session, reason) => Err(replay::end(app, *session, reason, presented).await.into()),
    }
}

async fn write(app: &App, presented: &Presented, kind: Kind) -> Result<Admission, RefreshError> {
    let presented = presented.clone();
    app.write(move |tx| look(tx, &presented, kind, Some(Intent::Issue))).await
}

/// Checks a presented token; with an `intent`, also writes what is due. `explain` calls it without one.
pub(super) fn look(
    tx: &mut Tx<'_>,
    presented: &Presented,
    kind: Kind,
    intent: Option<Intent>,
) -> Result<Admission, RefreshError> {
    let Presented { claims, client, .. } = presented;
    let user = find_user(tx, claims, intent)?;
    let recorded = record::find_unless_blacklisted(tx, claims)?;
    let user = check(tx.app, claims, (user, recorded.as_ref()), kind)?;
    let known = sessions::known(tx, claims, recorded.as_ref(), user.id)?;
    if let Some(session) = &known
        && let Some(reason) = sessions::fault(tx.app, session, claims)
    {
        return Ok(Admission::End(Box::new(session.clone()), reason));
    }
    // A token from Django does not carry its session.
    let mut claims = claims.clone();
    let is_fresh = |session: &Session| session.last_refreshed_at.is_some_and(|last| tx.now < last + STEP);
    // As in SimpleJWT, a token that was never recorded stays unrecorded; then no session is written for it.
    let Some(recorded) = recorded.filter(|recorded| !recorded.session.as_ref().is_some_and(is_fresh)) else {
        sessions::set_claim(tx.app, &mut claims, known.as_ref());
        return Ok(Admission::Good(Box::new(Admitted { claims, user, session: known })));
    };
    if intent.is_none() {
        return Ok(Admission::Due);
    }
    let session = match known {
        Some(session) => Some(session),
        None => sessions::start(tx, user.id, client, claims::expires_at(tx.app, &claims)?)?,
    };
    if let Some(session) = &session {
        join(tx.conn, Some(&recorded), Some(&session.id))?;
        sessions::touch(tx, session, claims::expires_at(tx.app, &claims)?, client)?;
    }
    events::count(tx, &[Event::Refresh])?;
    sessions::set_claim(tx.app, &mut claims, session.as_ref());
    Ok(Admission::Good(Box::new(Admitted { claims, user, session })))
}
