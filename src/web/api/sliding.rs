//! `token/sliding/` and `token/sliding/refresh/`: SimpleJWT's views of sliding tokens.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::accounts::login::LoginError;
use crate::config::Config;
use crate::tokens::{TokenError, sliding};

use super::auth::Anyone;
use super::error::ApiError;
use super::metadata::Field;
use super::openapi::entry::{Entry, SLIDING, component};
use super::openapi::schemas::{TOKEN, object};
use super::token::{credentials, credentials_example, login_field};
use super::{Call, View};

/// `POST /api/token/sliding/`
pub struct Obtain;

impl View for Obtain {
    type Caller = Anyone;
    const NAME: &'static str = "Token Obtain Sliding";
    const DESCRIPTION: &'static str = "Exchanges a user's credentials for a sliding token.";

    fn fields(config: &Config) -> Vec<Field> {
        vec![Field::required(login_field(config)), Field::required("password")]
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        Entry::new(
            "Sliding tokens",
            "A sliding token.",
            object([("token", component(TOKEN))]),
            json!({"token": SLIDING}),
        )
        .takes(credentials_example(config))
        .leads_to("token_sliding_refresh", "token", "token")
        .leads_to("token_verify", "token", "token")
        .no_account(LoginError::NoActiveAccount)
        .throttled(config)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let credentials = credentials(&mut call).await?;
        Ok(json!({"token": sliding::obtain(&call.app, credentials, call.client()).await?}))
    }
}

/// `POST /api/token/sliding/refresh/`
pub struct Refresh;

impl View for Refresh {
    type Caller = Anyone;
    const NAME: &'static str = "Token Refresh Sliding";
    const DESCRIPTION: &'static str = "Exchanges a sliding token for the same with a later expiry.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token")]
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        let schema = object([("token", component(TOKEN))]);
        let too_late = || TokenError::ClaimExpired(config.jwt.sliding_token_refresh_exp_claim.clone());
        Entry::new("Sliding tokens", "The same token with a later expiry.", schema, json!({"token": SLIDING}))
            .takes(json!({"token": SLIDING}))
            .no_refresh(config)
            .fault("refresh_expired", "The time for refreshes is over", too_late())
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let [token] = call.fields().await?.texts(["token"])?;
        Ok(json!({"token": sliding::refresh(&call.app, &token, call.client()).await?}))
    }
}
