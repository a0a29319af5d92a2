//! A token pair for a username and a password.

use crate::accounts::login::{Credentials, LoginError};
use crate::app::App;

/// An access token and the refresh token obtained with it. No `Debug`: both are secrets.
pub struct TokenPair {
    /// For the next logins.
    pub refresh: String,
    /// For requests.
    pub access: String,
}

/// Checks the credentials and issues a pair; the refresh token is recorded.
pub async fn pair(_app: &App, _credentials: Credentials) -> Result<TokenPair, LoginError> {
    unimplemented!()
}
