//! `second-factors/` and `second-factors/confirm/`: lists the caller's factors, and adds one. A login that was answered
//! with `second_factor_enrolment_required` uses its challenge here in place of an access token.

use actix_web::http::Method;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;

use crate::config::Config;
use crate::factors::answer::{AnswerError, FactorResponse};
use crate::factors::enrol::{self, EnrolError, EnrolmentAuthority, Show};
use crate::factors::enrolment::{self, EnrolmentAnswer, MAX_NAME};
use crate::factors::mail;
use crate::factors::overview::overview;
use crate::journal::authentication::FactorKind;
use crate::tokens::login::EnrolmentInLogin;
use crate::tokens::obtain;
use crate::tokens::verify::Authenticated;

use super::super::auth::{Anyone, Visitor};
use super::super::error::ApiError;
use super::super::field::Field;
use super::super::fields::Fields;
use super::super::openapi::examples::{CHALLENGE, PASSWORD};
use super::super::openapi::operation_doc::OperationDoc;
use super::super::openapi::schemas;
use super::super::password::{confirmed, wrong_password};
use super::super::{Call, NavigationLink, Subject, View};
use super::answers::{AddedFactor, FactorAndCodes, FactorList, PendingEnrolment, exposed};
use super::{
    CHALLENGE_HINT, METHOD_HINT, code, code_field, credential_field, no_choice, proof_field, refused, verified_factor,
};

/// `GET` and `POST` of `/api/second-factors/`
pub struct Factors;

/// The answer: to GET the list, to POST an enrolment.
#[derive(Serialize)]
#[serde(untagged)]
pub enum FactorsAnswer {
    /// The caller's factors.
    List(FactorList),
    /// An enrolment that has begun.
    Pending(Box<PendingEnrolment>),
}

impl From<FactorList> for FactorsAnswer {
    fn from(list: FactorList) -> Self {
        Self::List(list)
    }
}

impl From<PendingEnrolment> for FactorsAnswer {
    fn from(enrolment: PendingEnrolment) -> Self {
        Self::Pending(Box::new(enrolment))
    }
}

impl View for Factors {
    type Caller = Visitor;
    type Answer = FactorsAnswer;
    const NAME: &'static str = "Second Factor List";
    const DESCRIPTION: &'static str = "Shows the second factors of the caller, or begins to add one (POST).";
    const SUBJECT: Subject = Subject::SecondFactors;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("users", "List, add"));
    const METHODS: &'static [Method] = &[Method::GET, Method::POST];

    fn fields(_: &Config) -> Vec<Field> {
        vec![
            Field::required("kind").hint("email, totp or passkey"),
            Field::required("password").password(),
            Field::optional("challenge").hint(CHALLENGE_HINT),
            Field::optional("method").hint(METHOD_HINT),
            code_field(),
            credential_field(),
        ]
    }

    fn doc(config: &Config, method: &Method) -> OperationDoc {
        if *method == Method::GET {
            return OperationDoc::answers::<Self>(config, "The factors.", FactorList::example())
                .does("Shows the second factors of the caller, and the remembered browsers.");
        }
        let success = "What the user needs to confirm it.";
        OperationDoc::answers::<Self>(config, success, PendingEnrolment::example())
            .does("Begins to add a second factor for the caller, who gives the password again, and answers a challenge of `second-factors/challenge/` if there already is a factor; the new one counts once it is confirmed. Without a caller, the `challenge` of a login that needs an enrolment takes the place of both.")
            .takes(json!({"kind": "totp", "password": PASSWORD}))
            .error("factor_required", "The caller has a factor and did not use it", not_begun(EnrolError::FactorRequired))
            .error("wrong_password", "The password is wrong", wrong_password("password"))
            .error("bad_kind", "There is no such kind", no_choice("kind", "x"))
            .error("kind_exists", "The user has one of this kind", not_begun(EnrolError::Exists))
            .error("bad_challenge", "Without a caller: the challenge does not exist", AnswerError::NoChallenge)
            .throttled(config)
    }

    async fn answer(mut call: Call, caller: Visitor) -> Result<FactorsAnswer, ApiError> {
        if call.method == Method::GET {
            let user = caller.0.ok_or_else(ApiError::not_authenticated)?.user;
            let overview = call.app.read(move |tx| overview(tx, &user)).await?;
            return Ok(FactorList::from(overview).into());
        }
        let fields = call.fields().await?;
        let (name, by) = match caller.0 {
            Some(caller) => by_caller(&call, &fields, caller).await?,
            None if !fields.has("challenge") => return Err(ApiError::not_authenticated()),
            None => {
                let [name, challenge] = fields.texts(["kind", "challenge"])?;
                (name, EnrolmentAuthority::PendingLogin(challenge.into()))
            }
        };
        let kind = FactorKind::of(&name).ok_or_else(|| no_choice("kind", &name))?;
        let started = enrol::start(&call.app, by, kind, &call.client()).await.map_err(not_begun)?;
        let begun =
            PendingEnrolment { enrolment: started.token.expose_secret().to_owned(), ..PendingEnrolment::default() };
        let answer = match started.show {
            Show::Totp { secret, uri, qr } => PendingEnrolment {
                secret: Some(secret.expose_secret().to_owned()),
                uri: Some(uri.expose_secret().to_owned()),
                qr: Some(qr.expose_secret().to_owned()),
                ..begun
            },
            Show::Passkey(options) => PendingEnrolment { options: Some(options), ..begun },
            Show::Email(_) => {
                mail::send(&call.app, started.token.clone(), &call.client()).await?;
                begun
            }
        };
        Ok(answer.into())
    }
}

/// The kind that the caller wants to add, and their authority to add it.
async fn by_caller(
    call: &Call,
    fields: &Fields,
    caller: Authenticated,
) -> Result<(String, EnrolmentAuthority), ApiError> {
    let [name, password] = fields.texts(["kind", "password"])?;
    let by = confirmed(call, &caller.user, "password", password.into()).await?;
    // Whether a factor is needed is decided inside the transaction, where it can no longer change.
    let has_answer = fields.has("challenge");
    let factor = if has_answer { Some(verified_factor(call, fields, &caller).await?) } else { None };
    Ok((name, EnrolmentAuthority::Password { by, factor }))
}

/// `POST /api/second-factors/confirm/`
pub struct Confirm;

impl View for Confirm {
    type Caller = Anyone;
    type Answer = AddedFactor;
    const NAME: &'static str = "Second Factor Confirm";
    const DESCRIPTION: &'static str = "Adds the factor of an enrolment, shown to work by a code or a passkey. With the first factor, the answer contains recovery codes, which are shown only this once; with the challenge of a login that waited, it contains the login's tokens.";
    const SUBJECT: Subject = Subject::SecondFactors;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("check", "Add: confirm"));

    fn fields(_: &Config) -> Vec<Field> {
        let name = Field::optional("name").hint("What you call it.");
        vec![
            Field::required("enrolment").hint("From the answer that began it."),
            code_field(),
            credential_field(),
            name.takes(|| schemas::short_text(MAX_NAME).into()),
            Field::optional("challenge").hint(CHALLENGE_HINT),
        ]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        let no_challenge = refused(AnswerError::NoChallenge, "enrolment", "code");
        let wrong = refused(AnswerError::Wrong, "enrolment", "code");
        OperationDoc::answers::<Self>(config, "The factor counts from now on.", AddedFactor::example())
            .takes(json!({"enrolment": CHALLENGE, "code": "123456"}))
            .error("bad_challenge", "The enrolment or the challenge does not exist", no_challenge)
            .error("wrong_code", "The code or the passkey is wrong", wrong)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<AddedFactor, ApiError> {
        let fields = call.fields().await?;
        let [enrolment] = fields.texts(["enrolment"])?;
        let (response, name) = (code_or_passkey(&fields)?, fields.optional_text("name", MAX_NAME)?);
        let proof = proof_field(&response);
        let name = name.filter(|name| !name.is_empty());
        let answer = EnrolmentAnswer { token: enrolment.into(), response, name };
        let (tokens, done) = if fields.has("challenge") {
            let [challenge] = fields.texts(["challenge"])?;
            let enrolled = EnrolmentInLogin { challenge: challenge.into(), answer };
            let (tokens, done) = obtain::with_enrolment(&call.app, enrolled, call.client())
                .await
                .map_err(|error| not_confirmed(error, proof))?;
            (Some(call.hand_out_tokens(tokens)), done)
        } else {
            let done = enrolment::finish(&call.app, answer, &call.client())
                .await
                .map_err(|error| not_confirmed(error, proof))?;
            (None, done)
        };
        let recovery_codes = done.recovery_codes.map(|codes| exposed(&codes));
        Ok(AddedFactor { tokens, added: FactorAndCodes { factor: done.factor.into(), recovery_codes } })
    }
}

/// Reads a passkey if there is one, else a code.
fn code_or_passkey(fields: &Fields) -> Result<FactorResponse, ApiError> {
    if fields.has("credential") { Ok(FactorResponse::Passkey(fields.object("credential")?)) } else { code(fields) }
}

/// The error of an enrolment that cannot begin.
fn not_begun(error: EnrolError) -> ApiError {
    match error {
        EnrolError::Exists | EnrolError::TooMany | EnrolError::NoAddress | EnrolError::NoPasskeys => {
            ApiError::fields([("kind", vec![error.to_string()])])
        }
        EnrolError::FactorRequired => ApiError::fields([("challenge", vec![error.to_string()])]),
        EnrolError::Stale => wrong_password("password"),
        EnrolError::Answer(error) => error.into(),
    }
}

/// The error of an enrolment that cannot be confirmed.
fn not_confirmed(error: EnrolError, proof: &'static str) -> ApiError {
    match error {
        EnrolError::Answer(error) => refused(error, "enrolment", proof),
        other => not_begun(other),
    }
}
