//! "Remember this browser": for a while (`SECOND_FACTOR_REMEMBER`) no second factor is asked for where a random token is
//! kept. Users see these browsers beside their sessions and end them there; a new password ends all.

use secrecy::{ExposeSecret, SecretString};

use super::challenge::state;
use crate::accounts::Client;
use crate::app::App;
use crate::crypto::digest::{equal, sha256_hex};
use crate::crypto::random;
use crate::db::latchkey_browser::{self, Browser};
use crate::db::users::User;
use crate::db::{Conn, DbError};

/// Remembers a browser, in the transaction of its login. `None` where the settings do not want that.
pub fn remember(app: &App, conn: &mut Conn, user: &User, client: &Client) -> Result<Option<SecretString>, DbError> {
    let lives = app.config.second_factor.remember;
    if lives.is_zero() {
        return Ok(None);
    }
    let (token, now) = (random::token(), app.now());
    latchkey_browser::insert(
        conn,
        &Browser {
            token_hash: sha256_hex(token.as_bytes()),
            id: random::hex(&random::bytes::<16>()),
            user_id: user.id,
            state: state(app, user),
            created_at: now,
            last_used_at: now,
            expires_at: now + lives,
            ip: client.address(),
            user_agent: client.user_agent.clone(),
        },
    )?;
    Ok(Some(token.into()))
}

/// Whether this token is of a browser of the user that is still remembered.
pub fn is_remembered(app: &App, conn: &mut Conn, user: &User, token: &SecretString) -> Result<bool, DbError> {
    if app.config.second_factor.remember.is_zero() {
        return Ok(false);
    }
    let token_hash = sha256_hex(token.expose_secret().as_bytes());
    let Some(browser) = latchkey_browser::find(conn, &token_hash)? else { return Ok(false) };
    let is_theirs = browser.user_id == user.id && browser.expires_at > app.now();
    Ok(is_theirs && equal(browser.state.as_bytes(), state(app, user).as_bytes()))
}
