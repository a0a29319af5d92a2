//! `token/revoke/`: anyone who holds a token can revoke it and end its session (RFC 7009).

use actix_web::http::{Method, StatusCode};
use serde_json::json;

use crate::config::Config;
use crate::tokens::revoke::{self, RevokeError};

use super::answer::Empty;
use super::auth::Anyone;
use super::error::ApiError;
use super::field::Field;
use super::openapi::examples::REFRESH;
use super::openapi::operation_doc::OperationDoc;
use super::openapi::schemas::oauth_token;
use super::{Call, NavigationLink, Subject, View};

/// `POST /api/token/revoke/`
pub struct Revoke;

impl View for Revoke {
    type Caller = Anyone;
    type Answer = Empty;
    const NAME: &'static str = "Token Revoke";
    const DESCRIPTION: &'static str = "Ends the session that a token belongs to, and blacklists its tokens (RFC 7009). An invalid token is not an error.";
    const SUBJECT: Subject = Subject::TokenPairs;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("x", "Revoke"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token").token()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        OperationDoc::answers::<Self>(config, "The token is no longer accepted.", Empty {})
            .takes_as(oauth_token(), json!({"token": REFRESH}))
            .error("no_oauth_token", "There is no token", ApiError::no_token())
            .error("unsupported_token_type", "An access token that names no session", RevokeError::Unsupported)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Empty, ApiError> {
        let fields = call.fields().await?;
        revoke::revoke(&call.app, fields.oauth_token()?, call.client()).await?;
        Ok(Empty {})
    }
}

impl From<RevokeError> for ApiError {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Unsupported => {
                let body = json!({"error": "unsupported_token_type", "error_description": error.to_string()});
                Self::new(StatusCode::BAD_REQUEST, body)
            }
            RevokeError::Db(error) => error.into(),
        }
    }
}
