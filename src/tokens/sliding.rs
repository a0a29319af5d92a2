//! Sliding tokens: one token that authenticates and can be refreshed until its `refresh_exp`.

use super::TokenError;
use crate::accounts::login::{Credentials, LoginError};
use crate::app::App;

/// Checks the credentials and issues a sliding token; it is recorded.
pub async fn obtain(_app: &App, _credentials: Credentials) -> Result<String, LoginError> {
    unimplemented!()
}

/// The same token with a later `exp`.
pub async fn refresh(_app: &App, _token: &str) -> Result<String, TokenError> {
    unimplemented!()
}
