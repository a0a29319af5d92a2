//! The requests before an answer: a challenge for an action that needs a factor, and the options for a passkey. Codes
//! are mailed by `mail`; challenges of logins are begun by `tokens::login`.

use secrecy::SecretString;
use serde_json::Value;

use super::answer::AnswerError;
use super::challenge::{self, Purpose};
use super::enrolled::Enrolled;
use crate::app::App;
use crate::crypto::passkey::Asked;
use crate::db::DbError;
use crate::db::users::User;
use crate::journal::Client;
use crate::journal::authentication::Method;

/// Begins a challenge for adding or removing a factor or making new recovery codes, and lists the methods that can
/// answer it. `None` if the user has no factor.
pub async fn confirm(app: &App, user: &User, client: &Client) -> Result<Option<(SecretString, Vec<Method>)>, DbError> {
    let (user, client) = (user.clone(), client.clone());
    app.write(move |tx| {
        let methods = Enrolled::find(tx.conn, user.id)?.methods(tx.app);
        if methods.is_empty() {
            return Ok(None);
        }
        let token = challenge::begin(tx, &user, &client, Purpose::Confirm)?;
        Ok(Some((token, methods)))
    })
    .await
}

/// Returns the options for `navigator.credentials.get`, for a challenge that a passkey can answer. Earlier options
/// become invalid.
pub async fn passkey(app: &App, token: SecretString) -> Result<Value, AnswerError> {
    let found = app.read(move |tx| {
        let found = challenge::find(tx, &token, |purpose| matches!(purpose, Purpose::Login(_) | Purpose::Confirm))?;
        let Some(pending) = found else { return Ok(None) };
        let passkeys = Enrolled::find(tx.conn, pending.user.id)?.passkeys();
        Ok::<_, DbError>(Some((pending, passkeys)))
    });
    let (pending, known) = found.await?.ok_or(AnswerError::NoChallenge)?;
    let passkeys = app.factors.passkeys.as_ref().ok_or(AnswerError::NoChallenge)?;
    let Asked { options, state } = passkeys.start_authentication(&known).map_err(|_| AnswerError::NoChallenge)?;
    let state = SecretString::from(state);
    app.write(move |tx| challenge::update_secret(tx, &pending.row, &state)).await?;
    Ok(options)
}
