//! The whole token again, for a superuser who asks: signed anew from the stored `header.payload`. Each time audit-logged.

use crate::accounts::Actor;
use crate::app::App;
use crate::db::DbError;
use crate::db::types::TokenId;

/// What can be shown. No `Debug`: it is a secret.
pub enum Revealed {
    /// The token that the client got.
    Token(String),
    /// A token that works the same, but with another signature than the client's (PS*, ES*).
    Resigned(String),
    /// It cannot be made again; the text says why.
    No(String),
    /// There is no such token.
    NotFound,
}

/// Signs the stored token again, if it is still what its row and our settings say, and logs who asked.
pub async fn reveal(_app: &App, _actor: &Actor, _id: TokenId) -> Result<Revealed, DbError> {
    unimplemented!()
}
