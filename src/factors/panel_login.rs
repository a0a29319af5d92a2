//! Logs in to the panel: what is needed after the right password, and the answer. The panel itself starts the session.

use secrecy::SecretString;

use super::answer::{self, Answer, AnswerError};
use super::challenge::{self, LoginTarget, Purpose};
use super::due::{Due, due};
use super::remembered_browser;
use crate::app::App;
use crate::db::DbError;
use crate::db::users::User;
use crate::journal::Client;
use crate::journal::authentication::{AuthenticatedBy, Method};

const LOGIN: Purpose = Purpose::Login(LoginTarget::Panel);

/// The next step of the login.
pub enum Step {
    /// None: the login is complete.
    In(AuthenticatedBy),
    /// An answer to this challenge, by one of these methods.
    Factor(SecretString, Vec<Method>),
    /// The user must have a factor, and has none.
    Enrolment,
}

/// Continues after the right password of this user. `browser` is the token of a remembered browser.
pub async fn begin(app: &App, user: &User, browser: Option<SecretString>, client: &Client) -> Result<Step, DbError> {
    let (user, client) = (user.clone(), client.clone());
    app.write(move |tx| match due(tx, &user, browser.as_ref(), &client)? {
        Due::Nothing(by) => Ok(Step::In(by)),
        Due::Enrolment => Ok(Step::Enrolment),
        Due::Factor(methods) => Ok(Step::Factor(challenge::begin(tx, &user, &client, LOGIN)?, methods)),
    })
    .await
}

/// A user whose answer was accepted.
pub struct LoggedIn {
    /// The user.
    pub user: User,
    /// What the login was authenticated by.
    pub by: AuthenticatedBy,
    /// The token of the browser, if it is to be remembered.
    pub browser: Option<SecretString>,
}

/// Accepts the answer.
pub async fn finish(app: &App, answer: Answer, remember: bool, client: &Client) -> Result<LoggedIn, AnswerError> {
    let verified = answer::check(app, answer, |purpose| purpose == LOGIN, client).await?;
    let client = client.clone();
    app.write(move |tx| {
        let user = answer::spend(tx, &verified)?;
        let browser = if remember { remembered_browser::remember(tx, &user, &client)? } else { None };
        Ok(LoggedIn { user, by: AuthenticatedBy::Factor(verified.method()), browser })
    })
    .await
}
