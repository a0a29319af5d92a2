//! The answers of second factor views: the factors, enrolments, and the tokens of a login.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use strum::VariantArray;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::db::latchkey_browser::Browser;
use crate::db::latchkey_second_factor::Factor;
use crate::db::types::Instant;
use crate::factors::overview::Overview;
use crate::guard::device;
use crate::journal::authentication::FactorKind;

use super::super::answer::{AnswerBody, merged};
use super::super::openapi::examples::{CHALLENGE, TIME, recovery_codes};
use super::super::openapi::schemas;
use super::super::sliding::SlidingToken;
use super::super::token::TokenPair;

/// A second factor of the caller.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnFactor {
    /// Identifies it in paths.
    pub id: i64,
    /// The kind of factor.
    #[schema(schema_with = kinds)]
    pub kind: String,
    /// The user's name for it.
    pub name: String,
    /// When it was confirmed.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last used.
    #[schema(required, format = DateTime)]
    pub last_used_at: Option<String>,
}

impl OwnFactor {
    fn example() -> Self {
        Self {
            id: 7,
            kind: "totp".to_owned(),
            name: "Authenticator app".to_owned(),
            created_at: TIME.to_owned(),
            last_used_at: None,
        }
    }
}

impl From<Factor> for OwnFactor {
    fn from(factor: Factor) -> Self {
        Self {
            id: factor.id.0,
            kind: factor.kind,
            name: factor.name,
            created_at: factor.created_at.iso(),
            last_used_at: factor.last_used_at.map(Instant::iso),
        }
    }
}

fn kinds() -> RefOr<Schema> {
    schemas::text().enum_values(Some(FactorKind::VARIANTS.iter().map(|kind| kind.name()))).into()
}

/// A browser that needs no second factor to log in.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RememberedBrowser {
    /// Identifies it in paths.
    pub id: String,
    /// The browser and its system.
    pub device: String,
    /// The address that it was remembered from.
    #[schema(required)]
    pub ip: Option<String>,
    /// When it was remembered.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last used to log in.
    #[schema(format = DateTime)]
    pub last_used_at: String,
    /// When it will be forgotten.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

impl RememberedBrowser {
    fn example() -> Self {
        Self {
            id: "b2a57bfb8e4dc2d36a5e0a1a80ab5dbf".to_owned(),
            device: "Firefox on Linux".to_owned(),
            ip: Some("203.0.113.9".to_owned()),
            created_at: TIME.to_owned(),
            last_used_at: "2026-03-02T08:00:00.123456Z".to_owned(),
            expires_at: "2026-03-31T12:00:00.123456Z".to_owned(),
        }
    }
}

impl From<Browser> for RememberedBrowser {
    fn from(browser: Browser) -> Self {
        Self {
            id: browser.id,
            device: device::words(&browser.user_agent),
            ip: browser.ip,
            created_at: browser.created_at.iso(),
            last_used_at: browser.last_used_at.iso(),
            expires_at: browser.expires_at.iso(),
        }
    }
}

/// The second factors of the caller, with recovery codes and browsers.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorList {
    /// The factors, oldest first.
    #[schema(inline)]
    pub factors: Vec<OwnFactor>,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
    /// Whether the caller must have a second factor.
    pub required: bool,
    /// The remembered browsers, last used first.
    #[schema(inline)]
    pub browsers: Vec<RememberedBrowser>,
}

impl FactorList {
    /// The example in the API document.
    pub fn example() -> Self {
        let (factors, browsers) = (vec![OwnFactor::example()], vec![RememberedBrowser::example()]);
        Self { factors, recovery_codes: 10, required: false, browsers }
    }
}

impl From<Overview> for FactorList {
    fn from(overview: Overview) -> Self {
        Self {
            recovery_codes: overview.enrolled.recovery_codes(),
            factors: overview.enrolled.factors.into_iter().map(OwnFactor::from).collect(),
            required: overview.is_required,
            browsers: overview.browsers.into_iter().map(RememberedBrowser::from).collect(),
        }
    }
}

impl AnswerBody for FactorList {}

/// An enrolment that has begun.
#[derive(Default, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PendingEnrolment {
    /// Identifies the enrolment when it is confirmed.
    pub enrolment: String,
    /// For an authenticator app: the secret to type in, in base32.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    pub secret: Option<String>,
    /// For an authenticator app: `otpauth://…`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    pub uri: Option<String>,
    /// The same as a QR code, in SVG.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    pub qr: Option<String>,
    /// For a passkey: the options of `navigator.credentials.create`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub options: Option<Value>,
}

impl PendingEnrolment {
    /// The example in the API document: an authenticator app.
    pub fn example() -> Self {
        let uri = "otpauth://totp/Latchkey:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Latchkey";
        Self {
            enrolment: CHALLENGE.to_owned(),
            secret: Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned()),
            uri: Some(uri.to_owned()),
            qr: Some("<svg …></svg>".to_owned()),
            options: None,
        }
    }
}

impl AnswerBody for PendingEnrolment {}

/// The tokens of a login, as its first request asked for them.
#[derive(Serialize)]
#[serde(untagged)]
pub enum LoginTokens {
    /// A token pair.
    Pair(TokenPair),
    /// A sliding token.
    Sliding(SlidingToken),
}

/// A factor that was added and, if a login waited for it, the tokens of that login.
#[derive(Serialize)]
pub struct AddedFactor {
    /// The tokens of the login.
    #[serde(flatten)]
    pub tokens: Option<LoginTokens>,
    /// The factor.
    #[serde(flatten)]
    pub added: FactorAndCodes,
}

/// The factor, which is active now.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorAndCodes {
    /// The factor.
    #[schema(schema_with = OwnFactor::schema)]
    pub factor: OwnFactor,
    /// Recovery codes, shown only this once; with the first factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>)]
    pub recovery_codes: Option<Vec<String>>,
}

impl AddedFactor {
    /// The example in the API document: the first factor of a user whose login waited for it.
    pub fn example() -> Self {
        let recovery_codes = Some(recovery_codes());
        Self {
            tokens: Some(LoginTokens::Pair(TokenPair::example())),
            added: FactorAndCodes { factor: OwnFactor::example(), recovery_codes },
        }
    }
}

impl PartialSchema for AddedFactor {
    fn schema() -> RefOr<Schema> {
        let with_tokens = vec![merged::<TokenPair, FactorAndCodes>(), merged::<SlidingToken, FactorAndCodes>()];
        schemas::any_of(vec![FactorAndCodes::schema(), schemas::one_of(with_tokens)]).into()
    }
}

impl ToSchema for AddedFactor {}

impl AnswerBody for AddedFactor {}

/// Exposes secrets that are shown this once.
pub fn exposed(secrets: &[SecretString]) -> Vec<String> {
    secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect()
}
