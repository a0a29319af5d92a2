//! `logout/`, also as `/logout_token/`: the caller ends one of their logins, or all.

use serde_json::{Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder};

use crate::config::Config;
use crate::tokens::revoke::{self, LogoutError};
use crate::tokens::verify::Authenticated;

use super::error::ApiError;
use super::openapi::entry::{Entry, REFRESH};
use super::openapi::schemas;
use super::{Call, View};

const GOODBYE: &str = "OK, goodbye";

/// `POST /api/logout/`
pub struct Logout;

impl View for Logout {
    type Caller = Authenticated;
    const NAME: &'static str = "API Logout";
    const DESCRIPTION: &'static str = "Blacklists the refresh token of the request, or all of the caller's.";

    fn form(_: &Config) -> Vec<&'static str> {
        vec!["refresh_token", "all"]
    }

    fn entry(_: &Config) -> Entry {
        let own = schemas::fields(["refresh_token"]);
        let all = ObjectBuilder::new().property("all", schemas::truthy()).required("all");
        let status = schemas::object([("status", schemas::text())]);
        Entry::new("Account", "Done.", status, json!({"status": GOODBYE}))
            .takes_as(AnyOfBuilder::new().item(own).item(all), json!({"refresh_token": REFRESH}))
            .fault("missing_token", "Neither field is there", super::fields::refusal(["refresh_token"], None))
            .bad_token(LogoutError::Token)
            .wrong_type(LogoutError::Token)
            .fault("not_yours", "The token is somebody else's", LogoutError::NotYours)
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        if fields.get("all").is_some_and(super::fields::Value::is_true) {
            revoke::logout_all(&call.app, &caller.user).await?;
            return Ok(json!({"status": "OK, goodbye, all refresh tokens blacklisted"}));
        }
        let [token] = fields.texts(["refresh_token"])?;
        revoke::logout(&call.app, &caller.user, &token).await?;
        Ok(json!({"status": GOODBYE}))
    }
}
