//! `token/sliding/` and `token/sliding/refresh/`: SimpleJWT's views of sliding tokens.

use serde_json::{Value, json};

use crate::config::Config;
use crate::tokens::sliding;

use super::auth::Anyone;
use super::error::ApiError;
use super::metadata::Field;
use super::token::{credentials, login_field};
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

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let [token] = call.fields().await?.texts(["token"])?;
        Ok(json!({"token": sliding::refresh(&call.app, &token, call.client()).await?}))
    }
}
