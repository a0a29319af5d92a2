//! The claims of each kind of token: built as SimpleJWT builds them and checked in its order. Also reads the user id.

use serde_json::{Value, json};

use super::error::TokenError;
use crate::app::App;
use crate::config::{Audience, ExtraClaim, UserIdClaimType};
use crate::crypto::decode_error::DecodeError;
use crate::crypto::digest::md5_upper_hex;
use crate::crypto::jwt::{self, Claims, Expect};
use crate::crypto::random;
use crate::db::types::{Instant, UserId};
use crate::db::user_table::Identity;
use crate::db::users::{User, UserRef};
use crate::journal::authentication::{FactorKind, Method};

/// SimpleJWT's token types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `access`
    Access,
    /// `refresh`
    Refresh,
    /// `sliding`
    Sliding,
}

impl Kind {
    /// The value of the token type claim.
    pub fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Sliding => "sliding",
        }
    }
}

/// A new token without a user: type, `exp`, `iat`, jti, in SimpleJWT's order, then audience and issuer.
pub fn new(app: &App, kind: Kind, now: Instant) -> Claims {
    let jwt = &app.config.jwt;
    let mut claims = Claims::new();
    if let Some(name) = &jwt.token_type_claim {
        claims.insert(name.clone(), json!(kind.name()));
    }
    set_times(app, &mut claims, kind, now);
    set_jti(app, &mut claims);
    if kind == Kind::Sliding {
        let until = now + jwt.sliding_token_refresh_lifetime;
        claims.insert(jwt.sliding_token_refresh_exp_claim.clone(), json!(until.timestamp()));
    }
    claims
}

/// Sets new `exp` and `iat`.
pub fn set_times(app: &App, claims: &mut Claims, kind: Kind, now: Instant) {
    let lifetime = match kind {
        Kind::Access => app.config.jwt.access_token_lifetime,
        Kind::Refresh => app.config.jwt.refresh_token_lifetime,
        Kind::Sliding => app.config.jwt.sliding_token_lifetime,
    };
    claims.insert("exp".to_owned(), json!((now + lifetime).timestamp()));
    claims.insert("iat".to_owned(), json!(now.timestamp()));
}

/// Gives the token a new id.
pub fn set_jti(app: &App, claims: &mut Claims) {
    if let Some(name) = &app.config.jwt.jti_claim {
        claims.insert(name.clone(), json!(random::jti()));
    }
}

/// Adds audience and issuer, as SimpleJWT's backend does when it encodes.
pub fn finish(app: &App, claims: &mut Claims) {
    let jwt = &app.config.jwt;
    match &jwt.audience {
        Audience::None => {}
        Audience::One(one) => drop(claims.insert("aud".to_owned(), json!(one))),
        Audience::Many(many) => drop(claims.insert("aud".to_owned(), json!(many))),
    }
    if let Some(issuer) = &jwt.issuer {
        claims.insert("iss".to_owned(), json!(issuer));
    }
}

/// Adds the user's id, and the revoke claim if it is enabled.
pub fn set_user(app: &App, claims: &mut Claims, user: &User, uuid: Option<&str>) {
    let jwt = &app.config.jwt;
    let id = match (&app.users.identity, user.id) {
        (Identity::Key, UserId::Integer(id)) if jwt.user_id_claim_type == Some(UserIdClaimType::Number) => json!(id),
        (Identity::Key, id) => json!(id.to_string()),
        (Identity::Uuid, _) => json!(uuid.unwrap_or_default()),
        (Identity::Column(_), _) => json!(user.reference),
    };
    claims.insert(jwt.user_id_claim.clone(), id);
    if jwt.check_revoke_token {
        claims.insert(jwt.revoke_token_claim.clone(), json!(revoke_value(user)));
    }
}

/// Adds how and when the user logged in, if enabled: RFC 8176, and OpenID Connect Core 1.0, section 2.
pub fn set_auth(app: &App, claims: &mut Claims, now: Instant, factor: Option<Method>) {
    if !app.config.second_factor.auth_claims {
        return;
    }
    let how = match factor {
        None => json!(["pwd"]),
        // NIST does not count email as a second factor (SP 800-63B-4, 3.1.3.1): `mfa` must not claim otherwise.
        Some(factor @ Method::Factor(FactorKind::Email)) => json!(["pwd", factor.amr()]),
        Some(factor) => json!(["pwd", factor.amr(), "mfa"]),
    };
    claims.insert("amr".to_owned(), how);
    claims.insert("auth_time".to_owned(), json!(now.timestamp()));
}

/// The value of the revoke claim: it changes with the password.
pub fn revoke_value(user: &User) -> String {
    md5_upper_hex(user.password.0.as_bytes())
}

/// Whether the token was made under the user's current password.
pub fn has_revoke_value(app: &App, claims: &Claims, user: &User) -> bool {
    claims.get(&app.config.jwt.revoke_token_claim).is_some_and(|value| *value == revoke_value(user))
}

/// Adds the extra claims (the pair endpoint), or only updates those that are present (a refresh).
pub fn set_extra(app: &App, claims: &mut Claims, user: &User, only_present: bool) {
    for extra in &app.config.jwt.extra_claims {
        let (name, value) = match extra {
            ExtraClaim::Email => ("email", json!(user.email)),
            ExtraClaim::Username => ("username", json!(user.username)),
            ExtraClaim::FirstName => ("first_name", json!(user.first_name)),
            ExtraClaim::LastName => ("last_name", json!(user.last_name)),
            ExtraClaim::IsStaff => ("is_staff", json!(user.is_staff)),
            ExtraClaim::IsSuperuser => ("is_superuser", json!(user.is_superuser)),
            ExtraClaim::IsActive => ("is_active", json!(user.is_active)),
        };
        if !only_present || claims.contains_key(name) {
            claims.insert(name.to_owned(), value);
        }
    }
}

/// Makes the access token of a refresh token: a new one with every claim that does not describe the refresh token
/// itself.
pub fn access_from(app: &App, refresh: &Claims, now: Instant) -> Claims {
    let jwt = &app.config.jwt;
    let own = |name: &str| {
        ["exp", "iat", "jti"].contains(&name)
            || jwt.token_type_claim.as_deref() == Some(name)
            || jwt.jti_claim.as_deref() == Some(name)
    };
    let mut access = new(app, Kind::Access, now);
    for (name, value) in refresh.iter().filter(|(name, _)| !own(name)) {
        access.insert(name.clone(), value.clone());
    }
    access
}

/// Reads a token: checks signature and registered claims, but not ids and types. Waits only for a remote key.
pub async fn decode(app: &App, token: &str) -> Result<Claims, TokenError> {
    Ok(read(app, token).await?)
}

/// The same, with the exact reason of a refusal.
pub(super) async fn read(app: &App, token: &str) -> Result<Claims, DecodeError> {
    let remote;
    let key = match &app.key_set {
        None => app.keys.verifying(),
        Some(set) => {
            remote = set.key_of(token).await?;
            &remote
        }
    };
    jwt::decode(key, token, &expected(app))
}

/// The values that the registered claims must have.
pub(super) fn expected(app: &App) -> Expect<'_> {
    let jwt = &app.config.jwt;
    let (audience, issuer) = (jwt.audience.as_slice(), jwt.issuer.as_deref());
    Expect { audience, issuer, leeway: jwt.leeway.as_secs_f64(), now: seconds(app.now()) }
}

/// SimpleJWT's `verify` for one kind (`None`: any): `exp`, then the id, then the type.
pub fn check(app: &App, claims: &Claims, kind: Option<Kind>) -> Result<(), TokenError> {
    let jwt = &app.config.jwt;
    check_time(app, claims, "exp")?;
    if jwt.jti_claim.as_ref().is_some_and(|name| !claims.contains_key(name)) {
        return Err(TokenError::NoId);
    }
    match (&jwt.token_type_claim, kind) {
        (Some(name), Some(kind)) => match claims.get(name) {
            None => Err(TokenError::NoType),
            Some(value) if value == kind.name() => Ok(()),
            Some(_) => Err(TokenError::WrongType),
        },
        _ => Ok(()),
    }
}

/// SimpleJWT's `check_exp`: the claim must be present and in the future.
pub fn check_time(app: &App, claims: &Claims, name: &str) -> Result<(), TokenError> {
    let value = claims.get(name).ok_or_else(|| TokenError::NoClaim(name.to_owned()))?;
    let at = value.as_f64().ok_or(TokenError::Invalid)?;
    if at <= seconds(app.now()) - app.config.jwt.leeway.as_secs_f64() {
        return Err(TokenError::ClaimExpired(name.to_owned()));
    }
    Ok(())
}

/// When the token stops being usable for anything: `exp`, or the end of a sliding token's refreshes. SimpleJWT records
/// `exp` for both, so its `flushexpiredtokens` forgets blacklisted sliding tokens too early.
pub fn expires_at(app: &App, claims: &Claims) -> Result<Instant, TokenError> {
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    let exp = time("exp").ok_or(TokenError::Invalid)?;
    let last = time(&app.config.jwt.sliding_token_refresh_exp_claim).map_or(exp, |refresh_exp| refresh_exp.max(exp));
    #[expect(clippy::cast_possible_truncation, reason = "casting saturates, and what is out of range is refused next")]
    let seconds = last.floor() as i64;
    Instant::from_timestamp(seconds).ok_or(TokenError::Invalid)
}

/// Returns the token's id, or `None` if it has none.
///
/// # Errors
/// `Invalid` if no database row can have this id (over 255 characters, NUL).
pub fn jti<'a>(app: &App, claims: &'a Claims) -> Result<Option<&'a str>, TokenError> {
    match app.config.jwt.jti_claim.as_ref().and_then(|name| claims.get(name)) {
        None => Ok(None),
        Some(Value::String(jti)) if jti.chars().count() <= 255 && !jti.contains('\0') => Ok(Some(jti)),
        Some(_) => Err(TokenError::Invalid),
    }
}

/// Whether the type claim has this value.
pub fn is_kind(app: &App, claims: &Claims, kind: Kind) -> bool {
    let name = app.config.jwt.token_type_claim.as_ref();
    name.and_then(|name| claims.get(name)).is_some_and(|value| value == kind.name())
}

/// Returns the user whom the token names; `None` if the claim is missing or cannot be a user's id (only canonical ids
/// count).
pub fn user_ref(app: &App, claims: &Claims) -> Option<UserRef> {
    let value = claims.get(&app.config.jwt.user_id_claim)?;
    match &app.users.identity {
        Identity::Key => {
            let id = match value {
                // SimpleJWT 5.0 and older wrote a number.
                Value::Number(number) => number.as_i64()?.to_string(),
                Value::String(text) => text.clone(),
                _ => return None,
            };
            app.users.parse_key(&id).map(UserRef::Id)
        }
        Identity::Uuid => {
            let uuid = uuid::Uuid::try_parse(value.as_str()?).ok()?;
            Some(UserRef::Uuid(uuid.hyphenated().to_string()))
        }
        Identity::Column(_) => text(value).map(UserRef::Column),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.contains('\0')).map(ToOwned::to_owned)
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of this era fit into 53 bits")]
fn seconds(at: Instant) -> f64 {
    at.datetime().timestamp_micros() as f64 / 1e6
}
