//! Tries a token for one use, with the functions that decide when a client presents it. None of them writes.

use std::sync::Arc;

use super::check::{self, Step};
use super::only_db;
use crate::accounts::Client;
use crate::app::App;
use crate::config::TokenClass;
use crate::crypto::decode_error::DecodeError;
use crate::crypto::jwt::Claims;
use crate::db::DbError;
use crate::tokens::claims::Kind;
use crate::tokens::record::Reason;
use crate::tokens::refresh::{self, Decision, Outcome, Presented, RefreshError};
use crate::tokens::renew::{self, Admission};
use crate::tokens::verify::{self, AuthError};
use crate::tokens::{TokenError, replay};

/// What a token can be presented for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// `token/refresh/`
    Refresh,
    /// In the header of a request: `me/` and every other endpoint that wants to know its caller.
    Request,
    /// `token/verify/`
    Verify,
    /// `token/sliding/refresh/`
    SlidingRefresh,
}

impl Usage {
    /// All, that first which a token of this type is made for.
    pub(super) fn of(kind: Option<Kind>) -> [Self; 4] {
        match kind {
            Some(Kind::Refresh) => [Self::Refresh, Self::Verify, Self::Request, Self::SlidingRefresh],
            Some(Kind::Access) => [Self::Request, Self::Verify, Self::Refresh, Self::SlidingRefresh],
            Some(Kind::Sliding) => [Self::SlidingRefresh, Self::Request, Self::Verify, Self::Refresh],
            None => [Self::Verify, Self::Refresh, Self::Request, Self::SlidingRefresh],
        }
    }
}

/// Why a use is refused, as the deciding function said it.
#[derive(Debug)]
pub enum Refusal {
    /// By `token/verify/`, or by either refresh before anything is asked of the database.
    Token(TokenError),
    /// By a refresh.
    Refresh(RefreshError),
    /// By a refresh, which would also end the session for that reason.
    EndsSession(Reason),
    /// By an endpoint that wants to know its caller.
    Auth(AuthError),
}

/// What one use of a token comes to.
pub struct Trial {
    /// The use.
    pub usage: Usage,
    /// Why it is refused, if it is.
    pub refusal: Option<Refusal>,
    /// What is wrong with the token itself, where that is it.
    pub fault: Option<DecodeError>,
    /// Every check in the server's order, and how far it got.
    pub steps: Vec<Step>,
}

/// Tries it. `said` is what a token says that cannot be read.
pub(super) async fn run(
    app: &Arc<App>,
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
    let steps = check::steps(app, usage, read.as_ref().unwrap_or(said), fault, refusal.as_ref());
    Ok(Trial { usage, refusal, fault, steps })
}

async fn request(app: &Arc<App>, read: Result<Claims, DecodeError>) -> Result<Option<AuthError>, DbError> {
    match verify::authenticate_read(app, read).await {
        Ok(_) => Ok(None),
        Err(AuthError::Db(error)) => Err(error),
        Err(error) => Ok(Some(error)),
    }
}

/// A refresh that stops short of writing.
async fn exchange(app: &Arc<App>, claims: Claims, kind: Kind) -> Result<Option<Refusal>, DbError> {
    let presented = Presented { claims, retry_key: None, client: Client::default() };
    let shared = Arc::clone(app);
    let job = move |conn: &mut _| {
        let rotates = kind == Kind::Refresh && shared.config.jwt.rotate_refresh_tokens;
        let ends = if rotates {
            match refresh::decide(&shared, conn, &presented, None)? {
                Decision::Done(Outcome::End(_, reason)) => Some(reason),
                Decision::Exchange(_) | Decision::Done(Outcome::Tokens(..)) => None,
            }
        } else {
            match renew::look(&shared, conn, &presented, kind, None)? {
                Admission::End(_, reason) => Some(reason),
                Admission::Good(_) | Admission::Due => None,
            }
        };
        Ok::<_, RefreshError>(ends.map(Refusal::EndsSession))
    };
    match app.db.read(job).await {
        Ok(ends) => Ok(ends),
        Err(RefreshError::Token(error)) => Ok(Some(Refusal::Refresh(RefreshError::Token(only_db(error)?)))),
        Err(error) => Ok(Some(Refusal::Refresh(error))),
    }
}

impl Refusal {
    /// What the client is told.
    pub fn told(&self) -> String {
        match self {
            Self::Token(error) => error.to_string(),
            Self::Refresh(error) => error.to_string(),
            Self::EndsSession(reason) => replay::refusal(*reason).to_string(),
            Self::Auth(error) => error.to_string(),
        }
    }

    /// The error about the token in it, of several the one of the class that the token says it is.
    pub(super) fn token_error(&self, kind: Option<Kind>) -> Option<&TokenError> {
        match self {
            Self::Token(error) | Self::Refresh(RefreshError::Token(error)) => Some(error),
            Self::Auth(AuthError::InvalidToken(reasons)) => {
                let class = if kind == Some(Kind::Sliding) { TokenClass::Sliding } else { TokenClass::Access };
                let own = reasons.iter().find(|(other, _)| *other == class).or_else(|| reasons.first());
                own.map(|(_, error)| error)
            }
            _ => None,
        }
    }
}

impl From<Refusal> for RefreshError {
    /// As a refresh answers it.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Token(error) => error.into(),
            Refusal::Refresh(error) => error,
            Refusal::EndsSession(reason) => replay::refusal(reason).into(),
            Refusal::Auth(_) => TokenError::Invalid.into(),
        }
    }
}
