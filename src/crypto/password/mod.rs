//! Passwords: how new ones are hashed and stored ones compared.
//! The computation is in `scheme`, the stored texts in `format`, the threads that do the work in `pool`, how long it takes in
//! `speeds`. Called by `accounts`.

mod format;
mod pool;
mod scheme;
mod speeds;

pub use pool::{Busy, Check, PasswordPool};
pub use scheme::Recipe;
