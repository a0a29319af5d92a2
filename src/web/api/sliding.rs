//! `token/sliding/` and `token/sliding/refresh/`: SimpleJWT's views of sliding tokens.

use actix_web::http::Method;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::accounts::login::LoginError;
use crate::config::Config;
use crate::tokens::{TokenError, sliding};

use super::answer::{AnswerBody, Token};
use super::auth::Anyone;
use super::error::ApiError;
use super::field::Field;
use super::openapi::examples::SLIDING;
use super::openapi::operation_doc::OperationDoc;
use super::token::{credentials_example, login_field, password};
use super::{Call, NavigationLink, Subject, View};

/// A sliding token.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SlidingToken {
    /// Authenticates requests, and can be refreshed.
    #[schema(value_type = Token)]
    pub token: String,
}

impl SlidingToken {
    fn example() -> Self {
        Self { token: SLIDING.to_owned() }
    }
}

impl AnswerBody for SlidingToken {}

/// `POST /api/token/sliding/`
pub struct Obtain;

impl View for Obtain {
    type Caller = Anyone;
    type Answer = SlidingToken;
    const NAME: &'static str = "Token Obtain Sliding";
    const DESCRIPTION: &'static str = "Exchanges a user's credentials for a sliding token.";
    const SUBJECT: Subject = Subject::SlidingTokens;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("key", "Obtain"));

    fn fields(config: &Config) -> Vec<Field> {
        vec![login_field(config), Field::required("password").password()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        OperationDoc::answers::<Self>(config, "A sliding token.", SlidingToken::example())
            .takes(credentials_example(config))
            .leads_to("token_sliding_refresh", "token", "token")
            .leads_to("token_verify", "token", "token")
            .no_account(LoginError::NoActiveAccount)
            .asks_second_factor()
            .throttled(config)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<SlidingToken, ApiError> {
        let password = password(&mut call).await?;
        Ok(SlidingToken { token: sliding::obtain(&call.app, password, call.client()).await? })
    }
}

/// `POST /api/token/sliding/refresh/`
pub struct Refresh;

impl View for Refresh {
    type Caller = Anyone;
    type Answer = SlidingToken;
    const NAME: &'static str = "Token Refresh Sliding";
    const DESCRIPTION: &'static str = "Exchanges a sliding token for the same token with a later expiry.";
    const SUBJECT: Subject = Subject::SlidingTokens;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("rotate", "Refresh"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token").token()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        let too_late = || TokenError::ClaimExpired(config.jwt.sliding_token_refresh_exp_claim.clone());
        OperationDoc::answers::<Self>(config, "The same token with a later expiry.", SlidingToken::example())
            .takes(json!({"token": SLIDING}))
            .refused_refresh(config)
            .error("refresh_expired", "The token can no longer be refreshed", too_late())
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<SlidingToken, ApiError> {
        let [token] = call.fields().await?.texts(["token"])?;
        Ok(SlidingToken { token: sliding::refresh(&call.app, &token, call.client()).await? })
    }
}
