//! The user table: Django's own `auth_user`, or the one of a custom user model. What the settings leave open is worked out
//! from the catalogue. All statements about users get its names from here (ADR 41).

pub mod catalogue;
mod refusal;
mod resolve;
mod source;
mod table;

pub use catalogue::{Column, Kind, TableName, quoted};
pub use refusal::UserTableError;
pub use resolve::ResolveError;
pub use table::{Identity, UserTable};
