//! Second factors over the API: `login` goes on with a login that waits, `enrol` lists and adds factors, `own` takes them
//! away. What the fields of all of them mean stands here.

pub mod enrol;
pub mod login;
pub mod own;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};

use crate::config::Config;
use crate::factors::answer::{self, Answer, AnswerError, FactorResponse, VerifiedAnswer};
use crate::factors::challenge::Purpose;
use crate::journal::authentication::{FactorKind, Method};
use crate::tokens::login::Pending;
use crate::tokens::obtain::Tokens;
use crate::tokens::verify::Authenticated;

use super::Call;
use super::cookie::DEVICE_TOKEN;
use super::error::ApiError;
use super::fields::Fields;
use super::openapi::entry::{ACCESS, CHALLENGE, Entry, REFRESH, component};
use super::openapi::schemas::{self, TOKEN};

/// The heading in the API document.
const TAG: &str = "Second factors";

/// An answer to a challenge: `challenge`, `method`, and `code` or `credential`.
fn answer(fields: &Fields) -> Result<Answer, ApiError> {
    let [challenge, name] = fields.texts(["challenge", "method"])?;
    let method = Method::of(&name).ok_or_else(|| no_choice("method", &name))?;
    let response =
        if method.takes_code() { code(fields)? } else { FactorResponse::Passkey(fields.object("credential")?) };
    Ok(Answer { challenge: challenge.into(), method, response })
}

fn code(fields: &Fields) -> Result<FactorResponse, ApiError> {
    let [code] = fields.texts(["code"])?;
    Ok(FactorResponse::Code(code.into()))
}

fn no_choice(field: &'static str, name: &str) -> ApiError {
    ApiError::fields([(field, vec![format!("\"{name}\" is not a valid choice.")])])
}

/// The caller's own answer to a challenge of theirs.
async fn shown_factor(call: &Call, fields: &Fields, caller: &Authenticated) -> Result<VerifiedAnswer, ApiError> {
    let answer = answer(fields)?;
    let proof = proof(&answer.response);
    let checked = answer::check(&call.app, answer, |purpose| purpose == Purpose::Confirm, &call.client()).await;
    match checked {
        Ok(right) if right.user().id == caller.user.id => Ok(right),
        Ok(_) => Err(refused(AnswerError::NoChallenge, "challenge", proof)),
        Err(error) => Err(refused(error, "challenge", proof)),
    }
}

/// An answer that is refused to somebody who is known: a bad field, and no reason to authenticate again. `token` is the
/// field of the challenge, `proof` that of what is given.
fn refused(error: AnswerError, token: &'static str, proof: &'static str) -> ApiError {
    let field = match error {
        AnswerError::NoChallenge => token,
        AnswerError::Wrong => proof,
        AnswerError::Throttled(_) | AnswerError::Db(_) => return error.into(),
    };
    ApiError::fields([(field, vec![error.to_string()])])
}

/// The field in which it came.
fn proof(given: &FactorResponse) -> &'static str {
    match given {
        FactorResponse::Code(_) => "code",
        FactorResponse::Passkey(_) => "credential",
    }
}

fn texts(secrets: &[SecretString]) -> Value {
    secrets.iter().map(ExposeSecret::expose_secret).collect()
}

impl Call {
    /// Tokens, as the first request of their login wanted them.
    fn hand_out_tokens(&self, tokens: Tokens) -> Value {
        match tokens {
            Tokens::Pair(pair) => self.hand_out(json!({"refresh": pair.refresh, "access": pair.access})),
            Tokens::Sliding(token) => json!({"token": token}),
        }
    }
}

impl Entry {
    /// A login, for which the password may not be enough.
    pub fn asks_second_factor(self) -> Self {
        let pending = |methods| ApiError::second_factor(&Pending { challenge: CHALLENGE.into(), methods });
        let methods = vec![Method::Factor(FactorKind::Totp), Method::Recovery];
        self.may_take(DEVICE_TOKEN, schemas::text().description(Some("Of a remembered browser.")))
            .fault(
                "second_factor_required",
                "The password is right, and the user has a second factor",
                pending(methods),
            )
            .fault(
                "second_factor_enrolment_required",
                "The user must have a second factor and has none",
                pending(vec![]),
            )
    }

    /// The fields of an answer to a challenge.
    fn answers_challenge(self) -> Self {
        self.may_take("code", component(schemas::TEXT)).may_take("credential", credential())
    }

    /// How such an answer is refused to somebody who is known.
    fn refused(self, config: &Config, token: &'static str) -> Self {
        self.fault("bad_challenge", "Unknown, used, too old or dead", refused(AnswerError::NoChallenge, token, "code"))
            .fault(
                "wrong_code",
                "The code or the passkey is wrong, or was used before",
                refused(AnswerError::Wrong, token, "code"),
            )
            .throttled(config)
    }
}

/// What `navigator.credentials` answers, by its `toJSON`.
fn credential() -> ObjectBuilder {
    ObjectBuilder::new()
        .description(Some("What `navigator.credentials` answers, as its `toJSON` writes it (WebAuthn)."))
}

/// How a challenge can be answered.
fn methods() -> ArrayBuilder {
    let names = Method::all().map(|method| Value::from(method.name()));
    ArrayBuilder::new().items(schemas::text().enum_values(Some(names)))
}

/// Tokens of a login, with more beside them.
fn with_tokens(more: impl Fn(ObjectBuilder) -> ObjectBuilder) -> RefOr<Schema> {
    let pair = schemas::object([("refresh", component(TOKEN)), ("access", component(TOKEN))]);
    let sliding = schemas::object([("token", component(TOKEN))]);
    schemas::one_of(vec![more(pair).into(), more(sliding).into()])
}

fn example_tokens() -> Value {
    json!({"refresh": REFRESH, "access": ACCESS})
}

/// The field of a remembered browser.
fn device_token(object: ObjectBuilder) -> ObjectBuilder {
    let what = "Of the remembered browser: send it with the next logins, and no second factor is asked for.";
    object.property(DEVICE_TOKEN, schemas::text().description(Some(what)))
}
