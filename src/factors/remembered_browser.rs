//! "Remember this browser": a browser that keeps a random token is not asked for a second factor for a while
//! (`SECOND_FACTOR_REMEMBER`). Users see these browsers beside their sessions and can remove them there; a new password
//! removes all.

use secrecy::SecretString;
use serde_json::json;

use crate::accounts::confirm::Confirmed;
use crate::accounts::manage::ManageError;
use crate::app::{App, Tx};
use crate::crypto::random;
use crate::db::DbError;
use crate::db::latchkey_browser::{self, Browser};
use crate::db::types::{Instant, UserId};
use crate::db::users::{Intent, User, UserRef};
use crate::guard::ticket::{Purpose, Stored, Ticket};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::{Actor, Client, Door};

/// How many browsers one user may have; also how many are listed.
const MAX_BROWSERS: i64 = 100;

/// Remembers a browser, in the transaction of its login; `None` if `SECOND_FACTOR_REMEMBER` is 0. Its token is valid
/// only for the door that issued it: a front end's token does not work for the panel.
pub fn remember(tx: &mut Tx<'_>, user: &User, client: &Client) -> Result<Option<SecretString>, DbError> {
    let purpose = Purpose::RememberedBrowser(client.door);
    if purpose.lifetime(tx.app).is_zero() {
        return Ok(None);
    }
    let ticket = Ticket::issue(tx.app, tx.now, purpose, user);
    latchkey_browser::delete_oldest_of(tx.conn, user.id, MAX_BROWSERS - 1)?;
    let browser = Browser {
        token_hash: ticket.hash,
        id: random::hex(&random::bytes::<16>()),
        user_id: user.id,
        state: ticket.fingerprint,
        created_at: ticket.created_at,
        last_used_at: ticket.created_at,
        expires_at: ticket.expires_at,
        ip: client.address(),
        user_agent: client.user_agent.clone(),
    };
    latchkey_browser::insert(tx.conn, &browser)?;
    Ok(Some(ticket.token))
}

/// Whether this is the token of a remembered browser of the user; records the use.
pub fn recognise(tx: &mut Tx<'_>, user: &User, token: &SecretString, client: &Client) -> Result<bool, DbError> {
    let hash = Purpose::RememberedBrowser(client.door).hash(token);
    let Some(browser) = latchkey_browser::find(tx.conn, &hash)? else { return Ok(false) };
    let is_good = is_good(tx.app, user, &browser);
    if is_good {
        latchkey_browser::update_used(tx.conn, &browser.token_hash, tx.now, client.address().as_deref())?;
    }
    Ok(is_good)
}

/// Lists the remembered browsers of the user, last used first.
pub fn list(tx: &mut Tx<'_>, user: &User) -> Result<Vec<Browser>, DbError> {
    let all = latchkey_browser::list_of(tx.conn, user.id, tx.now, MAX_BROWSERS)?;
    Ok(all.into_iter().filter(|browser| is_good(tx.app, user, browser)).collect())
}

/// Forgets one of the user's own browsers; `false` if it does not exist.
pub async fn forget(app: &App, user: &User, id: &str, client: &Client) -> Result<bool, DbError> {
    let (actor, user, id) = (Actor::user(user, client), user.clone(), id.to_owned());
    app.write(move |tx| Ok(take(tx, &actor, &user, Some(&id))? > 0)).await
}

/// Forgets one or all browsers of a user, on behalf of a superuser; returns how many.
pub async fn forget_of(app: &App, by: &Confirmed, user: UserId, which: Option<String>) -> Result<usize, ManageError> {
    let actor = by.actor().clone();
    app.write(move |tx| {
        let user = tx.app.users.lock(tx.conn, &UserRef::Id(user), Intent::Revoke)?.ok_or(ManageError::NoSuchUser)?;
        Ok(take(tx, &actor, &user, which.as_deref())?)
    })
    .await
}

fn take(tx: &mut Tx<'_>, actor: &Actor, user: &User, which: Option<&str>) -> Result<usize, DbError> {
    let forgotten = match which {
        // PostgreSQL has no text with a null character.
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

/// When a remembered browser expires. A setting that was shortened also applies to browsers remembered before.
pub fn until(app: &App, browser: &Browser) -> Instant {
    browser.expires_at.min(browser.created_at + app.config.second_factor.remember)
}

fn is_good(app: &App, user: &User, browser: &Browser) -> bool {
    let stored = Stored { user_id: browser.user_id, fingerprint: &browser.state, expires_at: until(app, browser) };
    // The fingerprint is the same for all doors; the hash of the token is not.
    stored.is_good(app, Purpose::RememberedBrowser(Door::Api), user)
}
