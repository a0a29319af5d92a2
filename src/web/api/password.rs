//! `password/reset/`, `password/reset/confirm/`, `password/change/`: what the usual libraries beside SimpleJWT have. The
//! same for people without a front end are the pages of `web/account/`.

use actix_web::http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

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

use super::auth::Anyone;
use super::error::ApiError;
use super::metadata::Field;
use super::openapi::entry::{Entry, LINK_TOKEN, PASSWORD, component};
use super::openapi::schemas::DETAIL;
use super::{Call, View};

/// The heading in the API document.
pub const TAG: &str = "Passwords and addresses";

const SENT: &str = "If an account uses this address, a mail with a link for a new password is on its way to it.";
const RESET: &str = "The password was changed. Every login of the account has ended.";
const CHANGED: &str = "The password was changed. Your other logins have ended.";
const CHANGED_ONLY: &str = "The password was changed.";
const WRONG_OLD: &str = "Your old password was entered incorrectly. Please enter it again.";
const WRONG: &str = "Your password was entered incorrectly. Please enter it again.";

/// `POST /api/password/reset/`
pub struct Reset;

impl View for Reset {
    type Caller = Anyone;
    const NAME: &'static str = "Password Reset";
    const DESCRIPTION: &'static str = "Mails a link for a new password to the address, if an account uses it. Answers the same, whether one does or not.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("email")]
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        said(SENT)
            .takes(json!({"email": "alice@example.com"}))
            .fault("bad_email", "The address is none", invalid_email())
            .throttled_by(config, MAIL_ASKED)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let came = ReceivedAt::now();
        let [email] = call.fields().await?.texts(["email"])?;
        if let Some(fault) = validate_email(&email, true) {
            return Err(ApiError::faults(vec![fault]));
        }
        password_reset::request(&call.app, &email, &call.client(), came).await?;
        Ok(json!({"detail": SENT}))
    }
}

/// `POST /api/password/reset/confirm/`
pub struct ResetConfirm;

impl View for ResetConfirm {
    type Caller = Anyone;
    const NAME: &'static str = "Password Reset Confirm";
    const DESCRIPTION: &'static str = "Sets a new password with the token of a link that was mailed. Every session of the user ends, and every refresh token is blacklisted.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token"), Field::required("password")]
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        said(RESET)
            .takes(json!({"token": LINK_TOKEN, "password": PASSWORD}))
            .fault("bad_link", "The token is unknown, used, too old or overtaken", LinkError::Invalid)
            .weak_password(config, "password")
            .throttled_by(config, ADDRESS)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let [token, password] = call.fields().await?.texts(["token", "password"])?.map(SecretString::from);
        password_reset::confirm(&call.app, token, password, &call.client()).await?;
        Ok(json!({"detail": RESET}))
    }
}

/// `POST /api/password/change/`
pub struct Change;

impl View for Change {
    type Caller = Authenticated;
    const NAME: &'static str = "Password Change";
    const DESCRIPTION: &'static str = "Sets a new password for the caller, who gives the old one. The session of the caller's token goes on, every other one ends.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("old_password"), Field::required("new_password")]
    }

    fn entry(config: &Config, _: &Method) -> Entry {
        said(changed(config))
            .takes(json!({"old_password": PASSWORD, "new_password": "quiet-lantern-23"}))
            .fault("wrong_password", "The old password is wrong", wrong_password("old_password"))
            .weak_password(config, "new_password")
            .throttled(config)
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let [old, new] = call.fields().await?.texts(["old_password", "new_password"])?.map(SecretString::from);
        let by = confirmed(&call, &caller.user, "old_password", old).await?;
        let kept = Kept::session(own_sessions::current(&call.app, &caller).await?);
        let new = OwnPassword { password: NewPassword::Plain(new), kept };
        let set = change::set_own_password(&call.app, &by, &caller.user, new).await;
        set.map_err(|error| match error {
            ManageError::Fields(faults) => ApiError::faults(renamed(faults, "new_password")),
            // Somebody reset it meanwhile: what was given is not the password any more.
            ManageError::Stale => wrong_password("old_password"),
            other => LinkError::from(other).into(),
        })?;
        Ok(json!({"detail": changed(&call.app.config)}))
    }
}

fn changed(config: &Config) -> &'static str {
    if config.accounts.end_sessions_on_user_change { CHANGED } else { CHANGED_ONLY }
}

/// An endpoint that answers with a sentence.
pub fn said(sentence: &'static str) -> Entry {
    Entry::new(TAG, sentence, component(DETAIL), json!({"detail": sentence}))
}

/// The caller, who has given their password in a field.
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

/// The password in this field is not the caller's.
pub fn wrong_password(field: &'static str) -> ApiError {
    let message = if field == "old_password" { WRONG_OLD } else { WRONG };
    ApiError::faults(vec![FieldError { field, message: message.to_owned() }])
}

/// What is said of a text that is no address.
pub fn invalid_email() -> ApiError {
    ApiError::faults(validate_email("x", true).into_iter().collect())
}

/// Faults of a password, at the field that it came in.
fn renamed(faults: Vec<FieldError>, field: &'static str) -> Vec<FieldError> {
    faults.into_iter().map(|fault| FieldError { field, ..fault }).collect()
}

impl Entry {
    /// A new password has to follow the rules; the example is one that breaks them.
    fn weak_password(self, config: &Config, field: &'static str) -> Self {
        let faults = policy::faults(config, &policy::Owner::default(), &SecretString::from("letmein1"));
        if faults.is_empty() {
            return self;
        }
        self.fault("weak_password", "The new password breaks PASSWORD_RULES", ApiError::faults(renamed(faults, field)))
    }
}
