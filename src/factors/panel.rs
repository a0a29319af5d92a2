//! The panel's login: what it asks for after the right password, and the answer. The panel itself makes the session.

use std::sync::Arc;

use secrecy::SecretString;

use super::answer::{self, Answer, AnswerError};
use super::challenge::{self, Purpose};
use super::{Due, Method, Opened, remembered_browser};
use crate::app::App;
use crate::db::DbError;
use crate::db::users::User;
use crate::journal::Client;
use crate::journal::failed_login::Door;

/// What a challenge of the panel gives.
const PANEL: &str = "panel";

/// What the login still needs.
pub enum Step {
    /// Nothing: the visitor is in.
    In(Opened),
    /// An answer to this challenge, by one of these methods.
    Factor(SecretString, Vec<Method>),
    /// The user must have a factor, and has none.
    Enrolment,
}

/// The password of this user was right just now. `browser` is the token that the browser was remembered by.
pub async fn begin(app: &App, user: &User, browser: Option<SecretString>, client: &Client) -> Result<Step, DbError> {
    let (user, client) = (user.clone(), client.clone());
    app.write(move |tx| match super::due(tx, &user, browser.as_ref().map(|token| (Door::Panel, token)), &client)? {
        Due::Nothing(opened) => Ok(Step::In(opened)),
        Due::Enrolment => Ok(Step::Enrolment),
        Due::Factor(methods) => {
            let token = challenge::begin(tx, &user, &client, Purpose::Login, PANEL, None)?;
            Ok(Step::Factor(token, methods))
        }
    })
    .await
}

/// Takes the answer for good; answers who is in and by what, and the token of the browser where it is remembered from now
/// on.
pub async fn finish(
    app: &App,
    answer: Answer,
    remember: bool,
    client: &Client,
) -> Result<(User, Opened, Option<SecretString>), AnswerError> {
    let right = Arc::new(answer::check(app, answer, Purpose::Login, Door::Panel, client).await?);
    // A challenge of the API does not open the panel, nor the other way round.
    if right.what() != PANEL {
        return Err(AnswerError::NoChallenge);
    }
    let client = client.clone();
    app.write(move |tx| {
        let user = answer::spend(tx, &right)?;
        let browser = if remember { remembered_browser::remember(tx, &user, Door::Panel, &client)? } else { None };
        Ok((user, Opened::By(right.method()), browser))
    })
    .await
}
