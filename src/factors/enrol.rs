//! Begins to enrol a factor: who may (`EnrolmentAuthority`), and what the user is shown. The factor counts once it is
//! confirmed, see `enrolment`.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use uuid::Uuid;

use super::answer::{self, AnswerError, VerifiedAnswer};
use super::challenge::{self, EnrolmentBasis, Purpose};
use super::enrolled::Enrolled;
use crate::accounts::account_session::AccountSession;
use crate::accounts::confirm::Confirmed;
use crate::accounts::manage;
use crate::app::{App, Tx};
use crate::crypto::totp;
use crate::db::users::User;
use crate::db::{DbError, latchkey_user};
use crate::journal::Client;
use crate::journal::authentication::FactorKind;

/// How many passkeys a user may have.
const MAX_PASSKEYS: usize = 20;

/// What authorises a user to enrol a factor.
pub enum EnrolmentAuthority {
    /// The password. A user with a factor must use it as well: if the password alone could add a factor, a thief could
    /// use the new one to remove the others.
    Password {
        /// The password.
        by: Confirmed,
        /// The answer to a challenge for this purpose.
        factor: Option<VerifiedAnswer>,
    },
    /// The challenge of a login that waits for its first factor.
    PendingLogin(SecretString),
    /// An account session.
    AccountSession(AccountSession),
}

/// An enrolment that waits for its answer. No `Debug`: it holds secrets.
pub struct Started {
    /// The token that the answer names.
    pub token: SecretString,
    /// What the user needs for the answer.
    pub show: Show,
}

/// What the user needs to answer.
pub enum Show {
    /// For the authenticator app.
    Totp {
        /// In base32, to type in.
        secret: SecretString,
        /// `otpauth://…`
        uri: SecretString,
        /// The URI as a QR code (SVG).
        qr: SecretString,
    },
    /// For `navigator.credentials.create`.
    Passkey(Value),
    /// The address that `mail::send` sends a code to.
    Email(String),
}

/// Why a factor was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The user already has one of this kind.
    #[error("You already have one. Remove it first.")]
    Exists,
    /// The user has too many.
    #[error("You already have the maximum number. Remove one first.")]
    TooMany,
    /// The user has a factor and has not used it.
    #[error("You already have a second factor: answer a challenge with it first.")]
    FactorRequired,
    /// The password has changed since it was checked.
    #[error("The password was changed in the meantime.")]
    Stale,
    /// The user has no address.
    #[error("Your account has no email address.")]
    NoAddress,
    /// Browsers do not offer passkeys on this site.
    #[error("Passkeys need https, or localhost.")]
    NoPasskeys,
    /// The answer was refused.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

impl From<DbError> for EnrolError {
    fn from(error: DbError) -> Self {
        Self::Answer(error.into())
    }
}

/// Begins an enrolment. If it needs a mailed code, call `mail::send` next.
pub async fn start(
    app: &App,
    authority: EnrolmentAuthority,
    kind: FactorKind,
    client: &Client,
) -> Result<Started, EnrolError> {
    let Enroller { basis, user, uuid, enrolled } = app.write(move |tx| authorize(tx, &authority, kind)).await?;
    let (show, secret) = prepare(app, kind, (&user, &uuid), &enrolled)?;
    let client = client.clone();
    let purpose = Purpose::Enrol(kind, basis);
    let begun = app.write(move |tx| challenge::begin_with(tx, &user, &client, (purpose, Some(&secret))));
    Ok(Started { token: begun.await?, show })
}

/// A user who may begin to enrol.
struct Enroller {
    basis: EnrolmentBasis,
    user: User,
    /// The user's random id; a user whom Django created gets one now.
    uuid: String,
    enrolled: Enrolled,
}

fn authorize(tx: &mut Tx<'_>, authority: &EnrolmentAuthority, kind: FactorKind) -> Result<Enroller, EnrolError> {
    let (basis, user) = match authority {
        EnrolmentAuthority::Password { by, .. } => {
            let user = by.actor().user_id.map(|id| tx.app.users.find(tx.conn, id)).transpose()?.flatten();
            (EnrolmentBasis::Password, user)
        }
        EnrolmentAuthority::PendingLogin(token) => {
            let pending = challenge::find(tx, token, |purpose| matches!(purpose, Purpose::LoginWithoutFactor(_)))?;
            (EnrolmentBasis::PendingLogin, pending.map(|pending| pending.user))
        }
        EnrolmentAuthority::AccountSession(session) => (EnrolmentBasis::AccountSession, Some(session.user().clone())),
    };
    let user = user.ok_or(AnswerError::NoChallenge)?;
    let enrolled = Enrolled::find(tx.conn, user.id)?;
    let basis = match authority {
        EnrolmentAuthority::Password { by, .. } if !by.still_holds(tx, &user)? => return Err(EnrolError::Stale),
        EnrolmentAuthority::Password { factor, .. } if !enrolled.factors.is_empty() => {
            may_add(tx.app, &user, &enrolled, kind)?;
            let verified = factor.as_ref().filter(|verified| verified.user().id == user.id);
            answer::spend(tx, verified.ok_or(EnrolError::FactorRequired)?)?;
            EnrolmentBasis::Factor
        }
        _ => basis,
    };
    let known = latchkey_user::find_uuid(tx.conn, user.id)?;
    let uuid = known.clone().unwrap_or_else(manage::new_uuid);
    if known.is_none() {
        latchkey_user::insert(tx.conn, user.id, &uuid)?;
    }
    Ok(Enroller { basis, user, uuid, enrolled })
}

/// Whether the user may add a factor of this kind.
pub fn may_add(app: &App, user: &User, enrolled: &Enrolled, kind: FactorKind) -> Result<(), EnrolError> {
    match kind {
        FactorKind::Email | FactorKind::Totp if enrolled.of(kind).next().is_some() => Err(EnrolError::Exists),
        FactorKind::Email if user.email.is_empty() => Err(EnrolError::NoAddress),
        FactorKind::Passkey if enrolled.of(kind).count() >= MAX_PASSKEYS => Err(EnrolError::TooMany),
        FactorKind::Passkey if app.factors.passkeys.is_none() => Err(EnrolError::NoPasskeys),
        FactorKind::Email | FactorKind::Totp | FactorKind::Passkey => Ok(()),
    }
}

/// Prepares what the user is shown, and the secret that the answer is checked against.
fn prepare(
    app: &App,
    kind: FactorKind,
    (user, uuid): (&User, &str),
    enrolled: &Enrolled,
) -> Result<(Show, SecretString), EnrolError> {
    let broken = |what: &str| EnrolError::from(DbError::Other(format!("{what} could not be made")));
    may_add(app, user, enrolled, kind)?;
    match kind {
        FactorKind::Email => Ok((Show::Email(user.email.clone()), user.email.clone().into())),
        FactorKind::Totp => {
            let secret = totp::new_secret();
            let show = show_totp(app, user, &secret).ok_or_else(|| broken("a QR code"))?;
            Ok((show, secret))
        }
        FactorKind::Passkey => {
            let passkeys = app.factors.passkeys.as_ref().ok_or(EnrolError::NoPasskeys)?;
            let uuid = Uuid::try_parse(uuid).map_err(|_| broken("a user's id"))?;
            let asked = passkeys.start_registration(uuid, &user.username, &enrolled.passkeys());
            let asked = asked.map_err(|_| broken("a passkey's options"))?;
            Ok((Show::Passkey(asked.options), asked.state.into()))
        }
    }
}

fn show_totp(app: &App, user: &User, secret: &SecretString) -> Option<Show> {
    let uri = totp::uri(secret, &app.config.mail.site_name, &user.username)?;
    let qr = totp::qr_svg(&uri)?;
    Some(Show::Totp { secret: secret.clone(), uri, qr })
}

/// Returns what was shown when this enrolment began in an account session, to show it again after a wrong answer.
/// `None` if the enrolment is over, and for a passkey, because browsers need new options.
pub async fn show_again(app: &App, session: &AccountSession, token: SecretString) -> Result<Option<Show>, DbError> {
    let is_in_session = |purpose| matches!(purpose, Purpose::Enrol(_, EnrolmentBasis::AccountSession));
    let found = app.read(move |tx| challenge::find(tx, &token, is_in_session)).await?;
    let Some(pending) = found.filter(|pending| pending.user.id == session.user().id) else { return Ok(None) };
    let Some(secret) = challenge::secret(app, &pending.row) else { return Ok(None) };
    Ok(match pending.purpose {
        Purpose::Enrol(FactorKind::Totp, _) => show_totp(app, &pending.user, &secret),
        Purpose::Enrol(FactorKind::Email, _) => Some(Show::Email(secret.expose_secret().to_owned())),
        _ => None,
    })
}
