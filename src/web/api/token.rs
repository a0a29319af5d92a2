//! `token/`, `token/refresh/`, `token/verify/`, `token/blacklist/`: SimpleJWT's views of token pairs.

use actix_web::http::Method;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::accounts::login::{Credentials, LoginError};
use crate::config::Config;
use crate::tokens::login::Password;
use crate::tokens::{TokenError, obtain, refresh, revoke, verify};

use super::answer::{AnswerBody, Empty, Token};
use super::auth::Anyone;
use super::error::ApiError;
use super::field::Field;
use super::openapi::examples::{ACCESS, PASSWORD, REFRESH};
use super::openapi::operation_doc::OperationDoc;
use super::{Call, NavigationLink, Subject, View};

/// `POST /api/token/`
pub struct Obtain;

/// A token pair.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenPair {
    /// Gets new access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required, value_type = Token)]
    pub refresh: Option<String>,
    /// Authenticates requests.
    #[schema(value_type = Token)]
    pub access: String,
}

impl TokenPair {
    /// The pair of the API document.
    pub fn example() -> Self {
        Self { refresh: Some(REFRESH.to_owned()), access: ACCESS.to_owned() }
    }
}

impl AnswerBody for TokenPair {}

impl View for Obtain {
    type Caller = Anyone;
    type Answer = TokenPair;
    const NAME: &'static str = "Token Obtain Pair";
    const DESCRIPTION: &'static str = "Exchanges a user's credentials for an access token and a refresh token.";
    const SUBJECT: Subject = Subject::TokenPairs;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("key", "Obtain"));

    fn fields(config: &Config) -> Vec<Field> {
        vec![login_field(config), Field::required("password").password()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        OperationDoc::answers::<Self>(config, "A token pair.", TokenPair::example())
            .takes(credentials_example(config))
            .leads_to("token_refresh", "refresh", "refresh")
            .leads_to("token_verify", "token", "access")
            .leads_to("token_blacklist", "refresh", "refresh")
            .leads_to("logout", "refresh_token", "refresh")
            .no_account(LoginError::NoActiveAccount)
            .asks_second_factor()
            .throttled(config)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<TokenPair, ApiError> {
        let password = password(&mut call).await?;
        let pair = obtain::pair(&call.app, password, call.client()).await?;
        Ok(TokenPair { refresh: call.hand_out_refresh(pair.refresh), access: pair.access })
    }
}

/// `POST /api/token/refresh/`
pub struct Refresh;

/// The tokens of a refresh.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshedTokens {
    /// Authenticates requests.
    #[schema(value_type = Token)]
    pub access: String,
    /// Replaces the token that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required, value_type = Token)]
    pub refresh: Option<String>,
}

impl AnswerBody for RefreshedTokens {
    fn schema_under(config: &Config) -> RefOr<Schema> {
        let mut schema = Self::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema
            && !config.jwt.rotate_refresh_tokens
        {
            object.properties.shift_remove("refresh");
            object.required.retain(|name| name != "refresh");
        }
        schema
    }
}

impl View for Refresh {
    type Caller = Anyone;
    type Answer = RefreshedTokens;
    const NAME: &'static str = "Token Refresh";
    const DESCRIPTION: &'static str = "Exchanges a refresh token for a new access token.";
    const SUBJECT: Subject = Subject::TokenPairs;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("rotate", "Refresh"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![refresh_field(), Field::read_only("access")]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        let refresh = config.jwt.rotate_refresh_tokens.then(|| REFRESH.to_owned());
        let example = RefreshedTokens { access: ACCESS.to_owned(), refresh };
        let success = "A new access token; with rotation a new refresh token too.";
        OperationDoc::answers::<Self>(config, success, example)
            .takes(json!({"refresh": REFRESH}))
            .reads(
                "Idempotency-Key",
                "Repeating the same refresh under the same key within a minute answers with the same refresh token again.",
                ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255)).pattern(Some("^[ -~]+$")),
            )
            .error("bad_idempotency_key", "The Idempotency-Key is empty, too long, or not ASCII", ApiError::bad_idempotency_key())
            .refused_refresh(config)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<RefreshedTokens, ApiError> {
        let fields = call.fields().await?;
        let token = call.refresh_token(&fields, "refresh")?;
        let key = call.idempotency_key()?;
        let refreshed = refresh::rotate(&call.app, &token.text, call.client(), key.as_deref()).await;
        let refreshed = refreshed.inspect_err(|error| call.take_back(&token, error.is_final()))?;
        let refresh = refreshed.refresh.and_then(|token| call.hand_out_refresh(token));
        Ok(RefreshedTokens { access: refreshed.access, refresh })
    }
}

/// `POST /api/token/verify/`
pub struct Verify;

impl View for Verify {
    type Caller = Anyone;
    type Answer = Empty;
    const NAME: &'static str = "Token Verify";
    const DESCRIPTION: &'static str = "Says whether a token of any type is valid, not what it is good for.";
    const SUBJECT: Subject = Subject::TokenPairs;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("check", "Verify"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![Field::required("token").token()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        OperationDoc::answers::<Self>(config, "The token is valid.", Empty {})
            .takes(json!({"token": ACCESS}))
            .bad_token(ApiError::from_verify)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Empty, ApiError> {
        let [token] = call.fields().await?.texts(["token"])?;
        verify::verify(&call.app, &token).await.map_err(ApiError::from_verify)?;
        Ok(Empty {})
    }
}

/// `POST /api/token/blacklist/`
pub struct Blacklist;

impl View for Blacklist {
    type Caller = Anyone;
    type Answer = Empty;
    const NAME: &'static str = "Token Blacklist";
    const DESCRIPTION: &'static str = "Blacklists a refresh token.";
    const SUBJECT: Subject = Subject::TokenPairs;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("ban", "Blacklist"));

    fn fields(_: &Config) -> Vec<Field> {
        vec![refresh_field()]
    }

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        OperationDoc::answers::<Self>(config, "The token has been blacklisted.", Empty {})
            .takes(json!({"refresh": REFRESH}))
            .bad_token(ApiError::from)
            .wrong_type(ApiError::from)
    }

    async fn answer(mut call: Call, _: Anyone) -> Result<Empty, ApiError> {
        let fields = call.fields().await?;
        let token = call.refresh_token(&fields, "refresh")?;
        let blacklisted = revoke::blacklist(&call.app, &token.text, call.client()).await;
        call.take_back(&token, blacklisted.as_ref().err().is_none_or(TokenError::is_final));
        blacklisted?;
        Ok(Empty {})
    }
}

fn refresh_field() -> Field {
    Field::required("refresh").label("Refresh token").token()
}

/// The field for the username or address.
pub fn login_field(config: &Config) -> Field {
    match login_name(config) {
        "email" => email_field(),
        name => Field::required(name).autocomplete("username"),
    }
}

/// The field of an email address.
pub fn email_field() -> Field {
    Field::required("email").label("Email address").autocomplete("email")
}

/// The name of that field in JSON.
fn login_name(config: &Config) -> &'static str {
    config.user_table.found.login_field
}

/// The example of credentials in the API document.
pub fn credentials_example(config: &Config) -> Value {
    let login = if config.user_table.found.is_login_by_email { "alice@example.com" } else { "alice" };
    json!({login_name(config): login, "password": PASSWORD})
}

/// Reads the credentials of a request, and the token of a remembered browser.
pub async fn password(call: &mut Call) -> Result<Password, ApiError> {
    let fields = call.fields().await?;
    let [login, password] = fields.texts([login_name(&call.app.config), "password"])?;
    let credentials = Credentials { login, password: SecretString::from(password) };
    Ok(Password { credentials, browser: call.browser(&fields) })
}
