//! `/admin/auth/user/ID/…`: the pages of one user, one file per address; the list is in `users`. This file has the common
//! parts. Changes go through `accounts::change`, which needs a `Confirmed` (see `confirm`).

pub mod add;
pub mod browsers;
pub mod change;
pub mod delete;
pub mod factors;
mod history;
pub mod log_out;
pub mod password;
mod profile_form;
mod question;
pub mod reset_link;
pub mod second_factors;
pub mod sections;

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::access::Staff;
use super::address::{self, USERS};
use super::error::PageError;
use super::form::Errors;
use super::layout::{Message, Tone, moved};
use super::users::full_name;
use crate::accounts::manage::ManageError;
use crate::accounts::user::FieldError;
use crate::app::{App, Tx};
use crate::db::DbError;
use crate::db::types::UserId;
use crate::db::users::{self, TokenCounts, User};

/// `GET user/ID/`, as in Django.
pub async fn bare(_: Staff, path: Path<UserId>) -> HttpResponse {
    moved(&address_of(*path))
}

fn address_of(id: UserId) -> String {
    format!("{USERS}{id}/change/")
}

fn missing(id: UserId) -> PageError {
    PageError::NoSuchRow("user", id.to_string())
}

async fn find(app: &App, id: UserId) -> Result<User, PageError> {
    app.read(move |tx| tx.app.users.find(tx.conn, id)).await?.ok_or_else(|| missing(id))
}

async fn find_counted(app: &App, id: UserId) -> Result<(User, TokenCounts), PageError> {
    let now = app.now();
    let job = move |tx: &mut Tx<'_>| {
        let Some(user) = tx.app.users.find(tx.conn, id)? else { return Ok(None) };
        let counts = users::count_tokens(tx.conn, user.id, now, Some(TokenCounts::MAX_COUNTED))?;
        Ok::<_, DbError>(Some((user, counts)))
    };
    app.read(job).await?.ok_or_else(|| missing(id))
}

/// The errors that a form shows after a refusal; other errors are pages.
pub fn refusal(error: ManageError, id: UserId) -> Result<Errors, PageError> {
    match error {
        ManageError::Fields(errors) => Ok(Errors::new(errors.into_iter().map(first_of_two).collect())),
        ManageError::Protected(error) => Ok(Errors::new(vec![error])),
        ManageError::NoSuchUser => Err(missing(id)),
        ManageError::NoCreation(obstacle) => Ok(Errors::new(vec![FieldError { field: "user", message: obstacle }])),
        ManageError::Busy => Err(PageError::Busy),
        ManageError::Db(error) => Err(error.into()),
        ManageError::Stale | ManageError::Referenced => Err(PageError::Other("a refusal that no form here can cause")),
    }
}

/// Errors of a new password are shown at the first of its two fields.
fn first_of_two(error: FieldError) -> FieldError {
    FieldError { field: if error.field == "password" { "password1" } else { error.field }, ..error }
}

/// A message with a link to a user.
fn about(text: String, id: UserId) -> Message {
    Message { tone: Tone::Good, text, link: Some((address_of(id), "Open user".to_owned())) }
}

/// The address of the list of a user's tokens.
fn tokens_of(list: &str, id: UserId) -> String {
    address::search(list, &id.to_string())
}
