//! Second factors over the API: `login` completes a login that waits for one, `enrol` lists and adds factors, `own`
//! removes them. Their fields are defined here, their answers in `answers`.

mod answers;
pub mod enrol;
pub mod login;
pub mod own;

use actix_web::http::StatusCode;
use secrecy::ExposeSecret;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};

use crate::config::Config;
use crate::factors::answer::{self, Answer, AnswerError, FactorResponse, VerifiedAnswer};
use crate::factors::challenge::Purpose;
use crate::journal::authentication::{FactorKind, Method};
use crate::tokens::login::{ObtainError, Pending};
use crate::tokens::obtain::Tokens;
use crate::tokens::verify::Authenticated;

use super::Call;
use super::cookie::DEVICE_TOKEN;
use super::error::ApiError;
use super::field::Field;
use super::fields::Fields;
use super::openapi::examples::CHALLENGE;
use super::openapi::operation_doc::OperationDoc;
use super::openapi::schemas;
use super::sliding::SlidingToken;
use super::token::TokenPair;
use answers::LoginTokens;

const CHALLENGE_HINT: &str = "From the answer to the login, or from second-factors/challenge.";
const METHOD_HINT: &str = "email, totp, passkey or recovery";

fn challenge_field() -> Field {
    Field::required("challenge").hint(CHALLENGE_HINT)
}

fn method_field() -> Field {
    Field::required("method").hint(METHOD_HINT)
}

fn code_field() -> Field {
    Field::optional("code").code()
}

fn credential_field() -> Field {
    Field::optional("credential").hint("For a passkey: what the browser returned, as JSON.").takes(credential)
}

/// An answer to a challenge: `challenge`, `method`, and `code` or `credential`.
fn answer(fields: &Fields) -> Result<Answer, ApiError> {
    let [challenge, name] = fields.texts(["challenge", "method"])?;
    let method = Method::of(&name).ok_or_else(|| no_choice("method", &name))?;
    let given = if method.takes_code() { code(fields)? } else { FactorResponse::Passkey(fields.object("credential")?) };
    Ok(Answer { challenge: challenge.into(), method, response: given })
}

fn code(fields: &Fields) -> Result<FactorResponse, ApiError> {
    let [code] = fields.texts(["code"])?;
    Ok(FactorResponse::Code(code.into()))
}

fn no_choice(field: &'static str, name: &str) -> ApiError {
    ApiError::fields([(field, vec![format!("\"{name}\" is not a valid choice.")])])
}

/// The caller's correct answer to a challenge of their own.
async fn verified_factor(call: &Call, fields: &Fields, caller: &Authenticated) -> Result<VerifiedAnswer, ApiError> {
    let answer = answer(fields)?;
    let proof = proof_field(&answer.response);
    let checked = answer::check(&call.app, answer, |purpose| purpose == Purpose::Confirm, &call.client()).await;
    match checked {
        Ok(right) if right.user().id == caller.user.id => Ok(right),
        Ok(_) => Err(refused(AnswerError::NoChallenge, "challenge", proof)),
        Err(error) => Err(refused(error, "challenge", proof)),
    }
}

/// The error for a known caller whose answer was refused: a field error, and no reason to authenticate again. `token`
/// is the field of the challenge, `proof` the field of the code or passkey.
fn refused(error: AnswerError, token: &'static str, proof: &'static str) -> ApiError {
    let field = match error {
        AnswerError::NoChallenge => token,
        AnswerError::Wrong => proof,
        AnswerError::Throttled(_) | AnswerError::Db(_) => return error.into(),
    };
    ApiError::fields([(field, vec![error.to_string()])])
}

/// The password was right, but the login needs a second factor, or the user has to enrol one.
fn second_factor_required(pending: &Pending) -> ApiError {
    let challenge = pending.challenge.expose_secret();
    let body = if pending.methods.is_empty() {
        json!({
            "detail": "Second factor enrolment required",
            "code": "second_factor_enrolment_required",
            "challenge": challenge,
        })
    } else {
        let methods: Vec<_> = pending.methods.iter().map(|method| method.name()).collect();
        json!({
            "detail": "Second factor required",
            "code": "second_factor_required",
            "challenge": challenge,
            "methods": methods,
        })
    };
    ApiError::new(StatusCode::UNAUTHORIZED, body)
}

impl From<ObtainError> for ApiError {
    fn from(error: ObtainError) -> Self {
        match error {
            ObtainError::Login(error) => error.into(),
            ObtainError::SecondFactor(pending) => second_factor_required(&pending),
        }
    }
}

/// The field that holds the response.
fn proof_field(given: &FactorResponse) -> &'static str {
    match given {
        FactorResponse::Code(_) => "code",
        FactorResponse::Passkey(_) => "credential",
    }
}

impl Call {
    /// The tokens, as the first request of their login asked for them.
    fn hand_out_tokens(&self, tokens: Tokens) -> LoginTokens {
        match tokens {
            Tokens::Pair(pair) => {
                LoginTokens::Pair(TokenPair { refresh: self.hand_out_refresh(pair.refresh), access: pair.access })
            }
            Tokens::Sliding(token) => LoginTokens::Sliding(SlidingToken { token }),
        }
    }
}

impl OperationDoc {
    /// Adds the answers of a login that may need more than the password.
    pub fn asks_second_factor(self) -> Self {
        let pending = |methods| second_factor_required(&Pending { challenge: CHALLENGE.into(), methods });
        let methods = vec![Method::Factor(FactorKind::Totp), Method::Recovery];
        self.may_take(DEVICE_TOKEN, schemas::text().description(Some("The token of a remembered browser.")))
            .error(
                "second_factor_required",
                "The password is right, and the user has a second factor",
                pending(methods),
            )
            .error(
                "second_factor_enrolment_required",
                "The user must have a second factor and has none",
                pending(vec![]),
            )
    }

    /// Adds the errors of a known caller's answer to a challenge.
    fn refused_answer(self, config: &Config) -> Self {
        let no_challenge = refused(AnswerError::NoChallenge, "challenge", "code");
        let wrong = refused(AnswerError::Wrong, "challenge", "code");
        self.error("bad_challenge", "The challenge is unknown, used, too old or cancelled", no_challenge)
            .error("wrong_code", "The code or the passkey is wrong, or was used before", wrong)
            .throttled(config)
    }
}

/// The schema of a response from `navigator.credentials`.
fn credential() -> RefOr<Schema> {
    let description = "What `navigator.credentials` returns, as its `toJSON` writes it (WebAuthn).";
    ObjectBuilder::new().description(Some(description)).into()
}
