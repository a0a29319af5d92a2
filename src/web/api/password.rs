//! `password/reset/`, `password/reset/confirm/`, `password/change/`, as libraries used with SimpleJWT usually offer
//! them. Users without a front end use the pages of `web/account/`.

use actix_web::http::Method;
use secrecy::SecretString;
use serde_json::json;

use crate::accounts::change::OwnPassword;
use crate::accounts::confirm::Confirmed;
use crate::accounts::endings::Kept;
use crate::accounts::link::{LinkError, ReceivedAt};
use crate::accounts::manage::{ManageError, NewPassword};
use crate::accounts::user::{FieldError, validate_email};
use crate::accounts::{change, password_reset, policy};
use crate::config::Config;
use crate::db::users::User;
use crate::guard::throttle::{ADDRESS, MAIL_ASKED};
use crate::tokens::own_sessions;
use crate::tokens::verify::Authenticated;

use super::answer::Detail;
use super::auth::Anyone;
use super::error::ApiError;
use super::field::Field;
use super::openapi::examples::{LINK_TOKEN, PASSWORD};
use super::openapi::operation_doc::OperationDoc;
use super::token::email_field;
use super::{Call, NavigationLink, Subject, View};

const SENT: &str = "If an account uses this address, a link for a new password has been sent.";
const RESET: &str = "The password was changed. Every login of the account has ended.";
const CHANGED: &str = "The password was changed. Your other logins have ended.";
const CHANGED_ONLY: &str = "The password was changed.";
const WRONG_OLD: &str = "Your old password was entered incorrectly. Please enter it again.";
const WRONG: &str = "Your password was entered incorrectly. Please enter it again.";

/// `POST /api/password/reset/`
pub struct Reset;

impl View for Reset {
    type Caller = Anyone;
    type Answer = Detail;
    const NAME: &'static str = "Password Reset";
    const DESCRIPTION: &'static str = "Mails a link for a new password to the address, if an account uses it. The answer is the same whether one does or not.";
    const SUBJECT: Subject = Subject::PasswordsAndAddresses;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("rotate", "Reset password"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![email_field()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        sentence::<Self>(config, SENT)
            .takes(json!({"email": "alice@example.com"}))
            .error("bad_email", "The text is not an email address", invalid_email())
            .throttled_by(config, MAIL_ASKED)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Detail, ApiError> {
        let received = ReceivedAt::now();
        let [email] = call.fields().await?.texts(["email"])?;
        if let Some(problem) = validate_email(&email, true) {
            return Err(ApiError::field_errors(vec![problem]));
        }
        password_reset::request(&call.app, &email, &call.client(), received).await?;
        Ok(Detail { detail: SENT })
    }
}

/// `POST /api/password/reset/confirm/`
pub struct ResetConfirm;

impl View for ResetConfirm {
    type Caller = Anyone;
    type Answer = Detail;
    const NAME: &'static str = "Password Reset Confirm";
    const DESCRIPTION: &'static str = "Sets a new password with the token of a mailed link. Every session of the user ends, and every refresh token is blacklisted.";
    const SUBJECT: Subject = Subject::PasswordsAndAddresses;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("check", "Reset: confirm"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token").token(), new_password("password")]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        sentence::<Self>(config, RESET)
            .takes(json!({"token": LINK_TOKEN, "password": PASSWORD}))
            .error("bad_link", "The token is unknown, used, too old or superseded", LinkError::Invalid)
            .weak_password(config, "password")
            .throttled_by(config, ADDRESS)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Detail, ApiError> {
        let [token, password] = call.fields().await?.texts(["token", "password"])?.map(SecretString::from);
        password_reset::confirm(&call.app, token, password, &call.client()).await?;
        Ok(Detail { detail: RESET })
    }
}

/// `POST /api/password/change/`
pub struct Change;

impl View for Change {
    type Caller = Authenticated;
    type Answer = Detail;
    const NAME: &'static str = "Password Change";
    const DESCRIPTION: &'static str = "Sets a new password for the caller, who gives the old one. The session of the caller's token continues; every other one ends.";
    const SUBJECT: Subject = Subject::PasswordsAndAddresses;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("lock", "Change password"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("old_password").password(), new_password("new_password")]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        sentence::<Self>(config, changed(config))
            .takes(json!({"old_password": PASSWORD, "new_password": "quiet-lantern-23"}))
            .error("wrong_password", "The old password is wrong", wrong_password("old_password"))
            .weak_password(config, "new_password")
            .throttled(config)
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Detail, ApiError> {
        let [old, new] = call.fields().await?.texts(["old_password", "new_password"])?.map(SecretString::from);
        let by = confirmed(&call, &caller.user, "old_password", old).await?;
        let keeps = Kept::session(own_sessions::current(&call.app, &caller).await?);
        let new = OwnPassword { password: NewPassword::Plain(new), kept: keeps };
        let set = change::set_own_password(&call.app, &by, &caller.user, new).await;
        set.map_err(|error| match error {
            ManageError::Fields(problems) => ApiError::field_errors(at_field("new_password", problems)),
            // It was reset in the meantime, so the given password is no longer the current one.
            ManageError::Stale => wrong_password("old_password"),
            other => LinkError::from(other).into(),
        })?;
        Ok(Detail { detail: changed(&call.app.config) })
    }
}

fn new_password(name: &'static str) -> Field {
    Field::required(name).password().autocomplete("new-password")
}

fn changed(config: &Config) -> &'static str {
    if config.accounts.end_sessions_on_user_change { CHANGED } else { CHANGED_ONLY }
}

/// An operation that answers with one sentence.
pub fn sentence<V: View<Answer = Detail>>(config: &Config, sentence: &'static str) -> OperationDoc {
    OperationDoc::answers::<V>(config, sentence, Detail { detail: sentence })
}

/// Confirms the caller by the password in this field.
pub async fn confirmed(
    call: &Call,
    user: &User,
    field: &'static str,
    password: SecretString,
) -> Result<Confirmed, ApiError> {
    let client = call.client();
    let checked = Confirmed::by_password(&call.app, user, &client, password).await?;
    checked.ok_or_else(|| wrong_password(field))
}

/// The error for a wrong password in this field.
pub fn wrong_password(field: &'static str) -> ApiError {
    let message = if field == "old_password" { WRONG_OLD } else { WRONG };
    ApiError::field_errors(vec![FieldError { field, message: message.to_owned() }])
}

/// The error for a text that is not an email address.
pub fn invalid_email() -> ApiError {
    ApiError::field_errors(validate_email("x", true).into_iter().collect())
}

/// Moves the errors of a password to the field that it was sent in.
fn at_field(field: &'static str, problems: Vec<FieldError>) -> Vec<FieldError> {
    problems.into_iter().map(|problem| FieldError { field, ..problem }).collect()
}

impl OperationDoc {
    /// Adds the error for a password that breaks the rules; the example is such a password.
    fn weak_password(self, config: &Config, field: &'static str) -> Self {
        let problems = policy::faults(config, &policy::Owner::default(), &SecretString::from("letmein1"));
        if problems.is_empty() {
            return self;
        }
        let error = ApiError::field_errors(at_field(field, problems));
        self.error("weak_password", "The new password breaks PASSWORD_RULES", error)
    }
}
