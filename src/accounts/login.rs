//! Checks a username and a password. A refusal takes the same time whatever its reason.

use secrecy::SecretString;

use crate::app::App;
use crate::crypto::password::{Busy, Check};
use crate::db::types::EncodedPassword;
use crate::db::users::User;
use crate::db::{DbError, latchkey_browser, latchkey_device};
use crate::guard::device::KNOWN_FOR;
use crate::guard::throttle::{self, Counted, Wait};
use crate::guard::ticket::Purpose;
use crate::journal::failed_login::{self, Refusal};
use crate::journal::{Client, Door};

/// The credentials in a login form or request.
#[derive(Debug)]
pub struct Credentials {
    /// Username or email address, depending on `USERNAME_FIELD`.
    pub login: String,
    /// The password as typed.
    pub password: SecretString,
}

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Unknown user, inactive user or wrong password: never told apart.
    #[error("No active account found with the given credentials")]
    NoActiveAccount,
    /// Too many attempts; the password was not checked.
    #[error("too many attempts; the next one in {} seconds", .0.seconds())]
    Throttled(Wait),
    /// Too many passwords are being checked already.
    #[error("too many logins at once")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Busy> for LoginError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// Returns the user whose password this is. Costs one hash, whatever the result; a failure also costs one write. An
/// attempt that has to wait costs no hash.
pub async fn authenticate(app: &App, credentials: Credentials, client: &Client) -> Result<User, LoginError> {
    let Credentials { login, password } = credentials;
    let (since, name) = (app.now() - KNOWN_FOR, login.clone());
    let network = client.network();
    let (user, is_known) = app
        .read(move |tx| {
            let user = tx.app.users.find_by_login(tx.conn, &name)?;
            // Asked for an unknown user too, so that the time does not tell which users exist.
            let id = user.as_ref().map_or(tx.app.users.no_user(), |user| user.id);
            let is_known = latchkey_device::is_known(tx.conn, id, &network, since)?;
            Ok::<_, DbError>((user, is_known))
        })
        .await?;
    let attempt = Attempt { client, login: &login, user: user.as_ref(), is_known };
    let right = attempt.judge(app, password.clone()).await?;
    match (user, right) {
        (Some(user), Some(Right { outdated })) if outdated && app.may_rehash() => {
            Ok(rehash(app, user, password).await?)
        }
        (Some(user), Some(_)) => Ok(user),
        _ => Err(LoginError::NoActiveAccount),
    }
}

/// Whether this is the user's password and they may still log in. Counts as a login in every way.
pub(super) async fn is_password_of(
    app: &App,
    user: &User,
    password: SecretString,
    client: &Client,
) -> Result<bool, LoginError> {
    let (id, network, since) = (user.id, client.network(), app.now() - KNOWN_FOR);
    let is_known = app.read(move |tx| latchkey_device::is_known(tx.conn, id, &network, since)).await?;
    let attempt = Attempt { client, login: &user.username, user: Some(user), is_known };
    Ok(attempt.judge(app, password).await?.is_some())
}

/// An attempt to log in.
struct Attempt<'a> {
    client: &'a Client,
    /// The username or address, as typed.
    login: &'a str,
    /// The user of that name, if there is one.
    user: Option<&'a User>,
    /// Whether that user logged in from this network recently.
    is_known: bool,
}

/// The password was right and the user may log in.
struct Right {
    /// The hash is not one that we would make today.
    outdated: bool,
}

impl Attempt<'_> {
    /// Counts the attempt, checks the password, and records the outcome.
    async fn judge(&self, app: &App, password: SecretString) -> Result<Option<Right>, LoginError> {
        let counted = self.count(app).await?;
        // The pool makes every failure take the same time, whatever its reason.
        let checked = match self.user {
            Some(user) => app.passwords.verify(password, user.password.0.clone(), user.may_log_in()).await,
            None => app.passwords.pretend(password).await.map(|()| Check::Wrong),
        };
        self.settle(app, counted, checked).await
    }

    /// Counts the attempt before the password is checked.
    async fn count(&self, app: &App) -> Result<Counted, LoginError> {
        if !app.config.accounts.login_throttle {
            return Ok(Counted::default());
        }
        let keys = throttle::login_keys(app, &self.client.network(), self.login, self.is_known);
        let refused = failed_login::Entry::new(self.client, self.user, Refusal::Throttled);
        let counted = app.write(move |tx| {
            let counted = throttle::count(tx, &keys)?;
            if counted.is_err() {
                refused.write(tx)?;
            }
            Ok::<_, DbError>(counted)
        });
        counted.await?.map_err(LoginError::Throttled)
    }

    /// Takes the count back, unless the login failed; a failure is logged.
    async fn settle(
        &self,
        app: &App,
        counted: Counted,
        checked: Result<Check, Busy>,
    ) -> Result<Option<Right>, LoginError> {
        match checked {
            // Like Django's ModelBackend: inactive users cannot log in, whatever `JWT_CHECK_USER_IS_ACTIVE` says.
            Ok(Check::Right { outdated }) if self.user.is_some_and(User::may_log_in) => {
                throttle::take_back(app, counted, true).await?;
                Ok(Some(Right { outdated }))
            }
            Ok(Check::Wrong | Check::Right { .. }) => {
                let failed = failed_login::Entry::new(self.client, self.user, Refusal::Failed);
                app.write(move |tx| failed.write(tx)).await?;
                Ok(None)
            }
            Err(busy) => {
                throttle::take_back(app, counted, false).await?;
                Err(busy.into())
            }
        }
    }
}

/// Replaces an outdated hash after a correct login, unless the password was changed in the meantime. Remembered
/// browsers stay remembered, because the password is the same.
async fn rehash(app: &App, user: User, password: SecretString) -> Result<User, LoginError> {
    let encoded = EncodedPassword(app.passwords.hash(password).await?);
    let (before, after) = (user.clone(), User { password: encoded, ..user.clone() });
    let rehashed = after.clone();
    let is_same = app.write(move |tx| {
        let is_same = tx.app.users.update_password(tx.conn, before.id, (Some(&before.password), &after.password))?;
        if is_same {
            let purpose = Purpose::RememberedBrowser(Door::Api);
            let new = purpose.fingerprint(tx.app, &after);
            for old in purpose.fingerprints(tx.app, &before) {
                latchkey_browser::update_state(tx.conn, before.id, &old, &new)?;
            }
        }
        Ok::<_, DbError>(is_same)
    });
    Ok(if is_same.await? { rehashed } else { user })
}
