//! `logout/`, also as `/logout_token/`: the caller ends one of their logins, or all.

use serde_json::{Value, json};

use crate::config::Config;
use crate::tokens::revoke;
use crate::tokens::verify::Authenticated;

use super::error::ApiError;
use super::{Call, View};

/// `POST /api/logout/`
pub struct Logout;

impl View for Logout {
    type Caller = Authenticated;
    const NAME: &'static str = "API Logout";
    const DESCRIPTION: &'static str = "Ends the session of the refresh token, or with all every session of the caller, or with others all but this one.";

    fn form(_: &Config) -> Vec<&'static str> {
        vec!["refresh_token", "all", "others"]
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        if fields.get("all").is_some_and(super::fields::Value::is_true) {
            revoke::logout_all(&call.app, &caller.user).await?;
            return Ok(json!({"status": "OK, goodbye, all refresh tokens blacklisted"}));
        }
        if fields.get("others").is_some_and(super::fields::Value::is_true) {
            let keep = match fields.get("refresh_token") {
                Some(_) => Some(fields.texts(["refresh_token"])?),
                None => None,
            };
            revoke::logout_others(&call.app, &caller, keep.as_ref().map(|[token]| token.as_str())).await?;
            return Ok(json!({"status": "OK, all other sessions ended"}));
        }
        let [token] = fields.texts(["refresh_token"])?;
        revoke::logout(&call.app, &caller.user, &token).await?;
        Ok(json!({"status": "OK, goodbye"}))
    }
}
