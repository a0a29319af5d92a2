//! `token/introspect/`: what a token is worth, for those who may ask (RFC 7662).

use actix_web::http::Method;
use serde_json::{Value, json};
use utoipa::openapi::schema::ObjectBuilder;

use crate::config::Config;
use crate::tokens::introspect;

use super::client::Introspector;
use super::error::ApiError;
use super::metadata::Field;
use super::openapi::entry::{Entry, REFRESH};
use super::openapi::schemas;
use super::{Call, View};

/// `POST /api/token/introspect/`
pub struct Introspect;

impl View for Introspect {
    type Caller = Introspector;
    const NAME: &'static str = "Token Introspect";
    const DESCRIPTION: &'static str = "Tells a superuser, or the client of the settings, whether a token of any type would be accepted now, and what it says (RFC 7662).";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token")]
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        let active = ObjectBuilder::new().property("active", schemas::flag()).required("active");
        let example = json!({
            "active": true,
            "token_type": "refresh",
            "exp": 1_772_452_800,
            "iat": 1_772_366_400,
            "jti": "0123456789abcdef0123456789abcdef",
            config.jwt.user_id_claim.as_str(): "7",
            "sid": "4d8c659fd274159405e0239715f9f5b5",
            "sub": "7",
            "username": "alice",
        });
        let answers = "What the token says, and whose it is; `active` alone, and `false`, if it would not be accepted.";
        Entry::new("Token pairs", answers, active, example)
            .takes_as(schemas::oauth_token(), json!({"token": REFRESH}))
            .fault("no_oauth_token", "There is no token", ApiError::no_token())
    }

    async fn answer(mut call: Call, caller: Introspector) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        caller.prove(&call.app, &fields)?;
        let found = introspect::introspect(&call.app, fields.oauth_token()?).await?;
        Ok(found.map_or_else(|| json!({"active": false}), Value::Object))
    }
}
