//! `token/`, `token/refresh/`, `token/verify/`, `token/blacklist/`: SimpleJWT's views of token pairs.

use secrecy::SecretString;
use serde_json::{Value, json};

use crate::accounts::login::Credentials;
use crate::config::{Config, UsernameField};
use crate::tokens::{TokenError, obtain, refresh, revoke, verify};

use super::auth::Anyone;
use super::error::ApiError;
use super::metadata::Field;
use super::{Call, View};

/// `POST /api/token/`
pub struct Obtain;

impl View for Obtain {
    type Caller = Anyone;
    const NAME: &'static str = "Token Obtain Pair";
    const DESCRIPTION: &'static str = "Exchanges a user's credentials for an access token and a refresh token.";

    fn fields(config: &Config) -> Vec<Field> {
        vec![Field::required(login_field(config)), Field::required("password")]
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let credentials = credentials(&mut call).await?;
        let pair = obtain::pair(&call.app, credentials, call.client()).await?;
        Ok(call.hand_out(json!({"refresh": pair.refresh, "access": pair.access})))
    }
}

/// `POST /api/token/refresh/`
pub struct Refresh;

impl View for Refresh {
    type Caller = Anyone;
    const NAME: &'static str = "Token Refresh";
    const DESCRIPTION: &'static str = "Exchanges a refresh token for a new access token.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("refresh"), Field::read_only("access")]
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        let token = call.refresh_token(&fields, "refresh")?;
        let key = call.idempotency_key()?;
        let refreshed = refresh::rotate(&call.app, &token.text, call.client(), key.as_deref()).await;
        let refreshed = refreshed.inspect_err(|error| call.take_back(&token, error.is_final()))?;
        let mut body = json!({"access": refreshed.access});
        if let Some(refresh) = refreshed.refresh {
            body["refresh"] = refresh.into();
        }
        Ok(call.hand_out(body))
    }
}

/// `POST /api/token/verify/`
pub struct Verify;

impl View for Verify {
    type Caller = Anyone;
    const NAME: &'static str = "Token Verify";
    const DESCRIPTION: &'static str = "Says whether a token of any type is valid, not what it is good for.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token")]
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let [token] = call.fields().await?.texts(["token"])?;
        verify::verify(&call.app, &token).await.map_err(ApiError::from_verify)?;
        Ok(json!({}))
    }
}

/// `POST /api/token/blacklist/`
pub struct Blacklist;

impl View for Blacklist {
    type Caller = Anyone;
    const NAME: &'static str = "Token Blacklist";
    const DESCRIPTION: &'static str = "Blacklists a refresh token.";

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("refresh")]
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        let token = call.refresh_token(&fields, "refresh")?;
        let blacklisted = revoke::blacklist(&call.app, &token.text).await;
        call.take_back(&token, blacklisted.as_ref().err().is_none_or(TokenError::is_final));
        blacklisted?;
        Ok(json!({}))
    }
}

/// What the login is called in JSON.
pub fn login_field(config: &Config) -> &'static str {
    match config.accounts.username_field {
        UsernameField::Email => "email",
        UsernameField::Username | UsernameField::UsernameOrEmail => "username",
    }
}

/// Login and password of a request.
pub async fn credentials(call: &mut Call) -> Result<Credentials, ApiError> {
    let [login, password] = call.fields().await?.texts([login_field(&call.app.config), "password"])?;
    Ok(Credentials { login, password: SecretString::from(password) })
}
