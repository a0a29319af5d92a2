//! `logout/`, also as `/logout_token/`: the caller ends one of their logins, or all.

use actix_web::http::Method;
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
    const DESCRIPTION: &'static str = "Ends the session of the refresh token; with 'all', every session of the caller; with 'others', every session but this one.";

    fn form(_: &Config) -> Vec<&'static str> {
        vec!["refresh_token", "all", "others"]
    }

    fn entry(_: &Config, _: &Method) -> Entry {
        let own = schemas::fields(["refresh_token"]);
        let all = ObjectBuilder::new().property("all", schemas::truthy()).required("all");
        let others = ObjectBuilder::new().property("others", schemas::truthy()).required("others");
        let status = schemas::object([("status", schemas::text())]);
        Entry::new("Account", "Done.", status, json!({"status": GOODBYE}))
            .takes_as(AnyOfBuilder::new().item(own).item(all).item(others), json!({"refresh_token": REFRESH}))
            .fault("missing_token", "No field is there", super::fields::refusal(["refresh_token"], None))
            .bad_token(LogoutError::Token)
            .wrong_type(LogoutError::Token)
            .fault("not_yours", "The token is somebody else's", LogoutError::NotYours)
            .fault("no_session", "With `others`: neither token names a session", LogoutError::NoSession)
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        if fields.has("all") {
            revoke::logout_all(&call.app, &caller.user, call.client()).await?;
            call.forget_cookie();
            return Ok(json!({"status": "OK, goodbye, all refresh tokens blacklisted"}));
        }
        if fields.has("others") {
            let keep = match fields.get("refresh_token") {
                Some(_) => Some(call.refresh_token(&fields, "refresh_token")?),
                None => call.cookie_token()?,
            };
            let keep = keep.as_ref().map(|token| token.text.as_str());
            revoke::logout_others(&call.app, &caller, keep, call.client()).await?;
            return Ok(json!({"status": "OK, all other sessions ended"}));
        }
        let token = call.refresh_token(&fields, "refresh_token")?;
        let ended = revoke::logout(&call.app, &caller.user, &token.text, call.client()).await;
        call.take_back(&token, ended.as_ref().err().is_none_or(LogoutError::is_final));
        ended?;
        Ok(json!({"status": GOODBYE}))
    }
}
