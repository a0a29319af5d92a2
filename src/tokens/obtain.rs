//! Issues a token pair for a username and a password, and for a second factor if one is due. The login itself is in
//! `login`.

use secrecy::SecretString;

use super::claims::{self, Kind};
use super::login::{self, Answered, EnrolmentInLogin, Issued, ObtainError, Password};
use crate::app::App;
use crate::crypto::jwt::{self, Claims};
use crate::factors::answer::AnswerError;
use crate::factors::challenge::LoginTarget;
use crate::factors::enrol::EnrolError;
use crate::factors::enrolment::Done;
use crate::journal::Client;

/// An access token and the refresh token obtained with it. No `Debug`: both are secrets.
pub struct TokenPair {
    /// For refreshes.
    pub refresh: String,
    /// For requests.
    pub access: String,
}

/// The tokens that a login issues, as its first request asked. No `Debug`: all are secrets.
pub enum Tokens {
    /// A token pair.
    Pair(TokenPair),
    /// A sliding token.
    Sliding(String),
}

/// Checks the credentials, starts a session and issues a pair; the refresh token is recorded.
pub async fn pair(app: &App, password: Password, client: Client) -> Result<TokenPair, ObtainError> {
    Ok(pair_of(app, login::with_password(app, password, client, LoginTarget::TokenPair).await?))
}

/// Accepts the second factor of a login that waits for it, and issues the tokens that the login asked for; also the
/// token of the browser, if it is to be remembered.
pub async fn with_factor(
    app: &App,
    answered: Answered,
    client: Client,
) -> Result<(Tokens, Option<SecretString>), AnswerError> {
    let (issued, browser) = login::with_factor(app, answered, client).await?;
    Ok((tokens_of(app, issued), browser))
}

/// Accepts the answer to an enrolment that a login waits for, and issues the tokens that the login asked for.
pub async fn with_enrolment(
    app: &App,
    enrolled: EnrolmentInLogin,
    client: Client,
) -> Result<(Tokens, Done), EnrolError> {
    let (issued, done) = login::with_enrolment(app, enrolled, client).await?;
    Ok((tokens_of(app, issued), done))
}

/// Signs the tokens of a login.
fn tokens_of(app: &App, issued: Issued) -> Tokens {
    match issued.kind {
        Kind::Sliding => Tokens::Sliding(jwt::sign(&app.keys, &issued.unsigned)),
        _ => Tokens::Pair(pair_of(app, issued)),
    }
}

fn pair_of(app: &App, issued: Issued) -> TokenPair {
    let mut access = claims::access_from(app, &issued.claims, app.now());
    claims::finish(app, &mut access);
    TokenPair { refresh: jwt::sign(&app.keys, &issued.unsigned), access: signed(app, &access) }
}

/// Signs the claims of a token that is not recorded.
pub(super) fn signed(app: &App, claims: &Claims) -> String {
    jwt::sign(&app.keys, &jwt::unsigned(&app.keys, claims))
}
