//! Passwords: how new ones are hashed, and what a comparison answers.
//! The computation is in `scheme`, the stored texts in `format`, the threads that do the work in `pool`. Called by `accounts`.

mod format;
mod pool;
mod recipe;
mod scheme;

pub use pool::PasswordPool;
pub use recipe::{Busy, Check, Recipe};
