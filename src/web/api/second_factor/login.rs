//! `token/second-factor/` and its preparations: completes a login whose password was right.

use actix_web::http::Method;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::config::Config;
use crate::factors::answer::AnswerError;
use crate::factors::{ask, mail};
use crate::guard::throttle::MAIL_ASKED;
use crate::tokens::login::Answered;
use crate::tokens::obtain;

use super::super::answer::{AnswerBody, Detail, merged};
use super::super::auth::Anyone;
use super::super::error::ApiError;
use super::super::field::Field;
use super::super::openapi::examples::{CHALLENGE, challenge_answer};
use super::super::openapi::operation_doc::OperationDoc;
use super::super::openapi::schemas;
use super::super::sliding::SlidingToken;
use super::super::token::TokenPair;
use super::super::{Call, NavigationLink, Subject, View};
use super::answers::LoginTokens;
use super::{answer, challenge_field, code_field, credential_field, method_field};

const SENT: &str = "A code has been sent. It works once, for ten minutes; earlier codes no longer work.";

/// `POST /api/token/second-factor/`
pub struct Finish;

/// A login that was completed with a second factor.
#[derive(Serialize)]
pub struct FinishedLogin {
    /// The tokens.
    #[serde(flatten)]
    pub tokens: LoginTokens,
    /// The token of the browser, if it is remembered.
    #[serde(flatten)]
    pub browser: BrowserToken,
}

/// The token of a remembered browser, unless it is in its cookie.
#[derive(Default, Serialize, ToSchema)]
pub struct BrowserToken {
    /// Identifies the remembered browser: later logins that send it need no second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    pub device_token: Option<String>,
}

impl PartialSchema for FinishedLogin {
    fn schema() -> RefOr<Schema> {
        schemas::one_of(vec![merged::<TokenPair, BrowserToken>(), merged::<SlidingToken, BrowserToken>()])
    }
}

impl ToSchema for FinishedLogin {}

impl AnswerBody for FinishedLogin {}

impl View for Finish {
    type Caller = Anyone;
    type Answer = FinishedLogin;
    const NAME: &'static str = "Token Second Factor";
    const DESCRIPTION: &'static str = "Completes a login that was answered with second_factor_required, and returns what it asked for: a token pair or a sliding token. With remember, the browser is remembered: later logins from it send device_token and need no second factor.";
    const SUBJECT: Subject = Subject::SecondFactors;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("check", "Log in: finish"));

    fn fields(_: &Config) -> Vec<Field> {
        let remember = Field::optional("remember").label("Remember this browser").checkbox();
        vec![
            challenge_field(),
            method_field(),
            code_field(),
            credential_field(),
            remember.hint("The answer then has a device_token."),
        ]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        let tokens = LoginTokens::Pair(TokenPair::example());
        let example = FinishedLogin { tokens, browser: BrowserToken::default() };
        OperationDoc::answers::<Self>(config, "What the login asked for.", example)
            .takes(challenge_answer())
            .error("bad_challenge", "The challenge is unknown, used, too old or cancelled", AnswerError::NoChallenge)
            .error("wrong_code", "The code or the passkey is wrong, or was used before", AnswerError::Wrong)
            .throttled(config)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<FinishedLogin, ApiError> {
        let fields = call.fields().await?;
        let (answer, remember) = (answer(&fields)?, fields.flag("remember")?);
        let (tokens, browser) = obtain::with_factor(&call.app, Answered { answer, remember }, call.client()).await?;
        let tokens = call.hand_out_tokens(tokens);
        let device_token = browser.and_then(|token| call.hand_out_browser(&token));
        Ok(FinishedLogin { tokens, browser: BrowserToken { device_token } })
    }
}

/// `POST /api/token/second-factor/email/`
pub struct Email;

impl View for Email {
    type Caller = Anyone;
    type Answer = Detail;
    const NAME: &'static str = "Token Second Factor Email";
    const DESCRIPTION: &'static str =
        "Mails a code for a challenge or an enrolment. Each code invalidates the one before.";
    const SUBJECT: Subject = Subject::SecondFactors;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("info", "Log in: mail a code"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![challenge_field()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        OperationDoc::answers::<Self>(config, SENT, Detail { detail: SENT })
            .takes(json!({"challenge": CHALLENGE}))
            .error(
                "no_email",
                "The challenge does not exist, or its user has no codes by email",
                AnswerError::NoChallenge,
            )
            .throttled_by(config, MAIL_ASKED)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Detail, ApiError> {
        let [challenge] = call.fields().await?.texts(["challenge"])?;
        mail::send(&call.app, challenge.into(), &call.client()).await?;
        Ok(Detail { detail: SENT })
    }
}

/// `POST /api/token/second-factor/passkey/`
pub struct Passkey;

/// The options for a passkey.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyRequest {
    /// For `navigator.credentials.get`, binary fields in base64url.
    #[schema(value_type = Object)]
    pub options: Value,
}

impl PasskeyRequest {
    fn example() -> Self {
        let options = json!({"publicKey": {
            "challenge": "R2l2ZSBtZSBhIHBhc3NrZXk",
            "rpId": "auth.example.com",
            "allowCredentials": [{"type": "public-key", "id": "QSBwYXNza2V5"}],
            "userVerification": "required",
            "timeout": 300_000,
        }});
        Self { options }
    }
}

impl AnswerBody for PasskeyRequest {}

impl View for Passkey {
    type Caller = Anyone;
    type Answer = PasskeyRequest;
    const NAME: &'static str = "Token Second Factor Passkey";
    const DESCRIPTION: &'static str =
        "Asks for a passkey: returns the options for navigator.credentials.get. They invalidate earlier options.";
    const SUBJECT: Subject = Subject::SecondFactors;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("key", "Log in: passkey"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![challenge_field()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        OperationDoc::answers::<Self>(config, "The options.", PasskeyRequest::example())
            .takes(json!({"challenge": CHALLENGE}))
            .error("no_passkey", "The challenge does not exist, or its user has no passkey", AnswerError::NoChallenge)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<PasskeyRequest, ApiError> {
        let [challenge] = call.fields().await?.texts(["challenge"])?;
        Ok(PasskeyRequest { options: ask::passkey(&call.app, challenge.into()).await? })
    }
}
