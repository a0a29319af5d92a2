//! "Explain a token": why it is accepted or refused, here and now. Nothing is decided here: each use of the token is
//! tried with the functions that decide on real requests (`trial`), and the results are laid out as steps (`check`).
//! Nothing is written or kept. The panel's page puts it into words.

pub mod check;
pub mod pasted;
pub mod trial;
pub mod usage;

use super::claims::{self, Kind};
use super::presented;
use crate::app::{App, Tx};
use crate::crypto::decode_error::DecodeError;
use crate::crypto::jwt::{self, Claims};
use crate::db::DbError;
use crate::db::latchkey_session::Session;
use crate::db::outstanding_tokens::{self, Detail};
use crate::db::types::{Instant, TokenId};
use crate::db::users::User;
use crate::sessions;
use pasted::Pasted;
use trial::Trial;
use usage::Usage;

/// The answer to what was pasted.
pub enum Answer {
    /// Nothing was pasted.
    Nothing,
    /// No recorded token has this jti.
    UnknownJti(String),
    /// A token, or a text that the server treats as an invalid one.
    Token(Box<Explanation>),
}

/// Everything about one token. No `Debug`: header and payload are nearly the whole token.
pub struct Explanation {
    /// The text without the signature, if it has the form of a token.
    pub unsigned: Option<String>,
    /// The length of the text, in bytes.
    pub length: usize,
    /// Whether it has a signature; stored tokens have none.
    pub is_signed: bool,
    /// Whether it is one word of ASCII: anything else cannot be sent in a header.
    pub is_word: bool,
    /// The header, unchecked.
    pub header: Claims,
    /// The claims, unchecked.
    pub claims: Claims,
    /// The type, if the claim has a known one.
    pub kind: Option<Kind>,
    /// The key that verifies the signature.
    pub signed_by: SignedBy,
    /// One trial for each use; the intended use comes first.
    pub trials: Vec<Trial>,
    /// What the database knows about it.
    pub facts: Facts,
    /// When this was determined.
    pub now: Instant,
}

/// The origin of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBy {
    /// No signature: this is the stored text.
    NoSignature,
    /// This server's own key, with its id.
    OwnKey(String),
    /// The key with this id in the set of `JWT_JWK_URL`.
    KeySet(String),
    /// This server's own key, which does not count because `JWT_JWK_URL` is set.
    OwnKeyOutOfUse,
    /// No key that is in use.
    Nobody,
}

/// What the database knows about a token. No `Debug`: Django stores whole tokens.
#[derive(Default)]
pub struct Facts {
    /// The row, its blacklisting, its predecessor and successor.
    pub recorded: Option<Detail>,
    /// The user whom the claims name.
    pub user: Option<User>,
    /// The session: by the record, or else by the claim.
    pub session: Option<Session>,
}

/// Explains what was pasted.
///
/// # Errors
/// Only if the database fails.
pub async fn explain(app: &App, pasted: &str) -> Result<Answer, DbError> {
    match Pasted::read(pasted) {
        Pasted::Nothing => Ok(Answer::Nothing),
        Pasted::Token(token) => about(app, &token, None).await,
        Pasted::Jti(jti) => {
            let wanted = jti.clone();
            let stored = app.read(move |tx| stored(tx, &wanted)).await?;
            match stored {
                Some((id, token)) => about(app, &token, Some(id)).await,
                None => Ok(Answer::UnknownJti(jti)),
            }
        }
    }
}

/// The stored text of a jti: `header.payload`, or a whole token if Django wrote it.
fn stored(tx: &mut Tx<'_>, jti: &str) -> Result<Option<(TokenId, String)>, DbError> {
    let Some(recorded) = outstanding_tokens::find_by_jti(tx.conn, jti)? else { return Ok(None) };
    let detail = outstanding_tokens::find_detail(tx.conn, &tx.app.users, recorded.id)?;
    Ok(detail.map(|detail| (recorded.id, detail.token)))
}

async fn about(app: &App, token: &str, id: Option<TokenId>) -> Result<Answer, DbError> {
    let is_signed = token.split('.').count() != 2;
    let read = if is_signed {
        claims::read(app, token).await
    } else {
        jwt::decode_unsigned(token, app.config.jwt.algorithm, &claims::expected(app))
    };
    let (header, payload) = jwt::peek(token).unwrap_or_default();
    let kind = [Kind::Access, Kind::Refresh, Kind::Sliding];
    let kind = kind.into_iter().find(|kind| claims::is_kind(app, &payload, *kind));
    let said = payload.clone();
    let facts = app.read(move |tx| find(tx, &said, id)).await?;
    let mut trials = Vec::new();
    for usage in Usage::of(kind) {
        trials.push(trial::run(app, usage, &read, &payload).await?);
    }
    Ok(Answer::Token(Box::new(Explanation {
        unsigned: jwt::peek(token).map(|_| token.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")),
        length: token.len(),
        is_signed,
        is_word: token.bytes().all(|byte| byte.is_ascii_graphic()),
        signed_by: signed_by(app, token, is_signed, &read),
        header,
        claims: payload,
        kind,
        trials,
        facts,
        now: app.now(),
    })))
}

fn signed_by(app: &App, token: &str, is_signed: bool, read: &Result<Claims, DecodeError>) -> SignedBy {
    use DecodeError::{Algorithm, Form, Header, NoKeyId, Signature, UnknownKey};
    if !is_signed {
        return SignedBy::NoSignature;
    }
    // Faults other than these are found after the signature, so the signature was valid.
    let is_good = !matches!(read, Err(Form | Algorithm | Header | NoKeyId | UnknownKey | Signature));
    match (&app.key_set, is_good) {
        (None, true) => SignedBy::OwnKey(app.keys.kid().to_owned()),
        (Some(_), true) => SignedBy::KeySet(jwt::kid(token, app.config.jwt.algorithm).unwrap_or_default()),
        (Some(_), false) if jwt::is_signed_with(app.keys.verifying(), token) => SignedBy::OwnKeyOutOfUse,
        (_, false) => SignedBy::Nobody,
    }
}

/// Looks up what the database knows about a token with these claims, verified or not.
fn find(tx: &mut Tx<'_>, claims: &Claims, id: Option<TokenId>) -> Result<Facts, DbError> {
    let by_jti = match claims::jti(tx.app, claims) {
        Ok(Some(jti)) => outstanding_tokens::find_by_jti(tx.conn, jti)?,
        Ok(None) | Err(_) => None,
    };
    let recorded = match by_jti.as_ref().map(|recorded| recorded.id).or(id) {
        Some(id) => outstanding_tokens::find_detail(tx.conn, &tx.app.users, id)?,
        None => None,
    };
    let session = match by_jti.and_then(|recorded| recorded.session) {
        Some(session) => Some(session),
        None => sessions::named(tx, claims)?,
    };
    Ok(Facts { recorded, user: presented::find_user(tx, claims, None)?, session })
}

impl Explanation {
    /// The intended use.
    pub fn main(&self) -> Option<&Trial> {
        self.trials.first()
    }

    /// Whether the signature is valid.
    pub fn is_well_signed(&self) -> bool {
        matches!(self.signed_by, SignedBy::OwnKey(_) | SignedBy::KeySet(_))
    }

    /// When its intended use stops being accepted, if it is accepted now: the earliest limit.
    pub fn until(&self, app: &App) -> Option<Instant> {
        let main = self.main().filter(|main| main.refusal.is_none())?;
        let (jwt, limits) = (&app.config.jwt, &app.config.sessions);
        let time = |name: &str| Instant::from_timestamp(self.claims.get(name)?.as_i64()?);
        let mut ends: Vec<Instant> = time("exp").map(|exp| exp + jwt.leeway).into_iter().collect();
        if main.usage == Usage::SlidingRefresh {
            ends.extend(time(&jwt.sliding_token_refresh_exp_claim).map(|exp| exp + jwt.leeway));
        }
        let looks_at_session = matches!(main.usage, Usage::Refresh | Usage::SlidingRefresh) || jwt.check_session;
        if let (Some(session), true) = (&self.facts.session, looks_at_session) {
            ends.extend(limits.max_age.map(|age| session.created_at + age));
            let used = session.last_used().max(time("iat").unwrap_or(session.created_at));
            ends.extend(limits.idle_timeout.map(|idle| used + idle));
        }
        ends.into_iter().min()
    }
}
