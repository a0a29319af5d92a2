//! Who sends a form: a name and a password, or the password alone in a visit. Whoever has a second factor changes their
//! account only in a visit, where it was shown.

use secrecy::SecretString;

use super::page::input;
use super::trouble::Trouble;
use super::visit::Visitor;
use crate::accounts::confirm::Confirmed;
use crate::accounts::login::{Credentials, LoginError, authenticate};
use crate::app::App;
use crate::db::latchkey_second_factor;
use crate::db::users::User;
use crate::journal::Actor;
use crate::web::extract::Client;
use crate::web::form::{Errors, Input, login_label};

/// Django's text.
pub const WRONG: &str = "Please enter a correct username and password. Note that both fields may be case-sensitive.";
const WRONG_PASSWORD: &str = "This is not your password. Note that it may be case-sensitive.";

/// What a refused form says.
pub fn wrong(visitor: Option<&Visitor>) -> &'static str {
    if visitor.is_some() { WRONG_PASSWORD } else { WRONG }
}

/// The field for the name that one logs in with.
pub fn login(app: &App, value: &str, errors: &Errors) -> Input {
    let label = login_label(app.config.accounts.username_field);
    Input { value: value.to_owned(), ..input("username", label, "username", errors) }
}

/// The same on a page that knows its visitors.
pub fn name_field(app: &App, visitor: Option<&Visitor>, value: &str, errors: &Errors) -> Option<Input> {
    visitor.is_none().then(|| login(app, value, errors))
}

/// Who gives a name and a password; `None` if they are not right. What is typed around a password is no part of it, as in
/// a login over the API.
pub async fn log_in(
    app: &App,
    client: &Client,
    username: &str,
    password: &str,
) -> Result<Option<(User, Confirmed)>, Trouble> {
    let credentials = Credentials { login: username.trim().to_owned(), password: SecretString::from(password.trim()) };
    let user = match authenticate(app, credentials, client).await {
        Ok(user) => user,
        Err(LoginError::NoActiveAccount) => return Ok(None),
        Err(error) => return Err(Trouble::of_login(error)),
    };
    let by = Confirmed::by_credentials(Actor::user(&user, client), &user);
    Ok(Some((user, by)))
}

/// Who changes their account; `given` is a name, which only who has no visit needs, and a password. Where a second factor
/// is missing, `login` leads back.
pub async fn identify(
    app: &App,
    client: &Client,
    visitor: Option<&Visitor>,
    given: (&str, &str),
    login: &'static str,
) -> Result<Option<(User, Confirmed)>, Trouble> {
    let (username, password) = given;
    if let Some(visitor) = visitor {
        let user = visitor.user();
        let password = SecretString::from(password.trim());
        let by = Confirmed::by_password(app, user, client, password).await;
        return Ok(by.map_err(Trouble::of_login)?.map(|by| (user.clone(), by.in_session(&visitor.0))));
    }
    let Some((user, by)) = log_in(app, client, username, password).await? else { return Ok(None) };
    let id = user.id;
    let standing = app.read(move |tx| latchkey_second_factor::standing(tx.conn, id)).await?;
    if standing.has_factor { Err(Trouble::NeedsFactor(login)) } else { Ok(Some((user, by.without_factor()))) }
}
