//! `token/`, `token/refresh/`, `token/verify/`, `token/blacklist/`: SimpleJWT's views of token pairs.

use actix_web::http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::accounts::login::{Credentials, LoginError};
use crate::config::{Config, UsernameField};
use crate::tokens::{TokenError, obtain, refresh, revoke, verify};

use super::auth::Anyone;
use super::error::ApiError;
use super::metadata::Field;
use super::openapi::entry::{ACCESS, Entry, PASSWORD, REFRESH, component};
use super::openapi::schemas::{EMPTY, TOKEN, object};
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

    fn entry(config: &Config, _: &Method) -> Entry {
        let pair = object([("refresh", component(TOKEN)), ("access", component(TOKEN))]);
        Entry::new("Token pairs", "A token pair.", pair, json!({"refresh": REFRESH, "access": ACCESS}))
            .takes(credentials_example(config))
            .leads_to("token_refresh", "refresh", "refresh")
            .leads_to("token_verify", "token", "access")
            .leads_to("token_blacklist", "refresh", "refresh")
            .leads_to("logout", "refresh_token", "refresh")
            .no_account(LoginError::NoActiveAccount)
            .throttled(config)
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

    fn entry(config: &Config, _: &Method) -> Entry {
        let (mut schema, mut example) = (object([("access", component(TOKEN))]), json!({"access": ACCESS}));
        if config.jwt.rotate_refresh_tokens {
            schema = schema.property("refresh", component(TOKEN)).required("refresh");
            example["refresh"] = REFRESH.into();
        }
        Entry::new("Token pairs", "A new access token; with rotation a new refresh token too.", schema, example)
            .takes(json!({"refresh": REFRESH}))
            .reads(
                "Idempotency-Key",
                "Whoever repeats the same refresh under the same key within a minute gets the same refresh token again.",
                ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255)).pattern(Some("^[ -~]+$")),
            )
            .fault("bad_idempotency_key", "The Idempotency-Key is empty, too long, or not ASCII", ApiError::bad_idempotency_key())
            .no_refresh(config)
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

    fn entry(_: &Config, _: &Method) -> Entry {
        Entry::new("Token pairs", "The token is good.", component(EMPTY), json!({}))
            .takes(json!({"token": ACCESS}))
            .bad_token(ApiError::from_verify)
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

    fn entry(_: &Config, _: &Method) -> Entry {
        Entry::new("Token pairs", "The token is blacklisted now.", component(EMPTY), json!({}))
            .takes(json!({"refresh": REFRESH}))
            .bad_token(ApiError::from)
            .wrong_type(ApiError::from)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Value, ApiError> {
        let fields = call.fields().await?;
        let token = call.refresh_token(&fields, "refresh")?;
        let blacklisted = revoke::blacklist(&call.app, &token.text, call.client()).await;
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

/// Login and password of the API document.
pub fn credentials_example(config: &Config) -> Value {
    let login = match config.accounts.username_field {
        UsernameField::Email => "alice@example.com",
        UsernameField::Username | UsernameField::UsernameOrEmail => "alice",
    };
    json!({login_field(config): login, "password": PASSWORD})
}

/// Login and password of a request.
pub async fn credentials(call: &mut Call) -> Result<Credentials, ApiError> {
    let [login, password] = call.fields().await?.texts([login_field(&call.app.config), "password"])?;
    Ok(Credentials { login, password: SecretString::from(password) })
}
