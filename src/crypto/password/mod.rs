//! Passwords: how new ones are hashed and stored ones compared.
//! The computation is in `scheme`, the stored texts in `format`, the threads that do the work in `pool`, how long it takes in
//! `speeds`. Called by `accounts`.

mod format;
mod pool;
mod recipe;
mod scheme;
mod speeds;

pub use pool::PasswordPool;
pub use recipe::{Busy, Check, Recipe};
