//! Asks for the user's own password before an account is changed, unless they logged in a few minutes ago.
//! `Superuser::confirm` is the only way to get the `Confirmed` that every change in `accounts` needs.

use actix_session::Session;

use super::access::{Staff, Superuser};
use super::error::PageError;
use super::words::length;
use crate::accounts::confirm::Confirmed;
use crate::accounts::login::LoginError;
use crate::accounts::user::FieldError;
use crate::db::types::Instant;

/// When the user logged in or last gave their password.
const CONFIRMED_AT: &str = "logged_in_at";

/// The name of the field, and its label in the summary of errors.
pub const LABEL: (&str, &str) = (FIELD, "Your password");

const FIELD: &str = "own_password";
const REQUIRED: &str = "This field is required.";
const WRONG: &str = "Your password was entered incorrectly. Please enter it again.";

/// The field of `admin/includes/own_password.html`, which is shown only where a password is needed.
pub struct OwnPassword {
    /// Whether the form asks for the password.
    pub is_needed: bool,
    /// The age of the login, in words.
    pub age: String,
    /// The error of the last attempt.
    pub error: Option<String>,
}

/// Stores that the user just gave their password.
pub fn remember(session: &Session, now: Instant) -> Result<(), PageError> {
    session.insert(CONFIRMED_AT, now.timestamp()).map_err(|_| PageError::Other("a login could not be stored"))
}

impl Superuser {
    /// The proof that accounts are changed with. `password` is the field `own_password`. It is checked only where it is
    /// needed, and a correct one counts as a login.
    pub async fn confirm(&self, password: String) -> Result<Result<Confirmed, FieldError>, PageError> {
        if let Some(confirmed) = self.0.by_login() {
            return Ok(Ok(confirmed));
        }
        self.0.confirm_anew(FIELD, password).await
    }
}

impl Staff {
    /// Whether a form has to ask for the user's own password.
    pub fn needs_password(&self) -> bool {
        self.by_login().is_none()
    }

    /// The field for a form's template; `error` is the refusal of `confirm`, if there was one.
    pub fn own_password(&self, error: Option<String>) -> OwnPassword {
        let age = self.confirmed_at().map(|at| self.reader().now.timestamp() - at.timestamp()).unwrap_or_default();
        OwnPassword { is_needed: self.needs_password(), age: length(age.unsigned_abs()), error }
    }

    /// Always checks the password, for changes to the user's own account. `field` is the name of the form's field.
    pub async fn confirm_anew(
        &self,
        field: &'static str,
        password: String,
    ) -> Result<Result<Confirmed, FieldError>, PageError> {
        let refusal = |message: &str| Ok(Err(FieldError { field, message: message.to_owned() }));
        if password.is_empty() {
            return refusal(REQUIRED);
        }
        let app = &self.visit.app;
        match Confirmed::by_password(app, &self.user, &self.visit.client, password.into()).await {
            Ok(Some(confirmed)) => {
                self.session.as_ref().map_or(Ok(()), |session| remember(session, app.now()))?;
                Ok(Ok(confirmed))
            }
            Ok(None) | Err(LoginError::NoActiveAccount) => refusal(WRONG),
            Err(LoginError::Throttled(wait)) => Err(PageError::Throttled(wait)),
            Err(LoginError::Busy) => Err(PageError::Busy),
            Err(LoginError::Db(error)) => Err(error.into()),
        }
    }

    fn by_login(&self) -> Option<Confirmed> {
        Confirmed::by_login(self.visit.actor(&self.user), self.confirmed_at()?, self.reader().now)
    }

    fn confirmed_at(&self) -> Option<Instant> {
        let at: i64 = self.session.as_ref()?.get(CONFIRMED_AT).ok().flatten()?;
        Instant::from_timestamp(at)
    }
}
