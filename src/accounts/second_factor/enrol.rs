//! Enrolling a factor: begun by who has just shown their password, and confirmed by an answer before it counts. The first
//! factor brings recovery codes with it, which are shown once.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{self, AnswerError, Given};
use super::challenge::{self, Purpose, Waiting};
use super::{Enrolled, Kind, Method, code};
use crate::accounts::confirm::Confirmed;
use crate::accounts::failed_login::Door;
use crate::accounts::{Actor, Client, audit, manage, notice};
use crate::app::App;
use crate::crypto::digest::equal;
use crate::crypto::passkey::Registered;
use crate::crypto::totp;
use crate::db::latchkey_second_factor::{self, NewRow};
use crate::db::types::RowId;
use crate::db::users::{self, Intent, User, UserRef};
use crate::db::{Conn, DbError, latchkey_recovery_code, latchkey_user};

/// Longest name of a factor, in characters.
pub const LONGEST_NAME: usize = 100;

/// An enrolment that waits for its answer.
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
    /// A code is on its way to the user's address.
    Email,
}

/// Why nothing is enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// There is one of this kind.
    #[error("There is one already. Remove it first.")]
    Exists,
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

/// What was enrolled.
pub struct Done {
    /// Its id.
    pub id: RowId,
    /// By which method it was confirmed, for a login that waits.
    pub method: Method,
    /// Recovery codes, with the first factor. They are shown once.
    pub recovery_codes: Option<Vec<SecretString>>,
}

/// Begins to enrol; `by` is the proof that it is really the user. Where a code is mailed, `mail::send` does that next.
pub async fn start(app: &Arc<App>, by: &Confirmed, user: &User, kind: Kind) -> Result<Started, EnrolError> {
    debug_assert_eq!(by.actor().user_id, Some(user.id), "factors are enrolled by their users");
    let (id, uuid) = (user.id, manage::new_uuid());
    let (enrolled, uuid) = app
        .db
        .write(move |conn| {
            let known = latchkey_user::find_uuid(conn, id)?;
            if known.is_none() {
                latchkey_user::insert(conn, id, &uuid)?;
            }
            Ok::<_, DbError>((Enrolled::find(conn, id)?, known.unwrap_or_else(|| uuid.clone())))
        })
        .await?;
    if kind != Kind::Passkey && enrolled.of(kind).next().is_some() {
        return Err(EnrolError::Exists);
    }
    let (show, secret) = prepare(app, user, kind, &enrolled, &uuid)?;
    let (shared, user) = (Arc::clone(app), user.clone());
    let token =
        app.db.write(move |conn| challenge::begin(&shared, conn, &user, Purpose::Enrol, kind.name(), secret.as_ref()));
    Ok(Started { token: token.await?, show })
}

/// What is shown, and what the answer will be checked with.
fn prepare(
    app: &App,
    user: &User,
    kind: Kind,
    enrolled: &Enrolled,
    uuid: &str,
) -> Result<(Show, Option<SecretString>), EnrolError> {
    let broken = |what: &str| EnrolError::from(DbError::Other(format!("{what} could not be made")));
    match kind {
        Kind::Email if user.email.is_empty() => Err(EnrolError::NoAddress),
        Kind::Email => Ok((Show::Email, None)),
        Kind::Totp => {
            let secret = totp::new_secret();
            let uri = totp::uri(&secret, &app.config.mail.site_name, &user.username).ok_or_else(|| broken("a TOTP"))?;
            let qr = totp::qr_svg(&uri).ok_or_else(|| broken("a QR code"))?;
            Ok((Show::Totp { secret: secret.clone(), uri, qr }, Some(secret)))
        }
        Kind::Passkey => {
            let passkeys = app.factors.passkeys.as_ref().ok_or(EnrolError::NoPasskeys)?;
            let uuid = Uuid::try_parse(uuid).map_err(|_| broken("a user's id"))?;
            let asked = passkeys.start_registration(uuid, &user.username, &enrolled.passkeys());
            let asked = asked.map_err(|_| broken("a passkey's question"))?;
            Ok((Show::Passkey(asked.options), Some(asked.state.into())))
        }
    }
}

/// A factor that was shown to work.
struct Proven {
    kind: Kind,
    data: String,
    credential_id: Option<String>,
    last_step: Option<i64>,
}

/// Takes the answer; from then on the factor counts.
pub async fn finish(
    app: &Arc<App>,
    token: SecretString,
    given: Given,
    name: &str,
    client: &Client,
) -> Result<Done, EnrolError> {
    let shared = Arc::clone(app);
    let found = app.db.read(move |conn| challenge::find(&shared, conn, &token, Purpose::Enrol)).await?;
    let Some(waiting) = found else { return Err(AnswerError::NoChallenge.into()) };
    let Some(proven) = prove(app, &waiting, given) else {
        answer::note_wrong(app, &waiting, Door::Api, client).await?;
        return Err(AnswerError::Wrong.into());
    };
    let (shared, actor, name) = (Arc::clone(app), Actor::user(&waiting.user, client), name.to_owned());
    let (codes, method) = (code::recovery(), Method::Factor(proven.kind));
    let shown = codes.clone();
    let (id, is_first) = app.db.write(move |conn| add(&shared, conn, &waiting, &proven, &name, &actor, &codes)).await?;
    app.mailer.ring();
    Ok(Done { id, method, recovery_codes: is_first.then_some(shown) })
}

fn prove(app: &App, waiting: &Waiting, given: Given) -> Option<Proven> {
    let (row, now) = (&waiting.row, app.now());
    let kind = Kind::of(&row.what)?;
    let plain = |data: String| Proven { kind, data, credential_id: None, last_step: None };
    match (kind, given) {
        (Kind::Email, Given::Code(Method::Factor(Kind::Email), typed)) => {
            let hash = code::mailed_hash(app, &row.token_hash, &typed);
            let is_right = row.code_expires_at? > now && equal(row.code_hash.as_ref()?.as_bytes(), hash.as_bytes());
            is_right.then(|| plain(String::new()))
        }
        (Kind::Totp, Given::Code(Method::Factor(Kind::Totp), typed)) => {
            let secret = challenge::secret(app, row)?;
            let step = totp::check(&secret, typed.expose_secret(), now.timestamp())?;
            let data = app.factors.seal.seal(&answer::totp_context(waiting.user.id), &secret);
            Some(Proven { last_step: Some(step), ..plain(data) })
        }
        (Kind::Passkey, Given::Passkey(answer)) => {
            let state = challenge::secret(app, row)?;
            let registered = app.factors.passkeys.as_ref()?.finish_registration(state.expose_secret(), &answer);
            let Registered { credential_id, data } = registered.ok()?;
            Some(Proven { credential_id: Some(credential_id), ..plain(data) })
        }
        _ => None,
    }
}

/// One transaction, under the lock on the user's row. Answers the factor's id, and whether it is the user's first.
fn add(
    app: &App,
    conn: &mut Conn,
    waiting: &Waiting,
    proven: &Proven,
    name: &str,
    actor: &Actor,
    codes: &[SecretString],
) -> Result<(RowId, bool), EnrolError> {
    let now = app.now();
    let gone = || EnrolError::Answer(AnswerError::NoChallenge);
    let user = users::lock(conn, &UserRef::Id(waiting.user.id), Intent::Revoke)?.ok_or_else(gone)?;
    if !challenge::spend(app, conn, &waiting.row, &user, Purpose::Enrol)? {
        return Err(gone());
    }
    let row = NewRow {
        user_id: user.id,
        kind: proven.kind.name(),
        name,
        data: &proven.data,
        credential_id: proven.credential_id.as_deref(),
        last_step: proven.last_step,
        created_at: now,
    };
    let id = latchkey_second_factor::insert(conn, &row).map_err(|error| match error {
        DbError::Unique(_) => EnrolError::Exists,
        other => other.into(),
    })?;
    let is_first = latchkey_recovery_code::count_unused(conn, user.id)? == 0;
    if is_first {
        let hashes: Vec<_> = codes.iter().map(|code| code::recovery_hash(app, user.id, code)).collect();
        latchkey_recovery_code::replace(conn, user.id, &hashes, now)?;
    }
    let detail = json!({"kind": proven.kind.name(), "name": name});
    audit::write_with(conn, now, actor, "second_factor.add", Some(user.id), &user.username, &detail)?;
    notice::factor_added(app, conn, &user, proven.kind, actor)?;
    Ok((id, is_first))
}
