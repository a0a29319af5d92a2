//! `email/change/` and `email/confirm/`: changes the caller's address, or confirms the current one.

use actix_web::http::Method;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::accounts::email_change;
use crate::accounts::link::{LinkError, ReceivedAt};
use crate::config::Config;
use crate::guard::throttle::ADDRESS;
use crate::tokens::verify::Authenticated;

use super::answer::{AnswerBody, Detail};
use super::auth::Anyone;
use super::error::ApiError;
use super::field::Field;
use super::openapi::examples::{LINK_TOKEN, PASSWORD};
use super::openapi::operation_doc::OperationDoc;
use super::password::{confirmed, invalid_email, sentence, wrong_password};
use super::token::email_field;
use super::{Call, NavigationLink, Subject, View};

const SENT: &str = "If no other account uses this address, a link to confirm it has been sent.";

/// `POST /api/email/change/`
pub struct Change;

impl View for Change {
    type Caller = Authenticated;
    type Answer = Detail;
    const NAME: &'static str = "Email Change";
    const DESCRIPTION: &'static str = "Mails a link to a new address for the caller, who gives their password. The address becomes theirs when the link is used; their current address can be confirmed in the same way. The answer is the same whether or not another account uses the address.";
    const SUBJECT: Subject = Subject::PasswordsAndAddresses;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("info", "Change address"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![email_field(), Field::required("password").password()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        sentence::<Self>(config, SENT)
            .takes(json!({"email": "alice@example.org", "password": PASSWORD}))
            .error("bad_email", "The text is not an email address", invalid_email())
            .error("wrong_password", "The password is wrong", wrong_password("password"))
            .throttled(config)
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Detail, ApiError> {
        let [email, password] = call.fields().await?.texts(["email", "password"])?;
        let by = confirmed(&call, &caller.user, "password", SecretString::from(password)).await?;
        let received = ReceivedAt::now();
        email_change::request(&call.app, &by, &email, (&call.client(), received)).await?;
        Ok(Detail { detail: SENT })
    }
}

/// `POST /api/email/confirm/`
pub struct Confirm;

/// An address that was confirmed.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmedEmail {
    /// The user's address from now on.
    pub email: String,
}

impl AnswerBody for ConfirmedEmail {}

impl View for Confirm {
    type Caller = Anyone;
    type Answer = ConfirmedEmail;
    const NAME: &'static str = "Email Confirm";
    const DESCRIPTION: &'static str =
        "Confirms the address that a link was mailed to, and makes it the user's. The old address is notified.";
    const SUBJECT: Subject = Subject::PasswordsAndAddresses;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("check", "Address: confirm"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token").token()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        let example = ConfirmedEmail { email: "alice@example.org".to_owned() };
        OperationDoc::answers::<Self>(config, "The address is the user's.", example)
            .takes(json!({"token": LINK_TOKEN}))
            .error("bad_link", "The token is unknown, used, too old or superseded", LinkError::Invalid)
            .throttled_by(config, ADDRESS)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<ConfirmedEmail, ApiError> {
        let [token] = call.fields().await?.texts(["token"])?;
        let email = email_change::confirm(&call.app, SecretString::from(token), &call.client()).await?;
        Ok(ConfirmedEmail { email })
    }
}
