//! "Remember this browser": for a while (`SECOND_FACTOR_REMEMBER`) no second factor is asked for where a random token is
//! kept. Users see these browsers beside their sessions and end them there; a new password ends all.

use secrecy::{ExposeSecret, SecretString};

use serde_json::json;

use super::challenge::state;
use crate::accounts::confirm::Confirmed;
use crate::accounts::manage::ManageError;
use crate::app::{App, Tx};
use crate::crypto::digest::{equal, sha256_hex};
use crate::crypto::random;
use crate::db::latchkey_browser::{self, Browser};
use crate::db::types::{Instant, UserId};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::failed_login::Door;
use crate::journal::{Actor, Client};

/// So many are listed, and kept.
const MOST: i64 = 100;

/// Remembers a browser, in the transaction of its login. `None` where the settings do not want that. Its token opens the
/// door that it was made at and no other: one that a front end keeps is no key to the panel.
pub fn remember(tx: &mut Tx<'_>, user: &User, door: Door, client: &Client) -> Result<Option<SecretString>, DbError> {
    let lives = tx.app.config.second_factor.remember;
    if lives.is_zero() {
        return Ok(None);
    }
    let (token, now) = (SecretString::from(random::token()), tx.now);
    latchkey_browser::delete_oldest_of(tx.conn, user.id, MOST - 1)?;
    latchkey_browser::insert(
        tx.conn,
        &Browser {
            token_hash: hash(door, &token),
            id: random::hex(&random::bytes::<16>()),
            user_id: user.id,
            state: state(tx.app, user),
            created_at: now,
            last_used_at: now,
            expires_at: now + lives,
            ip: client.address(),
            user_agent: client.user_agent.clone(),
        },
    )?;
    Ok(Some(token))
}

fn hash(door: Door, token: &SecretString) -> String {
    sha256_hex(format!("{} {}", door.name(), token.expose_secret()).as_bytes())
}

/// Whether this token is of a browser of the user that is still remembered; notes that it was used, in the transaction
/// of the login.
pub fn recognise(
    tx: &mut Tx<'_>,
    user: &User,
    (door, token): (Door, &SecretString),
    client: &Client,
) -> Result<bool, DbError> {
    let Some(browser) = latchkey_browser::find(tx.conn, &hash(door, token))? else { return Ok(false) };
    let is_good = is_good(tx.app, user, &browser);
    if is_good {
        latchkey_browser::update_used(tx.conn, &browser.token_hash, tx.now, client.address().as_deref())?;
    }
    Ok(is_good)
}

/// Where the password stays the same and only its hash is another one, who was remembered still is: a part of that
/// transaction.
pub fn carrying_over(
    app: &App,
    before: &User,
    after: &User,
) -> impl Fn(&mut Conn) -> Result<(), DbError> + Send + 'static {
    let (user, old, new) = (after.id, state(app, before), state(app, after));
    move |conn| latchkey_browser::update_state(conn, user, &old, &new)
}

/// The browsers of the user that are remembered, last used first.
pub fn list(tx: &mut Tx<'_>, user: &User) -> Result<Vec<Browser>, DbError> {
    let all = latchkey_browser::list_of(tx.conn, user.id, tx.now, MOST)?;
    Ok(all.into_iter().filter(|browser| is_good(tx.app, user, browser)).collect())
}

/// Forgets one of one's own; `false` if there is none of that id.
pub async fn forget(app: &App, user: &User, id: &str, client: &Client) -> Result<bool, DbError> {
    let (actor, user, id) = (Actor::user(user, client), user.clone(), id.to_owned());
    app.write(move |tx| Ok(take(tx, &actor, &user, Some(&id))? > 0)).await
}

/// A superuser forgets one of somebody's, or all; answers how many there were.
pub async fn forget_of(app: &App, by: &Confirmed, user: UserId, which: Option<String>) -> Result<usize, ManageError> {
    let actor = by.actor().clone();
    app.write(move |tx| {
        let user = users::lock(tx.conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
        Ok(take(tx, &actor, &user, which.as_deref())?)
    })
    .await
}

fn take(tx: &mut Tx<'_>, actor: &Actor, user: &User, which: Option<&str>) -> Result<usize, DbError> {
    let forgotten = match which {
        // PostgreSQL knows no text with a null character.
        Some(id) if id.contains('\0') => 0,
        Some(id) => usize::from(latchkey_browser::delete(tx.conn, user.id, id)?),
        None => latchkey_browser::delete_of(tx.conn, user.id)?,
    };
    if forgotten > 0 {
        let detail = json!({ "browsers": forgotten });
        AuditEntry::new(Action::FactorForgetBrowser, actor).about_user(user).detail(detail).write(tx)?;
    }
    Ok(forgotten)
}

/// Until when a browser is remembered. A setting that was shortened counts for those who were remembered before, too.
pub fn until(app: &App, browser: &Browser) -> Instant {
    browser.expires_at.min(browser.created_at + app.config.second_factor.remember)
}

fn is_good(app: &App, user: &User, browser: &Browser) -> bool {
    browser.user_id == user.id
        && app.now() < until(app, browser)
        && equal(browser.state.as_bytes(), state(app, user).as_bytes())
}
