//! Codes by mail: made for one challenge, sent to the address of its factor, and valid there for ten minutes.
//! Requesting another code invalidates the one before.

use secrecy::{ExposeSecret, SecretString};

use super::answer::AnswerError;
use super::challenge::{self, Pending, Purpose};
use super::code;
use super::enrolled::Enrolled;
use crate::app::{App, Tx};
use crate::db::{DbError, latchkey_challenge, latchkey_device};
use crate::guard::device::KNOWN_FOR;
use crate::guard::throttle::{self, CODES_SENT, Key, MAIL_ASKED};
use crate::journal::Client;
use crate::journal::authentication::FactorKind;
use crate::mail::Outgoing;
use crate::mail::letter::Letter;

/// Whether a mailed code can answer a challenge of this purpose.
fn can_be_answered(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Login(_) | Purpose::Confirm | Purpose::Enrol(..))
}

/// Queues a code for a challenge; `NoChallenge` also if the user has no such factor.
pub async fn send(app: &App, token: SecretString, client: &Client) -> Result<(), AnswerError> {
    let (client, code) = (client.clone(), code::mailed());
    app.write(move |tx| queue(tx, &token, &code, &client)).await?;
    Ok(())
}

fn queue(tx: &mut Tx<'_>, token: &SecretString, code: &SecretString, client: &Client) -> Result<(), AnswerError> {
    let pending = challenge::find(tx, token, can_be_answered)?.ok_or(AnswerError::NoChallenge)?;
    let to = address(tx, &pending)?.ok_or(AnswerError::NoChallenge)?;
    let (row, user, now) = (&pending.row, &pending.user, tx.now);
    if tx.app.config.accounts.login_throttle {
        let (from, id) = (client.network(), user.id.to_string());
        // A network that the account is used from has a count of its own, so that requests from elsewhere do not use it
        // up.
        let is_known = latchkey_device::is_known(tx.conn, user.id, &from, now - KNOWN_FOR)?;
        let sent =
            if is_known { Key::new(tx.app, CODES_SENT, &[&id, &from]) } else { Key::new(tx.app, CODES_SENT, &[&id]) };
        let keys = [Key::new(tx.app, MAIL_ASKED, &[&from]), sent];
        // Mails count even if their code is never used.
        let _counted = throttle::count(tx, &keys)?.map_err(AnswerError::Throttled)?;
    }
    let until = row.expires_at.min(now + code::MAILED_LIVES);
    let hash = code::mailed_hash(tx.app, &row.token_hash, code);
    latchkey_challenge::update_code(tx.conn, &row.token_hash, &hash, until)?;
    let (username, expires_at) = (user.username.clone(), until.timestamp());
    let letter = Letter::EmailCode { username, ip: client.address(), expires_at };
    let (user, secret, give_up_at) = (Some(user.id), Some(code), Some(until));
    Ok(tx.send(&Outgoing { to: &to, user, letter: &letter, secret, give_up_at })?)
}

/// The address that a code is sent to: the one confirmed at the enrolment, whatever the account's address is now.
/// Changing the account's address does not change the factor.
fn address(tx: &mut Tx<'_>, pending: &Pending) -> Result<Option<String>, DbError> {
    if let Purpose::Enrol(kind, _) = pending.purpose {
        let address = challenge::secret(tx.app, &pending.row).filter(|_| kind == FactorKind::Email);
        return Ok(address.map(|address| address.expose_secret().to_owned()));
    }
    let factors = Enrolled::find(tx.conn, pending.user.id)?;
    Ok(factors.of(FactorKind::Email).next().map(|factor| factor.data.clone()))
}
