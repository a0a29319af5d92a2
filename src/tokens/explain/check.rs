//! The checks of each use, in the server's order, and how far a token got. The failed check follows from the error that
//! the deciding function returned; no rule is repeated here.

use super::usage::{Refusal, Usage};
use crate::app::App;
use crate::config::TokenClass;
use crate::crypto::decode_error::DecodeError;
use crate::crypto::jwt::Claims;
use crate::journal::reason::Reason;
use crate::tokens::claims::{self, Kind};
use crate::tokens::error::TokenError;
use crate::tokens::presented::RefreshError;
use crate::tokens::verify::AuthError;

/// A check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Three parts in base64url, the header an object.
    Form,
    /// `alg`.
    Algorithm,
    /// `kid`, `crit`, `b64`.
    Header,
    /// The key in the set of `JWT_JWK_URL`.
    Key,
    /// The signature.
    Signature,
    /// The payload is an object.
    Payload,
    /// `iat`.
    Issued,
    /// `nbf`.
    NotBefore,
    /// `exp`, by PyJWT.
    Expiry,
    /// `sub`, `jti` and `iss` are strings.
    Texts,
    /// `iss`.
    Issuer,
    /// `aud`.
    Audience,
    /// The jti can be looked up.
    Record,
    /// The blacklist.
    Blacklist,
    /// `exp` is present, by SimpleJWT.
    Lifetime,
    /// A jti is present.
    Id,
    /// The token type.
    Type,
    /// `refresh_exp` of a sliding token.
    RefreshExpiry,
    /// A user id is present.
    UserId,
    /// The session is open.
    Session,
    /// The user exists and, for a refresh, is active.
    User,
    /// The user is active.
    Active,
    /// The password is the one that the token was made under.
    Password,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The token passed.
    Passed,
    /// The token failed here.
    Failed,
    /// The token failed before.
    NotReached,
}

/// A check and its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The check.
    pub check: Check,
    /// The result.
    pub state: State,
}

/// Lists the checks of a use, each with its result.
pub(super) fn steps(
    app: &App,
    usage: Usage,
    claims: &Claims,
    (fault, refusal): (Option<DecodeError>, Option<&Refusal>),
) -> Vec<Step> {
    let mut checks = of_reading(app, claims);
    checks.extend(of_use(app, usage, claims));
    let failed = fault.map(of_fault).or_else(|| refusal.map(|refusal| of_refusal(app, claims, refusal)));
    let at = failed.map(|failed| {
        checks.iter().position(|check| *check == failed).unwrap_or_else(|| {
            checks.push(failed);
            checks.len() - 1
        })
    });
    let state = |index: usize| match at {
        Some(at) if index == at => State::Failed,
        Some(at) if index > at => State::NotReached,
        _ => State::Passed,
    };
    checks.iter().enumerate().map(|(index, check)| Step { check: *check, state: state(index) }).collect()
}

/// The checks of every token (`claims::read`). Those that neither the settings nor the token call for are left out.
fn of_reading(app: &App, claims: &Claims) -> Vec<Check> {
    let jwt = &app.config.jwt;
    let all = [
        (Check::Form, true),
        (Check::Algorithm, true),
        (Check::Header, true),
        (Check::Key, app.key_set.is_some()),
        (Check::Signature, true),
        (Check::Payload, true),
        (Check::Issued, claims.contains_key("iat")),
        (Check::NotBefore, claims.contains_key("nbf")),
        (Check::Expiry, claims.contains_key("exp")),
        (Check::Texts, true),
        (Check::Issuer, jwt.issuer.is_some()),
        (Check::Audience, !jwt.audience.as_slice().is_empty()),
    ];
    all.into_iter().filter(|(_, is_made)| *is_made).map(|(check, _)| check).collect()
}

/// The checks after that (`refresh::decide`, `renew::look`, `verify::verify_read`, `verify::authenticate_read`).
fn of_use(app: &App, usage: Usage, claims: &Claims) -> Vec<Check> {
    use Check::{Active, Blacklist, Id, Lifetime, Password, Record, RefreshExpiry, Session, Type, User, UserId};
    let jwt = &app.config.jwt;
    let is_sliding = claims::is_kind(app, claims, Kind::Sliding) || jwt.token_type_claim.is_none();
    let as_sliding = jwt.auth_token_classes.contains(&TokenClass::Sliding)
        && (is_sliding || !jwt.auth_token_classes.contains(&TokenClass::Access));
    let all: &[Check] = match usage {
        Usage::Refresh => &[Record, Blacklist, Lifetime, Id, Type, User, Password, Session],
        Usage::SlidingRefresh => &[Record, Blacklist, Lifetime, Id, Type, RefreshExpiry, User, Password, Session],
        Usage::Verify if claims::is_kind(app, claims, Kind::Access) => &[Lifetime, Id, Session],
        Usage::Verify => &[Lifetime, Id, Record, Blacklist, Session],
        Usage::Request if as_sliding && is_sliding => {
            &[Record, Blacklist, Lifetime, Id, Type, UserId, Session, User, Active, Password]
        }
        Usage::Request => &[Lifetime, Id, Type, UserId, Session, User, Active, Password],
    };
    let refreshes = matches!(usage, Usage::Refresh | Usage::SlidingRefresh);
    let is_made = |check: &Check| match check {
        Id => jwt.jti_claim.is_some(),
        Type => jwt.token_type_claim.is_some(),
        Session => refreshes || jwt.check_session,
        Active => jwt.check_user_is_active,
        Password => jwt.check_revoke_token,
        _ => true,
    };
    all.iter().copied().filter(is_made).collect()
}

fn of_fault(fault: DecodeError) -> Check {
    match fault {
        DecodeError::Form => Check::Form,
        DecodeError::Algorithm => Check::Algorithm,
        DecodeError::Header => Check::Header,
        DecodeError::NoKeyId | DecodeError::UnknownKey => Check::Key,
        DecodeError::Signature => Check::Signature,
        DecodeError::Payload => Check::Payload,
        DecodeError::NotATime("iat") | DecodeError::TooEarly("iat") => Check::Issued,
        DecodeError::NotATime("nbf") | DecodeError::TooEarly(_) => Check::NotBefore,
        DecodeError::NotATime(_) | DecodeError::Expired => Check::Expiry,
        DecodeError::NotAText => Check::Texts,
        DecodeError::Issuer => Check::Issuer,
        DecodeError::Audience => Check::Audience,
    }
}

fn of_refusal(app: &App, claims: &Claims, refusal: &Refusal) -> Check {
    let kind = claims::is_kind(app, claims, Kind::Sliding).then_some(Kind::Sliding);
    if let Some(error) = refusal.token_error(kind) {
        return of_token_error(app, claims, error);
    }
    match refusal {
        Refusal::EndsSession(Reason::Reuse) => Check::Blacklist,
        Refusal::EndsSession(_) | Refusal::Auth(AuthError::SessionEnded) => Check::Session,
        Refusal::Refresh(RefreshError::PasswordChanged) | Refusal::Auth(AuthError::PasswordChanged) => Check::Password,
        Refusal::Auth(AuthError::NoUserId) => Check::UserId,
        Refusal::Auth(AuthError::UserInactive) => Check::Active,
        _ => Check::User,
    }
}

fn of_token_error(app: &App, claims: &Claims, error: &TokenError) -> Check {
    match error {
        TokenError::Invalid if claims::jti(app, claims).is_err() => Check::Record,
        TokenError::Expired => Check::Expiry,
        TokenError::ClaimExpired(name) | TokenError::NoClaim(name)
            if *name == app.config.jwt.sliding_token_refresh_exp_claim =>
        {
            Check::RefreshExpiry
        }
        TokenError::Invalid | TokenError::ClaimExpired(_) | TokenError::NoClaim(_) | TokenError::Db(_) => {
            Check::Lifetime
        }
        TokenError::NoId => Check::Id,
        TokenError::NoType | TokenError::WrongType => Check::Type,
        TokenError::Blacklisted | TokenError::Rotated => Check::Blacklist,
        TokenError::SessionEnded => Check::Session,
    }
}
