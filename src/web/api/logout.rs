//! `logout/`, also as `/logout_token/`: the caller ends one of their sessions, or all.

use actix_web::http::Method;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder};

use crate::config::Config;
use crate::tokens::TokenError;
use crate::tokens::revoke::{self, LogoutError};
use crate::tokens::verify::Authenticated;

use super::answer::AnswerBody;
use super::error::ApiError;
use super::field::Field;
use super::openapi::examples::REFRESH;
use super::openapi::operation_doc::OperationDoc;
use super::openapi::schemas;
use super::{Call, NavigationLink, Subject, View};

/// `POST /api/logout/`
pub struct Logout;

/// The result of a logout.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogoutStatus {
    /// What was ended, for people.
    pub status: &'static str,
}

impl AnswerBody for LogoutStatus {}

const ONE: LogoutStatus = LogoutStatus { status: "OK, goodbye" };
const ALL: LogoutStatus = LogoutStatus { status: "OK, goodbye, all refresh tokens blacklisted" };
const OTHERS: LogoutStatus = LogoutStatus { status: "OK, all other sessions ended" };

impl View for Logout {
    type Caller = Authenticated;
    type Answer = LogoutStatus;
    const NAME: &'static str = "API Logout";
    const DESCRIPTION: &'static str = "Ends the session of the refresh token; with 'all', every session of the caller; with 'others', every session but this one.";
    const SUBJECT: Subject = Subject::Account;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("out", "Log out"));

    fn form(_: &Config) -> Vec<Field> {
        let all = Field::optional("all").label("Log out everywhere").checkbox();
        let others = Field::optional("others").label("Log out elsewhere").checkbox();
        vec![
            Field::required("refresh_token").token(),
            all.hint("Ends every session of the user; the field above may then stay empty."),
            others.hint("Ends every session of the user except the one of the tokens above."),
        ]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        let one = ObjectBuilder::new().property("refresh_token", schemas::text_field()).required("refresh_token");
        let all = ObjectBuilder::new().property("all", schemas::truthy()).required("all");
        let others = ObjectBuilder::new().property("others", schemas::truthy()).required("others");
        OperationDoc::answers::<Self>(config, "Done.", ONE)
            .takes_as(AnyOfBuilder::new().item(one).item(all).item(others), json!({"refresh_token": REFRESH}))
            .error("missing_token", "No field was sent", super::fields::refusal(["refresh_token"], None))
            .bad_token(LogoutError::Token)
            .wrong_type(LogoutError::Token)
            .error("not_yours", "The token belongs to another user", LogoutError::NotYours)
            .error("no_session", "With `others`: neither token names a session", LogoutError::NoSession)
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<LogoutStatus, ApiError> {
        let fields = call.fields().await?;
        if fields.has("all") {
            revoke::logout_all(&call.app, &caller.user, call.client()).await?;
            call.forget_cookie();
            return Ok(ALL);
        }
        if fields.has("others") {
            let keep = match fields.get("refresh_token") {
                Some(_) => Some(call.refresh_token(&fields, "refresh_token")?),
                None => call.cookie_token()?,
            };
            let keep = keep.as_ref().map(|token| token.text.as_str());
            revoke::logout_others(&call.app, &caller, keep, call.client()).await?;
            return Ok(OTHERS);
        }
        let token = call.refresh_token(&fields, "refresh_token")?;
        let ended = revoke::logout(&call.app, &caller.user, &token.text, call.client()).await;
        call.take_back(&token, ended.as_ref().err().is_none_or(LogoutError::is_final));
        ended?;
        Ok(ONE)
    }
}

impl From<LogoutError> for ApiError {
    /// The caller is known, so a bad token is a field error and no reason to authenticate again.
    fn from(error: LogoutError) -> Self {
        match error {
            LogoutError::Token(TokenError::Db(error)) => error.into(),
            LogoutError::Token(_) | LogoutError::NotYours | LogoutError::NoSession => {
                Self::fields([("refresh_token", vec![error.to_string()])])
            }
        }
    }
}
