//! `token/revoke/`: whoever holds a token can end it, and with it its session (RFC 7009).

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::config::Config;
use crate::tokens::revoke::{self, RevokeError};

use super::auth::Anyone;
use super::error::ApiError;
use super::metadata::Field;
use super::openapi::entry::{Entry, REFRESH, component};
use super::openapi::schemas::{EMPTY, oauth_token};
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

    fn entry(_: &Config, _: &Method) -> Entry {
        Entry::new("Token pairs", "It is refused from now on, if it was not before.", component(EMPTY), json!({}))
            .takes_as(oauth_token(), json!({"token": REFRESH}))
            .fault("no_oauth_token", "There is no token", ApiError::no_token())
            .fault("unsupported_token_type", "An access token that names no session", RevokeError::Unsupported)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        revoke::revoke(&call.app, fields.oauth_token()?, call.client()).await?;
        Ok(json!({}))
    }
}
