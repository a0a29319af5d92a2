//! Removes what the caller has: `second-factors/{id}/` and `second-factors/recovery-codes/` need the answer to a
//! challenge of `second-factors/challenge/`; a remembered browser is forgotten without one.

use actix_web::http::Method;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::config::Config;
use crate::db::types::RowId;
use crate::factors::remove::{self, FactorProof};
use crate::factors::{ask, remembered_browser};
use crate::journal::authentication::Method as FactorMethod;
use crate::tokens::verify::Authenticated;

use super::super::answer::AnswerBody;
use super::super::error::ApiError;
use super::super::field::Field;
use super::super::openapi::examples::{CHALLENGE, challenge_answer, recovery_codes};
use super::super::openapi::operation_doc::OperationDoc;
use super::super::openapi::schemas;
use super::super::{Call, NavigationLink, Subject, View};
use super::answers::exposed;
use super::{challenge_field, code_field, credential_field, method_field, refused, verified_factor};

/// `POST /api/second-factors/challenge/`
pub struct Challenge;

/// A challenge, and the methods that can answer it.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PendingChallenge {
    /// Identifies the challenge when it is answered.
    pub challenge: String,
    /// The methods that can answer it.
    #[schema(schema_with = methods)]
    pub methods: Vec<&'static str>,
}

impl PendingChallenge {
    fn example() -> Self {
        Self { challenge: CHALLENGE.to_owned(), methods: vec!["totp", "recovery"] }
    }
}

impl AnswerBody for PendingChallenge {}

fn methods() -> RefOr<Schema> {
    schemas::list(schemas::text().enum_values(Some(FactorMethod::all().map(FactorMethod::name)))).into()
}

impl View for Challenge {
    type Caller = Authenticated;
    type Answer = PendingChallenge;
    const NAME: &'static str = "Second Factor Challenge";
    const DESCRIPTION: &'static str =
        "Begins an action that needs a second factor: adding or removing one, or making new recovery codes.";
    const SUBJECT: Subject = Subject::SecondFactors;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("lock", "Challenge"));

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        let success = "A challenge, and the methods that can answer it.";
        OperationDoc::answers::<Self>(config, success, PendingChallenge::example()).error(
            "no_second_factor",
            "The caller has no second factor",
            no_factor(),
        )
    }

    async fn answer(call: Call, caller: Authenticated) -> Result<PendingChallenge, ApiError> {
        let begun = ask::confirm(&call.app, &caller.user, &call.client()).await?;
        let (challenge, methods) = begun.ok_or_else(no_factor)?;
        let methods = methods.iter().map(|method| method.name()).collect();
        Ok(PendingChallenge { challenge: challenge.expose_secret().to_owned(), methods })
    }
}

/// `DELETE /api/second-factors/{id}/`
pub struct One;

impl View for One {
    type Caller = Authenticated;
    type Answer = ();
    const NAME: &'static str = "Second Factor Instance";
    const DESCRIPTION: &'static str = "Removes a second factor of the caller, who answers a challenge. Remembered browsers are forgotten; with the last factor, the recovery codes are deleted.";
    const SUBJECT: Subject = Subject::SecondFactors;
    const METHODS: &'static [Method] = &[Method::DELETE];

    fn fields(_: &Config) -> Vec<Field> {
        answer_fields()
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        OperationDoc::no_content("It is removed.").takes(challenge_answer()).refused_answer(config).error(
            "no_second_factor",
            "The caller has no second factor with this id",
            no_factor(),
        )
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<(), ApiError> {
        let id = call.segment("id").parse().map(RowId);
        let fields = call.fields().await?;
        let right = verified_factor(&call, &fields, &caller).await?;
        let id = id.map_err(|_| no_factor())?;
        let removed = remove::remove(&call.app, FactorProof::Answer(right), id, &call.client()).await;
        if removed.map_err(|error| refused(error, "challenge", "code"))? { Ok(()) } else { Err(no_factor()) }
    }
}

/// `POST /api/second-factors/recovery-codes/`
pub struct RecoveryCodes;

/// New recovery codes.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryCodeList {
    /// The codes, which are shown only this once.
    pub recovery_codes: Vec<String>,
}

impl RecoveryCodeList {
    fn example() -> Self {
        Self { recovery_codes: recovery_codes() }
    }
}

impl AnswerBody for RecoveryCodeList {}

impl View for RecoveryCodes {
    type Caller = Authenticated;
    type Answer = RecoveryCodeList;
    const NAME: &'static str = "Recovery Codes";
    const DESCRIPTION: &'static str =
        "Makes ten new recovery codes for the caller, who answers a challenge. The old ones no longer work.";
    const SUBJECT: Subject = Subject::SecondFactors;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("rotate", "Recovery codes"));

    fn fields(_: &Config) -> Vec<Field> {
        answer_fields()
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        let success = "The codes, which are shown only this once.";
        OperationDoc::answers::<Self>(config, success, RecoveryCodeList::example())
            .takes(challenge_answer())
            .refused_answer(config)
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<RecoveryCodeList, ApiError> {
        let fields = call.fields().await?;
        let right = verified_factor(&call, &fields, &caller).await?;
        let codes = remove::replace_recovery_codes(&call.app, FactorProof::Answer(right), &call.client()).await;
        let codes = codes.map_err(|error| refused(error, "challenge", "code"))?;
        Ok(RecoveryCodeList { recovery_codes: exposed(&codes) })
    }
}

/// `DELETE /api/second-factors/browsers/{id}/`
pub struct Browser;

impl View for Browser {
    type Caller = Authenticated;
    type Answer = ();
    const NAME: &'static str = "Remembered Browser";
    const DESCRIPTION: &'static str =
        "Forgets a remembered browser of the caller: its next login needs a second factor.";
    const SUBJECT: Subject = Subject::SecondFactors;
    const METHODS: &'static [Method] = &[Method::DELETE];

    fn doc(_: &Config, _: &Method) -> OperationDoc {
        let doc = OperationDoc::no_content("It is forgotten.");
        doc.error("no_browser", "The caller has no remembered browser with this id", no_browser())
    }

    async fn answer(call: Call, caller: Authenticated) -> Result<(), ApiError> {
        let is_forgotten =
            remembered_browser::forget(&call.app, &caller.user, call.segment("id"), &call.client()).await?;
        if is_forgotten { Ok(()) } else { Err(no_browser()) }
    }
}

/// The fields that answer a challenge.
fn answer_fields() -> Vec<Field> {
    vec![challenge_field(), method_field(), code_field(), credential_field()]
}

fn no_factor() -> ApiError {
    ApiError::no_match("SecondFactor")
}

fn no_browser() -> ApiError {
    ApiError::no_match("Browser")
}
