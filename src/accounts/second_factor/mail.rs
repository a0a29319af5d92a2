//! The code in a mail: made for one challenge, sent to the address of its user, and good there for ten minutes. Asking for
//! another one makes the one before worthless.

use std::sync::Arc;

use secrecy::SecretString;

use super::answer::AnswerError;
use super::challenge::{self, Purpose};
use super::{Enrolled, Kind, code};
use crate::accounts::Client;
use crate::accounts::throttle::{self, CODES_SENT, Key, MAIL_ASKED, network};
use crate::app::App;
use crate::db::latchkey_challenge;
use crate::mail::Outgoing;
use crate::mail::letter::Letter;

/// Queues a code for a challenge that one can answer; `NoChallenge` also where the user has no such factor.
pub async fn send(app: &Arc<App>, token: SecretString, purpose: Purpose, client: &Client) -> Result<(), AnswerError> {
    let (shared, from, ip, code) = (Arc::clone(app), network(client), client.address(), code::mailed());
    app.db
        .write(move |conn| {
            let (app, now) = (&*shared, shared.now());
            let found = challenge::find(app, conn, &token, purpose)?;
            let waiting = found.filter(|waiting| !waiting.user.email.is_empty()).ok_or(AnswerError::NoChallenge)?;
            let has_factor = match purpose {
                Purpose::Enrol => waiting.row.what == Kind::Email.name(),
                _ => Enrolled::find(conn, waiting.user.id)?.of(Kind::Email).next().is_some(),
            };
            if !has_factor {
                return Err(AnswerError::NoChallenge);
            }
            if app.config.accounts.login_throttle {
                let user = waiting.user.id.to_string();
                let keys = [Key::new(app, MAIL_ASKED, &[&from]), Key::new(app, CODES_SENT, &[&user])];
                // What was counted stays counted, whatever becomes of the code.
                if let Err(wait) = throttle::count(conn, now, &keys)? {
                    return Err(AnswerError::Throttled(wait));
                }
            }
            let expires_at = now + code::MAILED_LIVES;
            let hash = code::mailed_hash(app, &waiting.row.token_hash, &code);
            latchkey_challenge::update_code(conn, &waiting.row.token_hash, &hash, expires_at)?;
            let username = waiting.user.username.clone();
            let letter = Letter::EmailCode { username, ip: ip.clone(), expires_at: expires_at.timestamp() };
            let mail = Outgoing {
                to: &waiting.user.email,
                user: Some(waiting.user.id),
                letter: &letter,
                secret: Some(&code),
                give_up_at: Some(expires_at),
            };
            app.mailer.enqueue(conn, now, &mail).map_err(AnswerError::from)
        })
        .await?;
    app.mailer.ring();
    Ok(())
}
