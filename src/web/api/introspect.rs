//! `token/introspect/`: whether a token is valid, and its claims, for callers who may ask (RFC 7662).

use actix_web::http::Method;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::config::Config;
use crate::tokens::introspect;

use super::answer::AnswerBody;
use super::client::Introspector;
use super::error::ApiError;
use super::field::Field;
use super::openapi::examples::REFRESH;
use super::openapi::operation_doc::OperationDoc;
use super::openapi::schemas;
use super::{Call, NavigationLink, Subject, View};

/// `POST /api/token/introspect/`
pub struct Introspect;

/// The result of an introspection.
#[derive(Serialize, ToSchema)]
pub struct Introspection {
    /// Whether the token would be accepted now.
    pub active: bool,
    /// The claims of the token, if it would be accepted.
    #[serde(flatten)]
    #[schema(ignore)]
    pub claims: Map<String, Value>,
}

impl Introspection {
    fn example(config: &Config) -> Self {
        let claims = [
            ("token_type", json!("refresh")),
            ("exp", json!(1_772_452_800)),
            ("iat", json!(1_772_366_400)),
            ("jti", json!("0123456789abcdef0123456789abcdef")),
            (config.jwt.user_id_claim.as_str(), json!("7")),
            ("sid", json!("4d8c659fd274159405e0239715f9f5b5")),
            ("sub", json!("7")),
            ("username", json!("alice")),
        ];
        Self { active: true, claims: claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }
}

impl AnswerBody for Introspection {}

impl View for Introspect {
    type Caller = Introspector;
    type Answer = Introspection;
    const NAME: &'static str = "Token Introspect";
    const DESCRIPTION: &'static str = "Tells a superuser, or the client from the settings, whether a token of any type would be accepted now, and returns its claims (RFC 7662).";
    const SUBJECT: Subject = Subject::TokenPairs;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("info", "Introspect"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token").token()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        let success = "The token's claims and its user; only `active`, which is `false`, if it would not be accepted.";
        OperationDoc::answers::<Self>(config, success, Introspection::example(config))
            .takes_as(schemas::oauth_token(), json!({"token": REFRESH}))
            .error("no_oauth_token", "There is no token", ApiError::no_token())
    }

    async fn answer(mut call: Call, caller: Introspector) -> Result<Introspection, ApiError> {
        let fields = call.fields().await?;
        caller.prove(&call.app, &fields)?;
        let mut claims = introspect::introspect(&call.app, fields.oauth_token()?).await?.unwrap_or_default();
        // The room's answer contains it too, as the first claim.
        let active = claims.shift_remove("active").is_some();
        Ok(Introspection { active, claims })
    }
}
