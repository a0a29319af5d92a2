//! `token/introspect/`: what a token is worth, for those who may ask (RFC 7662).

use serde_json::{Value, json};

use crate::config::Config;
use crate::tokens::introspect;

use super::client::Introspector;
use super::error::ApiError;
use super::metadata::Field;
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

    async fn answer(mut call: Call, caller: Introspector) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        caller.prove(&call.app, &fields)?;
        let found = introspect::introspect(&call.app, fields.oauth_token()?).await?;
        Ok(found.map_or_else(|| json!({"active": false}), Value::Object))
    }
}
