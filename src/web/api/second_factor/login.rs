//! `token/second-factor/` and what leads to it: a login whose password was right goes on.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::config::Config;
use crate::factors::answer::AnswerError;
use crate::factors::{ask, mail};
use crate::guard::throttle::MAIL_ASKED;
use crate::tokens::login::Answered;
use crate::tokens::obtain;

use super::super::auth::Anyone;
use super::super::error::ApiError;
use super::super::metadata::Field;
use super::super::openapi::entry::{CHALLENGE, Entry, component};
use super::super::openapi::schemas;
use super::super::{Call, View};
use super::{TAG, answer, device_token, example_tokens, with_tokens};

const SENT: &str = "A code is on its way. It works once, for ten minutes; an earlier one does not work any more.";

/// `POST /api/token/second-factor/`
pub struct Finish;

impl View for Finish {
    type Caller = Anyone;
    const NAME: &'static str = "Token Second Factor";
    const DESCRIPTION: &'static str = "Goes on with a login that was answered with second_factor_required, and gives what it asked for: a token pair or a sliding token. With remember the browser is remembered: later logins from it send device_token along and need no second factor.";

    fn fields(_: &Config) -> Vec<Field> {
        let optional = ["code", "credential", "remember"].map(Field::optional);
        [Field::required("challenge"), Field::required("method")].into_iter().chain(optional).collect()
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        Entry::new(TAG, "What the login asked for.", with_tokens(device_token), example_tokens())
            .takes(json!({"challenge": CHALLENGE, "method": "totp", "code": "123456"}))
            .answers_challenge()
            .may_take("remember", schemas::flag())
            .fault("bad_challenge", "The challenge is unknown, used, too old or dead", AnswerError::NoChallenge)
            .fault("wrong_code", "The code or the passkey is wrong, or was used before", AnswerError::Wrong)
            .throttled(config)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        let (answer, remember) = (answer(&fields)?, fields.flag("remember")?);
        let (tokens, browser) = obtain::with_factor(&call.app, Answered { answer, remember }, call.client()).await?;
        let body = call.hand_out_tokens(tokens);
        Ok(call.hand_out_browser(body, browser.as_ref()))
    }
}

/// `POST /api/token/second-factor/email/`
pub struct Email;

impl View for Email {
    type Caller = Anyone;
    const NAME: &'static str = "Token Second Factor Email";
    const DESCRIPTION: &'static str =
        "Mails a code for a challenge or an enrolment. Each code makes the one before worthless.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("challenge")]
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        Entry::new(TAG, SENT, component(schemas::DETAIL), json!({"detail": SENT}))
            .takes(json!({"challenge": CHALLENGE}))
            .fault("no_email", "The challenge is none, or its user has no codes by email", AnswerError::NoChallenge)
            .throttled_by(config, MAIL_ASKED)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let [challenge] = call.fields().await?.texts(["challenge"])?;
        mail::send(&call.app, challenge.into(), &call.client()).await?;
        Ok(json!({"detail": SENT}))
    }
}

/// `POST /api/token/second-factor/passkey/`
pub struct Passkey;

impl View for Passkey {
    type Caller = Anyone;
    const NAME: &'static str = "Token Second Factor Passkey";
    const DESCRIPTION: &'static str = "Asks for a passkey: gives the options for navigator.credentials.get. Each question makes the one before worthless.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("challenge")]
    }

    fn entry(_: &Config, _: &Method) -> Entry {
        let options =
            schemas::open_object().description(Some("For `navigator.credentials.get`, binary fields in base64url."));
        let example = json!({"options": {"publicKey": {
            "challenge": "R2l2ZSBtZSBhIHBhc3NrZXk",
            "rpId": "auth.example.com",
            "allowCredentials": [{"type": "public-key", "id": "QSBwYXNza2V5"}],
            "userVerification": "required",
            "timeout": 300_000,
        }}});
        Entry::new(TAG, "The question.", schemas::object([("options", options)]), example)
            .takes(json!({"challenge": CHALLENGE}))
            .fault("no_passkey", "The challenge is none, or its user has no passkey", AnswerError::NoChallenge)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let [challenge] = call.fields().await?.texts(["challenge"])?;
        Ok(json!({"options": ask::passkey(&call.app, challenge.into()).await?}))
    }
}
