//! `second-factors/` and `second-factors/confirm/`: what the caller has, and one more. A login that was answered with
//! `second_factor_enrolment_required` does the same with its challenge in place of an access token.

use actix_web::http::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use strum::VariantArray;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};

use crate::config::Config;
use crate::db::latchkey_browser::Browser;
use crate::db::latchkey_second_factor::Factor;
use crate::db::types::Instant;
use crate::factors::answer::{AnswerError, FactorResponse};
use crate::factors::enrol::{self, EnrolError, EnrolmentAuthority, Show};
use crate::factors::enrolment::MAX_NAME;
use crate::factors::enrolment::{self, EnrolmentAnswer};
use crate::factors::{self, mail};
use crate::journal::authentication::FactorKind;
use crate::tokens::login::EnrolmentInLogin;
use crate::tokens::obtain;

use super::super::auth::{Anyone, Visitor};
use super::super::error::ApiError;
use super::super::fields::Fields;
use super::super::metadata::Field;
use super::super::openapi::entry::{CHALLENGE, Entry, PASSWORD, component};
use super::super::openapi::schemas;
use super::super::password::{confirmed, wrong_password};
use super::super::{Call, View};
use super::{TAG, code, credential, example_tokens, no_choice, proof, refused, shown_factor, texts, with_tokens};
use crate::guard::device;

/// `GET` and `POST` of `/api/second-factors/`
pub struct Factors;

impl View for Factors {
    type Caller = Visitor;
    const NAME: &'static str = "Second Factor List";
    const DESCRIPTION: &'static str = "Shows the second factors of the caller, or begins to add one (POST).";
    const METHODS: &'static [Method] = &[Method::GET, Method::POST];

    fn fields(_: &Config) -> Vec<Field> {
        let optional = ["challenge", "method", "code", "credential"].map(Field::optional);
        [Field::required("kind"), Field::required("password")].into_iter().chain(optional).collect()
    }

    fn entry(config: &Config, method: &Method) -> Entry {
        if *method == Method::GET {
            return Entry::new(TAG, "The factors.", list_schema(), list_example())
                .does("Shows the second factors of the caller, and the browsers that are remembered.");
        }
        Entry::new(TAG, "What the user needs to confirm it.", started_schema(), started_example())
            .does("Begins to add a second factor for the caller, who gives the password again, and answers a challenge of `second-factors/challenge/` where there is a factor already; it counts when it is confirmed. Without a caller the `challenge` of a login that needs an enrolment stands for all.")
            .takes(json!({"kind": "totp", "password": PASSWORD}))
            .may_take("challenge", component(schemas::TEXT))
            .may_take("method", component(schemas::TEXT))
            .answers_challenge()
            .fault("factor_required", "The caller has a factor and does not show it", not_enrolled(EnrolError::FactorRequired))
            .fault("wrong_password", "The password is wrong", wrong_password("password"))
            .fault("bad_kind", "There is no such kind", no_choice("kind", "x"))
            .fault("kind_exists", "The user has one of this kind", not_enrolled(EnrolError::Exists))
            .fault("bad_challenge", "Without a caller: the challenge is none", AnswerError::NoChallenge)
            .throttled(config)
    }

    async fn answer(mut call: Call, caller: Visitor) -> Result<Value, ApiError> {
        if call.method == Method::GET {
            let user = caller.0.ok_or_else(ApiError::not_authenticated)?.user;
            let all = call.app.read(move |tx| factors::overview::overview(tx, &user)).await?;
            return Ok(json!({
                "factors": all.enrolled.factors.iter().map(shown).collect::<Value>(),
                "recovery_codes": all.enrolled.recovery_codes(),
                "required": all.is_required,
                "browsers": all.browsers.iter().map(shown_browser).collect::<Value>(),
            }));
        }
        let fields = call.fields().await?;
        let (name, by) = match caller.0 {
            Some(caller) => {
                let [name, password] = fields.texts(["kind", "password"])?;
                let by = confirmed(&call, &caller.user, "password", password.into()).await?;
                // Whether one is needed is decided where nobody can change it any more.
                let is_shown = fields.has("challenge");
                let factor = if is_shown { Some(shown_factor(&call, &fields, &caller).await?) } else { None };
                (name, EnrolmentAuthority::Password { by, factor })
            }
            None if !fields.has("challenge") => return Err(ApiError::not_authenticated()),
            None => {
                let [name, challenge] = fields.texts(["kind", "challenge"])?;
                (name, EnrolmentAuthority::PendingLogin(challenge.into()))
            }
        };
        let kind = FactorKind::of(&name).ok_or_else(|| no_choice("kind", &name))?;
        let started = enrol::start(&call.app, by, kind, &call.client()).await.map_err(not_enrolled)?;
        let token = started.token.expose_secret();
        Ok(match started.show {
            Show::Totp { secret, uri, qr } => json!({
                "enrolment": token,
                "secret": secret.expose_secret(),
                "uri": uri.expose_secret(),
                "qr": qr.expose_secret(),
            }),
            Show::Passkey(options) => json!({"enrolment": token, "options": options}),
            Show::Email(_) => {
                mail::send(&call.app, started.token.clone(), &call.client()).await?;
                json!({"enrolment": token})
            }
        })
    }
}

/// `POST /api/second-factors/confirm/`
pub struct Confirm;

impl View for Confirm {
    type Caller = Anyone;
    const NAME: &'static str = "Second Factor Confirm";
    const DESCRIPTION: &'static str = "Adds the factor of an enrolment, shown to work by a code or a passkey. With the first one come recovery codes, which are shown this once; with the challenge of a login that waited, its tokens.";

    fn fields(_: &Config) -> Vec<Field> {
        let optional = ["code", "credential", "name", "challenge"].map(Field::optional);
        [Field::required("enrolment")].into_iter().chain(optional).collect()
    }

    fn entry(_: &Config, _: &Method) -> Entry {
        let more = |object: ObjectBuilder| {
            let codes = ArrayBuilder::new().items(schemas::text());
            object.property("factor", factor_schema()).required("factor").property("recovery_codes", codes)
        };
        let mut schema = vec![more(schemas::closed()).into()];
        schema.push(with_tokens(more));
        let mut example = example_tokens();
        example["factor"] = factor_example();
        example["recovery_codes"] = json!(["k7m2p-x9r4t", "…"]);
        let name = schemas::text().max_length(Some(MAX_NAME)).pattern(Some("^[^\\u0000]*$"));
        Entry::new(TAG, "The factor counts from now on.", schemas::any_of(schema), example)
            .takes(json!({"enrolment": CHALLENGE, "code": "123456"}))
            .may_take("code", component(schemas::TEXT))
            .may_take("credential", credential())
            .may_take("name", name)
            .may_take("challenge", component(schemas::TEXT))
            .fault(
                "bad_challenge",
                "The enrolment or the challenge is none",
                refused(AnswerError::NoChallenge, "enrolment", "code"),
            )
            .fault("wrong_code", "The code or the passkey is wrong", refused(AnswerError::Wrong, "enrolment", "code"))
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        let [enrolment] = fields.texts(["enrolment"])?;
        let (response, name) = (given(&fields)?, fields.optional_text("name", MAX_NAME)?);
        let proof = proof(&response);
        let name = name.filter(|name| !name.is_empty());
        let answer = EnrolmentAnswer { token: enrolment.into(), response, name };
        let (mut body, done) = if fields.has("challenge") {
            let [challenge] = fields.texts(["challenge"])?;
            let enrolled = EnrolmentInLogin { challenge: challenge.into(), answer };
            let (tokens, done) = obtain::with_enrolment(&call.app, enrolled, call.client())
                .await
                .map_err(|error| not_confirmed(error, proof))?;
            (call.hand_out_tokens(tokens), done)
        } else {
            let done = enrolment::finish(&call.app, answer, &call.client())
                .await
                .map_err(|error| not_confirmed(error, proof))?;
            (json!({}), done)
        };
        body["factor"] = shown(&done.factor);
        if let Some(codes) = done.recovery_codes {
            body["recovery_codes"] = texts(&codes);
        }
        Ok(body)
    }
}

/// A passkey where there is one, else a code.
fn given(fields: &Fields) -> Result<FactorResponse, ApiError> {
    if fields.has("credential") { Ok(FactorResponse::Passkey(fields.object("credential")?)) } else { code(fields) }
}

/// Why nothing is begun.
fn not_enrolled(error: EnrolError) -> ApiError {
    match error {
        EnrolError::Exists | EnrolError::TooMany | EnrolError::NoAddress | EnrolError::NoPasskeys => {
            ApiError::fields([("kind", vec![error.to_string()])])
        }
        EnrolError::FactorRequired => ApiError::fields([("challenge", vec![error.to_string()])]),
        EnrolError::Stale => wrong_password("password"),
        EnrolError::Answer(error) => error.into(),
    }
}

/// Why what was begun is not finished.
fn not_confirmed(error: EnrolError, proof: &'static str) -> ApiError {
    match error {
        EnrolError::Answer(error) => refused(error, "enrolment", proof),
        other => not_enrolled(other),
    }
}

fn shown(factor: &Factor) -> Value {
    json!({
        "id": factor.id.0,
        "kind": factor.kind,
        "name": factor.name,
        "created_at": factor.created_at.iso(),
        "last_used_at": factor.last_used_at.map(Instant::iso),
    })
}

fn shown_browser(browser: &Browser) -> Value {
    json!({
        "id": browser.id,
        "device": device::words(&browser.user_agent),
        "ip": browser.ip,
        "created_at": browser.created_at.iso(),
        "last_used_at": browser.last_used_at.iso(),
        "expires_at": browser.expires_at.iso(),
    })
}

fn kind() -> ObjectBuilder {
    schemas::text().enum_values(Some(FactorKind::VARIANTS.iter().map(|kind| Value::from(kind.name()))))
}

fn factor_schema() -> ObjectBuilder {
    schemas::object([
        ("id", schemas::integer()),
        ("kind", kind()),
        ("name", schemas::text()),
        ("created_at", schemas::moment()),
        ("last_used_at", schemas::nullable(Type::String).format(Some(schemas::DATE_TIME))),
    ])
}

fn factor_example() -> Value {
    json!({
        "id": 7,
        "kind": "totp",
        "name": "Authenticator app",
        "created_at": "2026-03-01T12:00:00.123456Z",
        "last_used_at": null,
    })
}

fn list_schema() -> ObjectBuilder {
    let browser = schemas::object([
        ("id", schemas::text()),
        ("device", schemas::text()),
        ("ip", schemas::nullable(Type::String)),
        ("created_at", schemas::moment()),
        ("last_used_at", schemas::moment()),
        ("expires_at", schemas::moment()),
    ]);
    let required = schemas::flag().description(Some("Whether the caller must have one."));
    let left = schemas::integer().description(Some("How many recovery codes are left."));
    schemas::object([("factors", ArrayBuilder::new().items(factor_schema()))])
        .property("recovery_codes", left)
        .required("recovery_codes")
        .property("required", required)
        .required("required")
        .property("browsers", ArrayBuilder::new().items(browser))
        .required("browsers")
}

fn list_example() -> Value {
    let browser = json!({
        "id": "b2a57bfb8e4dc2d36a5e0a1a80ab5dbf",
        "device": "Firefox on Linux",
        "ip": "203.0.113.9",
        "created_at": "2026-03-01T12:00:00.123456Z",
        "last_used_at": "2026-03-02T08:00:00.123456Z",
        "expires_at": "2026-03-31T12:00:00.123456Z",
    });
    json!({"factors": [factor_example()], "recovery_codes": 10, "required": false, "browsers": [browser]})
}

fn started_schema() -> ObjectBuilder {
    let of = |what: &str| schemas::text().description(Some(what));
    let options = schemas::open_object().description(Some("Of a passkey: for `navigator.credentials.create`."));
    schemas::object([("enrolment", of("Names it when it is confirmed."))])
        .property("secret", of("Of an authenticator app: to type, in base32."))
        .property("uri", of("Of an authenticator app: `otpauth://…`"))
        .property("qr", of("The same as a QR code, in SVG."))
        .property("options", options)
}

fn started_example() -> Value {
    json!({
        "enrolment": CHALLENGE,
        "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "uri": "otpauth://totp/Latchkey:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Latchkey",
        "qr": "<svg …></svg>",
    })
}
