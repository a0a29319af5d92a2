//! Logs in to the account pages: what is needed after the right password, and the answer.

use secrecy::SecretString;

use super::answer::{self, Answer, AnswerError};
use super::challenge::{self, LoginTarget, Purpose};
use super::due::{Due, due};
use crate::accounts::account_session;
use crate::app::App;
use crate::db::DbError;
use crate::db::users::User;
use crate::journal::Client;
use crate::journal::authentication::{AuthenticatedBy, Method};

const LOGIN: Purpose = Purpose::Login(LoginTarget::AccountPages);

/// The next step of the login.
pub enum Step {
    /// None: the token of the account session.
    In(SecretString),
    /// An answer to this challenge, by one of these methods.
    Factor(SecretString, Vec<Method>),
}

/// Continues after the right password of this user. Users who must have a factor and have none are logged in to enrol
/// it; remembered browsers do not count here.
pub async fn begin(app: &App, user: &User, client: &Client) -> Result<Step, DbError> {
    let (user, client) = (user.clone(), client.clone());
    app.write(move |tx| match due(tx, &user, None, &client)? {
        Due::Nothing(_) | Due::Enrolment => {
            account_session::open(tx, &user, &client, AuthenticatedBy::Password).map(Step::In)
        }
        Due::Factor(methods) => Ok(Step::Factor(challenge::begin(tx, &user, &client, LOGIN)?, methods)),
    })
    .await
}

/// Accepts the answer and returns the token of the account session.
pub async fn finish(app: &App, answer: Answer, client: &Client) -> Result<SecretString, AnswerError> {
    let verified = answer::check(app, answer, |purpose| purpose == LOGIN, client).await?;
    let client = client.clone();
    app.write(move |tx| {
        let user = answer::spend(tx, &verified)?;
        Ok(account_session::open(tx, &user, &client, AuthenticatedBy::Factor(verified.method()))?)
    })
    .await
}
