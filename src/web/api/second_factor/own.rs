//! What the caller takes away: `second-factors/{id}/` and `second-factors/recovery-codes/` want the answer to a challenge
//! of `second-factors/challenge/`; a remembered browser is forgotten without one.

use actix_web::http::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use utoipa::openapi::schema::ArrayBuilder;

use crate::config::Config;
use crate::db::types::RowId;
use crate::factors::remove::{self, FactorProof};
use crate::factors::{ask, remembered_browser};
use crate::tokens::verify::Authenticated;

use super::super::error::ApiError;
use super::super::metadata::Field;
use super::super::openapi::entry::{CHALLENGE, Entry};
use super::super::openapi::schemas;
use super::super::{Call, View};
use super::{TAG, methods, refused, shown_factor, texts};

/// `POST /api/second-factors/challenge/`
pub struct Challenge;

impl View for Challenge {
    type Caller = Authenticated;
    const NAME: &'static str = "Second Factor Challenge";
    const DESCRIPTION: &'static str = "Begins what takes a second factor: removing one, or making new recovery codes.";

    fn entry(_: &Config, _: &Method) -> Entry {
        let schema =
            schemas::object([("challenge", schemas::text())]).property("methods", methods()).required("methods");
        let example = json!({"challenge": CHALLENGE, "methods": ["totp", "recovery"]});
        Entry::new(TAG, "A challenge, and how it can be answered.", schema, example).fault(
            "no_second_factor",
            "The caller has none",
            no_factor(),
        )
    }

    async fn answer(call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let (challenge, methods) =
            ask::confirm(&call.app, &caller.user, &call.client()).await?.ok_or_else(no_factor)?;
        let methods: Vec<_> = methods.iter().map(|method| method.name()).collect();
        Ok(json!({"challenge": challenge.expose_secret(), "methods": methods}))
    }
}

/// `DELETE /api/second-factors/{id}/`
pub struct One;

impl View for One {
    type Caller = Authenticated;
    const NAME: &'static str = "Second Factor Instance";
    const DESCRIPTION: &'static str = "Removes a second factor of the caller, who answers a challenge. Remembered browsers are forgotten; with the last factor go the recovery codes.";
    const METHODS: &'static [Method] = &[Method::DELETE];

    fn fields(_: &Config) -> Vec<Field> {
        answer_fields()
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        Entry::gone(TAG, "It is removed.")
            .takes(json!({"challenge": CHALLENGE, "method": "totp", "code": "123456"}))
            .answers_challenge()
            .refused(config, "challenge")
            .fault("no_second_factor", "The caller has none of this id", no_factor())
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let id = call.segment("id").parse().map(RowId);
        let fields = call.fields().await?;
        let right = shown_factor(&call, &fields, &caller).await?;
        let id = id.map_err(|_| no_factor())?;
        let removed = remove::remove(&call.app, FactorProof::Answer(right), id, &call.client()).await;
        if removed.map_err(|error| refused(error, "challenge", "code"))? { Ok(Value::Null) } else { Err(no_factor()) }
    }
}

/// `POST /api/second-factors/recovery-codes/`
pub struct RecoveryCodes;

impl View for RecoveryCodes {
    type Caller = Authenticated;
    const NAME: &'static str = "Recovery Codes";
    const DESCRIPTION: &'static str = "Makes ten new recovery codes for the caller, who answers a challenge. The old ones are worth nothing any more.";

    fn fields(_: &Config) -> Vec<Field> {
        answer_fields()
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        let codes = ArrayBuilder::new().items(schemas::text());
        let example = json!({"recovery_codes": ["k7m2p-x9r4t", "…"]});
        Entry::new(TAG, "The codes; they are shown this once.", schemas::object([("recovery_codes", codes)]), example)
            .takes(json!({"challenge": CHALLENGE, "method": "totp", "code": "123456"}))
            .answers_challenge()
            .refused(config, "challenge")
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        let right = shown_factor(&call, &fields, &caller).await?;
        let codes = remove::replace_recovery_codes(&call.app, FactorProof::Answer(right), &call.client()).await;
        Ok(json!({"recovery_codes": texts(&codes.map_err(|error| refused(error, "challenge", "code"))?)}))
    }
}

/// `DELETE /api/second-factors/browsers/{id}/`
pub struct Browser;

impl View for Browser {
    type Caller = Authenticated;
    const NAME: &'static str = "Remembered Browser";
    const DESCRIPTION: &'static str =
        "Forgets a remembered browser of the caller: its next login needs a second factor.";
    const METHODS: &'static [Method] = &[Method::DELETE];

    fn entry(_: &Config, _: &Method) -> Entry {
        Entry::gone(TAG, "It is forgotten.").fault("no_browser", "None of the caller's has this id", no_browser())
    }

    async fn answer(call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let is_gone = remembered_browser::forget(&call.app, &caller.user, call.segment("id"), &call.client()).await?;
        if is_gone { Ok(Value::Null) } else { Err(no_browser()) }
    }
}

fn answer_fields() -> Vec<Field> {
    let optional = ["code", "credential"].map(Field::optional);
    [Field::required("challenge"), Field::required("method")].into_iter().chain(optional).collect()
}

fn no_factor() -> ApiError {
    ApiError::no_match("SecondFactor")
}

fn no_browser() -> ApiError {
    ApiError::no_match("Browser")
}
