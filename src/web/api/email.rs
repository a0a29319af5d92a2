//! `email/change/` and `email/confirm/`: another address for the caller, or the same one confirmed.

use actix_web::http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::accounts::email_change;
use crate::accounts::link::{LinkError, ReceivedAt};
use crate::config::Config;
use crate::guard::throttle::ADDRESS;
use crate::tokens::verify::Authenticated;

use super::auth::Anyone;
use super::error::ApiError;
use super::metadata::Field;
use super::openapi::entry::{Entry, LINK_TOKEN, PASSWORD};
use super::openapi::schemas;
use super::password::{confirmed, invalid_email, said, wrong_password};
use super::{Call, View};

const SENT: &str = "If nobody else uses this address, a mail with a link to confirm it is on its way to it.";

/// `POST /api/email/change/`
pub struct Change;

impl View for Change {
    type Caller = Authenticated;
    const NAME: &'static str = "Email Change";
    const DESCRIPTION: &'static str = "Mails a link to the address that is to be the caller's, who gives their password. It becomes theirs when the link is used; the caller's present address can be confirmed in the same way. Answers the same, whether somebody else uses it or not.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("email"), Field::required("password")]
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        said(SENT)
            .takes(json!({"email": "alice@example.org", "password": PASSWORD}))
            .fault("bad_email", "The address is none", invalid_email())
            .fault("wrong_password", "The password is wrong", wrong_password("password"))
            .throttled(config)
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let [email, password] = call.fields().await?.texts(["email", "password"])?;
        let by = confirmed(&call, &caller.user, "password", SecretString::from(password)).await?;
        let received = ReceivedAt::now();
        email_change::request(&call.app, &by, &email, (&call.client(), received)).await?;
        Ok(json!({"detail": SENT}))
    }
}

/// `POST /api/email/confirm/`
pub struct Confirm;

impl View for Confirm {
    type Caller = Anyone;
    const NAME: &'static str = "Email Confirm";
    const DESCRIPTION: &'static str =
        "Makes the address of a link that was mailed the user's, confirmed. Whoever has the old address is told.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token")]
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        let answer = schemas::object([("email", schemas::text())]);
        Entry::new(super::password::TAG, "The address is the user's.", answer, json!({"email": "alice@example.org"}))
            .takes(json!({"token": LINK_TOKEN}))
            .fault("bad_link", "The token is unknown, used, too old or overtaken", LinkError::Invalid)
            .throttled_by(config, ADDRESS)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let [token] = call.fields().await?.texts(["token"])?;
        let email = email_change::confirm(&call.app, SecretString::from(token), &call.client()).await?;
        Ok(json!({"email": email}))
    }
}
