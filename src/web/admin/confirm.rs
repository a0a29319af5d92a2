//! "Your password": before an account is changed, who does it shows that it is really them, unless they did so in the last
//! minutes. `Superuser::confirm` is the only way to the `Confirmed` that every change in `accounts` asks for.

use actix_session::Session;

use super::access::{Staff, Superuser};
use super::error::PageError;
use super::words::length;
use crate::accounts::confirm::Confirmed;
use crate::accounts::login::LoginError;
use crate::accounts::user::FieldError;
use crate::db::types::Instant;

/// When the visitor logged in, or gave their password again.
const CONFIRMED_AT: &str = "logged_in_at";

/// The name of the form's field, and its label in a summary of errors.
pub const LABEL: (&str, &str) = (FIELD, "Your own password");

const FIELD: &str = "own_password";
const REQUIRED: &str = "This field is required.";
const WRONG: &str = "Your password was entered incorrectly. Please enter it again.";

/// What `admin/includes/own_password.html` shows: nothing at all where no password is needed.
pub struct OwnPassword {
    /// Whether to ask.
    pub is_needed: bool,
    /// How old the login is.
    pub age: String,
    /// What was wrong with the last try.
    pub error: Option<String>,
}

/// Notes that the visitor showed who they are.
pub fn remember(session: &Session, now: Instant) -> Result<(), PageError> {
    session.insert(CONFIRMED_AT, now.timestamp()).map_err(|_| PageError::Other("a login could not be kept"))
}

impl Superuser {
    /// The proof that accounts are changed with. `password` is the form's field `own_password`, which is looked at only
    /// where it is needed; a right one counts as a login.
    pub async fn confirm(&self, password: String) -> Result<Result<Confirmed, FieldError>, PageError> {
        if let Some(confirmed) = self.0.by_login() {
            return Ok(Ok(confirmed));
        }
        self.0.confirm_anew(FIELD, password).await
    }
}

impl Staff {
    /// Whether a form has to ask for the visitor's own password.
    pub fn needs_password(&self) -> bool {
        self.by_login().is_none()
    }

    /// For the template of a form; `error` is what `confirm` refused with, if the form was sent before.
    pub fn own_password(&self, error: Option<String>) -> OwnPassword {
        let age = self.confirmed_at().map(|at| self.reader().now.timestamp() - at.timestamp()).unwrap_or_default();
        OwnPassword { is_needed: self.needs_password(), age: length(age.unsigned_abs()), error }
    }

    /// The same for everybody, for what is their own, and however fresh the login is. `field` is the form's.
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
