//! Tries a token for one use, with the functions that decide when a client presents it. None of them writes.

use super::check::{self, Step};
use super::usage::{Refusal, Usage, only_db};
use crate::app::{App, Tx};
use crate::crypto::decode_error::DecodeError;
use crate::crypto::jwt::Claims;
use crate::db::DbError;
use crate::journal::Client;
use crate::tokens::claims::Kind;
use crate::tokens::presented::{Outcome, Presented, RefreshError};
use crate::tokens::refresh::{self, Decision};
use crate::tokens::renew::{self, Admission};
use crate::tokens::verify::{self, AuthError};

/// The result of trying one use of a token.
pub struct Trial {
    /// The use.
    pub usage: Usage,
    /// Why it is refused, if it is.
    pub refusal: Option<Refusal>,
    /// What is wrong with the token itself, if that is the reason.
    pub fault: Option<DecodeError>,
    /// Every check in the server's order, with its result.
    pub steps: Vec<Step>,
}

/// Tries a use. `said` holds the unchecked claims of a token that cannot be verified.
pub(super) async fn run(
    app: &App,
    usage: Usage,
    read: &Result<Claims, DecodeError>,
    said: &Claims,
) -> Result<Trial, DbError> {
    let refusal = match (usage, read) {
        (Usage::Request, read) => request(app, read.clone()).await?.map(Refusal::Auth),
        (_, Err(fault)) => Some(Refusal::Token((*fault).into())),
        (Usage::Verify, Ok(claims)) => match verify::verify_read(app, claims.clone()).await {
            Ok(()) => None,
            Err(error) => Some(Refusal::Token(only_db(error)?)),
        },
        (Usage::Refresh, Ok(claims)) => exchange(app, claims.clone(), Kind::Refresh).await?,
        (Usage::SlidingRefresh, Ok(claims)) => exchange(app, claims.clone(), Kind::Sliding).await?,
    };
    let fault = read.as_ref().err().copied();
    let steps = check::steps(app, usage, read.as_ref().unwrap_or(said), (fault, refusal.as_ref()));
    Ok(Trial { usage, refusal, fault, steps })
}

async fn request(app: &App, read: Result<Claims, DecodeError>) -> Result<Option<AuthError>, DbError> {
    match verify::authenticate_read(app, read).await {
        Ok(_) => Ok(None),
        Err(AuthError::Db(error)) => Err(error),
        Err(error) => Ok(Some(error)),
    }
}

/// Tries a refresh without writing.
async fn exchange(app: &App, claims: Claims, kind: Kind) -> Result<Option<Refusal>, DbError> {
    let presented = Presented { claims, retry_key: None, client: Client::default() };
    let job = move |tx: &mut Tx<'_>| {
        let rotates = kind == Kind::Refresh && tx.app.config.jwt.rotate_refresh_tokens;
        let ends = if rotates {
            match refresh::decide(tx, &presented, None)? {
                Decision::Done(Outcome::End(_, reason)) => Some(reason),
                Decision::Exchange(_) | Decision::Done(Outcome::Tokens(..)) => None,
            }
        } else {
            match renew::look(tx, &presented, kind, None)? {
                Admission::End(_, reason) => Some(reason),
                Admission::Good(_) | Admission::Due => None,
            }
        };
        Ok::<_, RefreshError>(ends.map(Refusal::EndsSession))
    };
    match app.read(job).await {
        Ok(ends) => Ok(ends),
        Err(RefreshError::Token(error)) => Ok(Some(Refusal::Refresh(RefreshError::Token(only_db(error)?)))),
        Err(error) => Ok(Some(Refusal::Refresh(error))),
    }
}
