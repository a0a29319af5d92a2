//! `token/revoke/`: whoever holds a token can end it, and with it its session (RFC 7009).

use serde_json::{Value, json};

use crate::config::Config;
use crate::tokens::revoke;

use super::auth::Anyone;
use super::error::ApiError;
use super::metadata::Field;
use super::{Call, View};

/// `POST /api/token/revoke/`
pub struct Revoke;

impl View for Revoke {
    type Caller = Anyone;
    const NAME: &'static str = "Token Revoke";
    const DESCRIPTION: &'static str = "Ends the session that a token belongs to, and blacklists its tokens (RFC 7009). A token that is not good is no error.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token")]
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        revoke::revoke(&call.app, fields.oauth_token()?).await?;
        Ok(json!({}))
    }
}
