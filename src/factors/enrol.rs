//! Enrolling a factor: begun by who has just shown their password (`By`), and confirmed by an answer before it counts. The
//! first factor brings recovery codes with it, which are shown once.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{self, AnswerError, Given, Right};
use super::challenge::{self, Purpose, Waiting};
use super::visit::{self, Visit};
use super::{Enrolled, Kind, Method, code};
use crate::accounts::confirm::Confirmed;
use crate::accounts::{link, manage, notice};
use crate::app::{App, Tx};
use crate::crypto::passkey::Registered;
use crate::crypto::totp;
use crate::db::latchkey_second_factor::{self, Factor, NewRow};
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{DbError, latchkey_user};
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;
use crate::journal::{Actor, Client};

/// Longest name of a factor, in characters.
pub const LONGEST_NAME: usize = 100;
/// So many passkeys a user may have.
const MOST_PASSKEYS: usize = 20;

/// Who enrols: somebody who has just given their password. Who has a factor already has shown one besides: whoever knows
/// only the password could add one of their own, and with that take the others away.
pub enum By {
    /// To something that they were logged in to.
    Password {
        /// The password.
        by: Confirmed,
        /// The answer to a challenge for it.
        factor: Option<Right>,
    },
    /// To a login that waits for it: its challenge.
    Login(SecretString),
    /// In a visit to their own account.
    Visit(Visit),
}

/// An enrolment that waits for its answer. No `Debug`: it has secrets.
pub struct Started {
    /// Names it in the answer.
    pub token: SecretString,
    /// What the user needs for the answer.
    pub show: Show,
}

/// What the user needs to answer.
pub enum Show {
    /// For the authenticator app.
    Totp {
        /// To type, in base32.
        secret: SecretString,
        /// `otpauth://…`
        uri: SecretString,
        /// The same as a QR code (SVG).
        qr: SecretString,
    },
    /// For `navigator.credentials.create`.
    Passkey(Value),
    /// A code that `mail::send` sends to this address.
    Email(String),
}

/// Why nothing is enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// There is one of this kind.
    #[error("There is one already. Remove it first.")]
    Exists,
    /// There are too many.
    #[error("These are as many as one may have. Remove one first.")]
    TooMany,
    /// The user has a factor, and has not shown it.
    #[error("You have a second factor: answer a challenge for this one.")]
    FactorRequired,
    /// The password is another one by now.
    #[error("The password was changed meanwhile.")]
    Stale,
    /// The user has no address.
    #[error("Your account has no email address.")]
    NoAddress,
    /// Browsers do not offer passkeys at this address.
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

/// What was enrolled. No `Debug`: it has secrets.
pub struct Done {
    /// The factor.
    pub factor: Factor,
    /// By which method it was confirmed, for a login that waits.
    pub method: Method,
    /// Recovery codes, with the first factor. They are shown once.
    pub recovery_codes: Option<Vec<SecretString>>,
}

/// Begins to enrol. Where a code is to be mailed, `mail::send` does that next.
pub async fn start(app: &App, by: By, kind: Kind, client: &Client) -> Result<Started, EnrolError> {
    let Enroller { purpose, user, uuid, enrolled } = app.write(move |tx| find(tx, &by, kind)).await?;
    let (show, secret) = prepare(app, &user, kind, &enrolled, &uuid)?;
    let client = client.clone();
    let begun = app.write(move |tx| challenge::begin(tx, &user, &client, purpose, kind.name(), Some(&secret)));
    Ok(Started { token: begun.await?, show })
}

/// Who may begin to enrol.
struct Enroller {
    purpose: Purpose,
    user: User,
    /// The user's random id; one that Django made gets it now.
    uuid: String,
    enrolled: Enrolled,
}

fn find(tx: &mut Tx<'_>, by: &By, kind: Kind) -> Result<Enroller, EnrolError> {
    let (purpose, user) = match by {
        By::Password { by, .. } => {
            let user = by.actor().user_id.map(|id| users::find(tx.conn, id)).transpose()?.flatten();
            (Purpose::First, user)
        }
        By::Login(token) => {
            let waiting = challenge::find(tx, token, &[Purpose::Enrolment])?;
            (Purpose::FirstInLogin, waiting.map(|waiting| waiting.user))
        }
        By::Visit(visit) => (Purpose::EnrolInVisit, Some(visit.user().clone())),
    };
    let user = user.ok_or(AnswerError::NoChallenge)?;
    let enrolled = Enrolled::find(tx.conn, user.id)?;
    let purpose = match by {
        By::Password { by, .. } if !by.still_holds(tx, &user)? => return Err(EnrolError::Stale),
        By::Password { factor, .. } if !enrolled.factors.is_empty() => {
            may_add(tx.app, &user, &enrolled, kind)?;
            let right = factor.as_ref().filter(|right| right.user().id == user.id);
            answer::spend(tx, right.ok_or(EnrolError::FactorRequired)?)?;
            Purpose::Enrol
        }
        _ => purpose,
    };
    let known = latchkey_user::find_uuid(tx.conn, user.id)?;
    let uuid = known.clone().unwrap_or_else(manage::new_uuid);
    if known.is_none() {
        latchkey_user::insert(tx.conn, user.id, &uuid)?;
    }
    Ok(Enroller { purpose, user, uuid, enrolled })
}

/// Whether the user may add one of this kind.
pub fn may_add(app: &App, user: &User, enrolled: &Enrolled, kind: Kind) -> Result<(), EnrolError> {
    match kind {
        Kind::Email | Kind::Totp if enrolled.of(kind).next().is_some() => Err(EnrolError::Exists),
        Kind::Email if user.email.is_empty() => Err(EnrolError::NoAddress),
        Kind::Passkey if enrolled.of(kind).count() >= MOST_PASSKEYS => Err(EnrolError::TooMany),
        Kind::Passkey if app.factors.passkeys.is_none() => Err(EnrolError::NoPasskeys),
        Kind::Email | Kind::Totp | Kind::Passkey => Ok(()),
    }
}

/// What is shown, and what the answer will be checked with.
fn prepare(
    app: &App,
    user: &User,
    kind: Kind,
    enrolled: &Enrolled,
    uuid: &str,
) -> Result<(Show, SecretString), EnrolError> {
    let broken = |what: &str| EnrolError::from(DbError::Other(format!("{what} could not be made")));
    may_add(app, user, enrolled, kind)?;
    match kind {
        Kind::Email => Ok((Show::Email(user.email.clone()), user.email.clone().into())),
        Kind::Totp => {
            let secret = totp::new_secret();
            let show = show_totp(app, user, &secret).ok_or_else(|| broken("a QR code"))?;
            Ok((show, secret))
        }
        Kind::Passkey => {
            let passkeys = app.factors.passkeys.as_ref().ok_or(EnrolError::NoPasskeys)?;
            let uuid = Uuid::try_parse(uuid).map_err(|_| broken("a user's id"))?;
            let asked = passkeys.start_registration(uuid, &user.username, &enrolled.passkeys());
            let asked = asked.map_err(|_| broken("a passkey's question"))?;
            Ok((Show::Passkey(asked.options), asked.state.into()))
        }
    }
}

fn show_totp(app: &App, user: &User, secret: &SecretString) -> Option<Show> {
    let uri = totp::uri(secret, &app.config.mail.site_name, &user.username)?;
    let qr = totp::qr_svg(&uri)?;
    Some(Show::Totp { secret: secret.clone(), uri, qr })
}

/// What was shown when this was begun in a visit, to be shown again after a wrong answer. `None` where nothing waits any
/// more, and of a passkey: a browser is asked a new question.
pub async fn show_again(app: &App, visit: &Visit, token: SecretString) -> Result<Option<Show>, DbError> {
    let user = visit.user().id;
    let found = app.read(move |tx| challenge::find(tx, &token, &[Purpose::EnrolInVisit])).await?;
    let Some(waiting) = found.filter(|waiting| waiting.user.id == user) else { return Ok(None) };
    let Some(secret) = challenge::secret(app, &waiting.row) else { return Ok(None) };
    Ok(match Kind::of(&waiting.row.what) {
        Some(Kind::Totp) => show_totp(app, &waiting.user, &secret),
        Some(Kind::Email) => Some(Show::Email(secret.expose_secret().to_owned())),
        Some(Kind::Passkey) | None => None,
    })
}

/// An answer that was right when it was looked at.
pub struct Proven {
    waiting: Waiting,
    kind: Kind,
    data: String,
    credential_id: Option<String>,
    last_step: Option<i64>,
}

impl Proven {
    /// By which method.
    pub fn method(&self) -> Method {
        Method::Factor(self.kind)
    }
}

/// Takes the answer; from then on the factor counts. Of logins that wait for it `tokens::login` does this.
pub async fn finish(
    app: &App,
    token: SecretString,
    given: Given,
    name: Option<String>,
    client: &Client,
) -> Result<Done, EnrolError> {
    let proven = check(app, token, &[Purpose::First, Purpose::Enrol], given).await?;
    let client = client.clone();
    let done = app.write(move |tx| add(tx, &proven, name.as_deref(), &client).map(|(done, _)| done));
    done.await
}

/// The same in a visit, which has shown a factor from then on.
pub async fn finish_in_visit(
    app: &App,
    visit: &Visit,
    token: SecretString,
    given: Given,
    name: Option<String>,
    client: &Client,
) -> Result<Done, EnrolError> {
    let proven = check(app, token, &[Purpose::EnrolInVisit], given).await?;
    if proven.waiting.user.id != visit.user().id {
        return Err(AnswerError::NoChallenge.into());
    }
    let (visit, client) = (visit.clone(), client.clone());
    app.write(move |tx| {
        visit::lock(tx, &visit)?;
        let (done, _) = add(tx, &proven, name.as_deref(), &client)?;
        visit::note_factor(tx.conn, &visit)?;
        Ok::<_, EnrolError>(done)
    })
    .await
}

/// Looks at the answer; it counts against its challenge before.
pub async fn check(
    app: &App,
    token: SecretString,
    purposes: &'static [Purpose],
    given: Given,
) -> Result<Proven, AnswerError> {
    let found = app.write(move |tx| {
        let Some(waiting) = challenge::find(tx, &token, purposes)? else { return Ok(None) };
        Ok::<_, DbError>(challenge::count_try(tx.conn, &waiting.row)?.then_some(waiting))
    });
    let waiting = found.await?.ok_or(AnswerError::NoChallenge)?;
    prove(app, waiting, given).ok_or(AnswerError::Wrong)
}

fn prove(app: &App, waiting: Waiting, given: Given) -> Option<Proven> {
    let (row, user) = (&waiting.row, waiting.user.id);
    let (kind, secret) = (Kind::of(&row.what)?, challenge::secret(app, row)?);
    let (data, credential_id, last_step) = match (kind, given) {
        (Kind::Email, Given::Code(typed)) => {
            let address = code::is_mailed(app, row, &typed).then(|| secret.expose_secret().to_owned())?;
            (address, None, None)
        }
        (Kind::Totp, Given::Code(typed)) => {
            let step = totp::check(&secret, typed.expose_secret(), app.now().timestamp())?;
            (app.factors.seal.seal(&answer::totp_context(user), &secret), None, Some(step))
        }
        (Kind::Passkey, Given::Passkey(answer)) => {
            let registered = app.factors.passkeys.as_ref()?.finish_registration(secret.expose_secret(), &answer);
            let Registered { credential_id, data } = registered.ok()?;
            (data, Some(credential_id), None)
        }
        _ => return None,
    };
    Some(Proven { waiting, kind, data, credential_id, last_step })
}

/// Adds the factor, in a transaction, under the lock on the user's row. Answers the user besides.
pub fn add(tx: &mut Tx<'_>, proven: &Proven, name: Option<&str>, client: &Client) -> Result<(Done, User), EnrolError> {
    let (now, waiting) = (tx.now, &proven.waiting);
    let gone = || EnrolError::Answer(AnswerError::NoChallenge);
    let user = users::lock(tx.conn, &UserRef::Id(waiting.user.id), Intent::Revoke)?.ok_or_else(gone)?;
    if !challenge::spend(tx, waiting, &user)? {
        return Err(gone());
    }
    // Who only knows the password may add the first factor, and no other one.
    let enrolled = Enrolled::find(tx.conn, user.id)?;
    let is_first = matches!(waiting.purpose, Purpose::First | Purpose::FirstInLogin);
    if is_first && !enrolled.factors.is_empty() {
        return Err(gone());
    }
    // Several may have been begun while there was room for one.
    may_add(tx.app, &user, &enrolled, proven.kind)?;
    let row = NewRow {
        user_id: user.id,
        kind: proven.kind.name(),
        name: name.unwrap_or(proven.kind.title()),
        data: &proven.data,
        credential_id: proven.credential_id.as_deref(),
        last_step: proven.last_step,
        created_at: now,
    };
    let factor = latchkey_second_factor::insert(tx.conn, &row).map_err(|error| match error {
        DbError::Unique(_) => EnrolError::Exists,
        other => other.into(),
    })?;
    let has_codes = enrolled.recovery_codes() > 0;
    if enrolled.factors.is_empty() {
        // Whoever knew only the password may have asked to change the address.
        link::forget_for(tx.conn, link::Purpose::EmailChange, user.id)?;
    }
    let recovery_codes = if has_codes { None } else { Some(code::replace(tx, user.id)?) };
    let (detail, actor) = (json!({"kind": factor.kind, "name": factor.name}), Actor::user(&user, client));
    AuditEntry::new(Action::FactorAdd, &actor).about_user(&user).detail(detail).write(tx)?;
    notice::factor_added(tx, &user, proven.kind, &actor)?;
    Ok((Done { factor, method: proven.method(), recovery_codes }, user))
}
