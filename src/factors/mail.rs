//! The code in a mail: made for one challenge, sent to the address of its factor, and good there for ten minutes. Asking
//! for another one makes the one before worthless.

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

/// Every challenge that a mailed code can answer.
fn can_be_answered(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Login(_) | Purpose::Confirm | Purpose::Enrol(..))
}

/// Queues a code for a challenge that one can answer; `NoChallenge` also where the user has no such factor.
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
        // From where the account is used only the codes count that were asked for there: nobody else uses them up.
        let is_known = latchkey_device::is_known(tx.conn, user.id, &from, now - KNOWN_FOR)?;
        let sent =
            if is_known { Key::new(tx.app, CODES_SENT, &[&id, &from]) } else { Key::new(tx.app, CODES_SENT, &[&id]) };
        let keys = [Key::new(tx.app, MAIL_ASKED, &[&from]), sent];
        // Sent mails are never taken back, whatever becomes of the code.
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

/// Where the code goes: to the address that was confirmed at the enrolment, whatever the account's is now. A new address
/// of the account is no new factor.
fn address(tx: &mut Tx<'_>, pending: &Pending) -> Result<Option<String>, DbError> {
    if let Purpose::Enrol(kind, _) = pending.purpose {
        let address = challenge::secret(tx.app, &pending.row).filter(|_| kind == FactorKind::Email);
        return Ok(address.map(|address| address.expose_secret().to_owned()));
    }
    let factors = Enrolled::find(tx.conn, pending.user.id)?;
    Ok(factors.of(FactorKind::Email).next().map(|factor| factor.data.clone()))
}
