//! Refreshes: a new access token and, with rotation, a new refresh token. Of N parallel ones, exactly one wins. What
//! happens to a token that is presented again after its rotation is in `replay`.

use super::claims::{self, Kind};
use super::error::TokenError;
use super::obtain::signed;
use super::presented::{Outcome, Presented, RefreshError, access, check, find_user, join};
use super::renew::{self, Admitted};
use super::{record, replay};
use crate::app::{App, Tx};
use crate::crypto::jwt::{self, Claims};
use crate::db::DbError;
use crate::db::latchkey_session::Session;
use crate::db::latchkey_token::Lineage;
use crate::db::outstanding_tokens::Recorded;
use crate::db::users::{Intent, User};
use crate::journal::Client;
use crate::journal::events::{self, Event};
use crate::journal::reason::Reason;
use crate::sessions;
use crate::sessions::blacklist::Why;

/// The result of a refresh. No `Debug`: both are secrets.
pub struct Refreshed {
    /// The new access token.
    pub access: String,
    /// The new refresh token, if `JWT_ROTATE_REFRESH_TOKENS`.
    pub refresh: Option<String>,
}

/// Exchanges a refresh token. `key` is the request's `Idempotency-Key`.
pub async fn rotate(app: &App, refresh: &str, client: Client, key: Option<&str>) -> Result<Refreshed, RefreshError> {
    let claims = claims::decode(app, refresh).await?;
    let retry_key = replay::retry_key(app, &claims, key);
    let presented = Presented { claims, retry_key, client };
    if !app.config.jwt.rotate_refresh_tokens {
        let Admitted { claims, user, .. } = renew::admit(app, presented, Kind::Refresh).await?;
        return Ok(Refreshed { access: signed(app, &access(app, &claims, &user)), refresh: None });
    }
    let outcome = match exchange(app, &presented).await {
        // Another request rotated it at the same time. Look again to see what that means.
        Err(RefreshError::Token(TokenError::Db(DbError::Unique(_)))) => exchange(app, &presented).await,
        other => other,
    };
    match outcome.map_err(unique_is_blacklisted)? {
        Outcome::Tokens(access, next) => {
            Ok(Refreshed { access: signed(app, &access), refresh: Some(jwt::sign(&app.keys, &next)) })
        }
        Outcome::End(session, reason) => Err(replay::end(app, *session, reason, presented).await.into()),
    }
}

async fn exchange(app: &App, presented: &Presented) -> Result<Outcome, RefreshError> {
    let presented = presented.clone();
    app.write(move |tx| rotation(tx, &presented)).await
}

fn unique_is_blacklisted(error: RefreshError) -> RefreshError {
    match error {
        RefreshError::Token(error) => record::taken_is_blacklisted(error).into(),
        other => other,
    }
}

/// What to do with a presented token, before anything is written.
pub(super) enum Decision {
    /// Exchange it: its user, its record, and its session if it has one.
    Exchange(Box<(User, Option<Recorded>, Option<Session>)>),
    /// It was exchanged before, or its session has to end.
    Done(Outcome),
}

/// Decides about a presented token; an `intent` locks its user. Writes nothing, because `explain` uses it too.
pub(super) fn decide(tx: &mut Tx<'_>, presented: &Presented, intent: Option<Intent>) -> Result<Decision, RefreshError> {
    let claims = &presented.claims;
    let user = find_user(tx, claims, intent)?;
    let recorded = record::find(tx, claims)?;
    if let Some(used) = recorded.as_ref().filter(|recorded| recorded.blacklisted_at.is_some()) {
        return Ok(Decision::Done(replay::answer(tx, presented, used, user)?));
    }
    let user = check(tx.app, claims, (user, recorded.as_ref()), Kind::Refresh)?;
    let session = sessions::known(tx, claims, recorded.as_ref(), user.id)?;
    if let Some(session) = &session
        && let Some(reason) = sessions::fault(tx.app, session, claims)
    {
        return Ok(Decision::Done(Outcome::End(Box::new(session.clone()), reason)));
    }
    if session.is_none() {
        claims::expires_at(tx.app, claims)?;
    }
    if recorded.is_none() && tx.app.config.jwt.blacklist_after_rotation {
        record::check_recordable(tx.app, claims)?;
    }
    Ok(Decision::Exchange(Box::new((user, recorded, session))))
}

/// Rotates in one transaction: blacklists the presented token and records the next one.
fn rotation(tx: &mut Tx<'_>, presented: &Presented) -> Result<Outcome, RefreshError> {
    let Presented { claims, retry_key, client } = presented;
    let (user, recorded, session) = match decide(tx, presented, Some(Intent::Issue))? {
        Decision::Exchange(found) => *found,
        Decision::Done(outcome) => return Ok(outcome),
    };
    // A token from Django has no session yet; it starts one.
    let session = match session {
        Some(session) => Some(session),
        None => sessions::start(tx, user.id, client, claims::expires_at(tx.app, claims)?)?,
    };
    let session_id = session.as_ref().map(|session| session.id.as_str());
    let from = if tx.app.config.jwt.blacklist_after_rotation {
        let why = Why::new(Reason::Rotated, &user.username);
        // An unchanged value is not written again, because the column has an index.
        let is_linked = recorded.as_ref().is_some_and(|recorded| recorded.session.is_some());
        let why = Why { session: session_id.filter(|_| !is_linked), retry_key: retry_key.as_deref(), ..why };
        Some(record::blacklist(tx, claims, (recorded.as_ref(), Some(user.id)), why)?)
    } else {
        join(tx.conn, recorded.as_ref(), session_id)?;
        recorded.map(|recorded| recorded.id)
    };
    let mut claims = claims.clone();
    sessions::set_claim(tx.app, &mut claims, session.as_ref());
    let access = access(tx.app, &claims, &user);
    let next = next(tx.app, claims, &user, session.as_ref());
    if let Some(session) = &session {
        sessions::touch(tx, session, claims::expires_at(tx.app, &next)?, client)?;
    }
    let ip = client.address();
    let lineage = Lineage { session_id, rotated_from: from, ip: ip.as_deref(), ..Lineage::default() };
    let next = record::outstand(tx, &next, user.id, lineage)?;
    count(tx)?;
    Ok(Outcome::Tokens(access, next))
}

/// Counts a rotation and its parts in one statement.
fn count(tx: &mut Tx<'_>) -> Result<(), DbError> {
    let jwt = &tx.app.config.jwt;
    let rotated = Event::Blacklisted(Reason::Rotated);
    match (jwt.jti_claim.is_some(), jwt.blacklist_after_rotation) {
        (true, true) => events::count(tx, &[Event::Refresh, Event::TokenCreated, rotated]),
        (true, false) => events::count(tx, &[Event::Refresh, Event::TokenCreated]),
        // A token without an id is neither recorded nor blacklisted.
        (false, _) => events::count(tx, &[Event::Refresh]),
    }
}

/// Makes the refresh token that replaces the presented one.
fn next(app: &App, presented: Claims, user: &User, session: Option<&Session>) -> Claims {
    let mut next = presented;
    claims::set_extra(app, &mut next, user, true);
    claims::set_jti(app, &mut next);
    claims::set_times(app, &mut next, Kind::Refresh, app.now());
    sessions::cap(app, &mut next, session);
    claims::finish(app, &mut next);
    next
}
