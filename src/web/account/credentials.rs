//! Who sends a form: with a username and a password, or, where somebody is logged in, with the password alone. Users who
//! have a second factor change their account only while they are logged in, because the login asked for it.

use secrecy::SecretString;

use super::error::AccountError;
use super::page::input;
use super::session::CurrentUser;
use crate::accounts::confirm::Confirmed;
use crate::accounts::login::{Credentials, LoginError, authenticate};
use crate::app::App;
use crate::db::latchkey_second_factor;
use crate::db::users::User;
use crate::journal::Actor;
use crate::web::extract::Client;
use crate::web::form::{Errors, Input};

/// Django's text.
pub const WRONG: &str = "Please enter a correct username and password. Note that both fields may be case-sensitive.";
const WRONG_PASSWORD: &str = "This is not your password. Passwords are case-sensitive.";

/// The field for the username or the email address, whichever a login takes.
pub fn username_field(app: &App, value: &str, errors: &Errors) -> Input {
    let label = app.config.user_table.found.login_label;
    Input { value: value.to_owned(), ..input("username", label, "username", errors) }
}

/// The same on a page that asks for a username only where nobody is logged in.
pub fn optional_username(app: &App, current: Option<&CurrentUser>, value: &str, errors: &Errors) -> Option<Input> {
    current.is_none().then(|| username_field(app, value, errors))
}

/// The user whose username and password these are; `None` if they are wrong. White space around a password is not part of
/// it, as in a login over the API.
pub async fn log_in(
    app: &App,
    client: &Client,
    username: &str,
    password: &str,
) -> Result<Option<(User, Confirmed)>, AccountError> {
    let credentials = Credentials { login: username.trim().to_owned(), password: SecretString::from(password.trim()) };
    let user = match authenticate(app, credentials, client).await {
        Ok(user) => user,
        Err(LoginError::NoActiveAccount) => return Ok(None),
        Err(error) => return Err(AccountError::of_login(error)),
    };
    let by = Confirmed::by_credentials(Actor::user(&user, client), &user);
    Ok(Some((user, by)))
}

/// What a form that changes an account says of its sender.
pub struct Sender<'a> {
    /// The user who is logged in, if there is one.
    pub current: Option<&'a CurrentUser>,
    /// Used only where nobody is logged in.
    pub username: &'a str,
    /// The current password.
    pub password: &'a str,
    /// Where to log in if the account has a second factor.
    pub login: &'static str,
}

impl Sender<'_> {
    /// The user, with the proof that accounts are changed with; `None` if username or password is wrong.
    pub async fn identify(&self, app: &App, client: &Client) -> Result<Option<(User, Confirmed)>, AccountError> {
        if let Some(current) = self.current {
            let user = current.user();
            let password = SecretString::from(self.password.trim());
            let by = Confirmed::by_password(app, user, client, password).await;
            return Ok(by.map_err(AccountError::of_login)?.map(|by| (user.clone(), by.in_session(&current.session))));
        }
        let Some((user, by)) = log_in(app, client, self.username, self.password).await? else { return Ok(None) };
        let id = user.id;
        let standing = app.read(move |tx| latchkey_second_factor::standing(tx.conn, id)).await?;
        if standing.has_factor {
            Err(AccountError::NeedsFactor(self.login))
        } else {
            Ok(Some((user, by.without_factor())))
        }
    }

    /// What the form says if username or password is wrong.
    pub fn refusal(&self) -> &'static str {
        if self.current.is_some() { WRONG_PASSWORD } else { WRONG }
    }
}
