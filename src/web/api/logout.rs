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
    const DESCRIPTION: &'static str = "Blacklists the refresh token of the request, or all of the caller's.";

    fn form(_: &Config) -> Vec<&'static str> {
        vec!["refresh_token", "all"]
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        if fields.get("all").is_some_and(super::fields::Value::is_true) {
            revoke::logout_all(&call.app, &caller.user).await?;
            return Ok(json!({"status": "OK, goodbye, all refresh tokens blacklisted"}));
        }
        let [token] = fields.texts(["refresh_token"])?;
        revoke::logout(&call.app, &caller.user, &token).await?;
        Ok(json!({"status": "OK, goodbye"}))
    }
}
