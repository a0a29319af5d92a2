//! `me/`: the caller's account.

use actix_web::http::Method;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::config::Config;
use crate::db::types::Instant;
use crate::db::types::UserId;
use crate::db::user_table::Identity;
use crate::tokens::verify::Authenticated;

use super::answer::AnswerBody;
use super::error::ApiError;
use super::openapi::examples::TIME;
use super::openapi::operation_doc::OperationDoc;
use super::openapi::schemas;
use super::{Call, NavigationLink, Subject, View};

/// `GET /api/me/`
pub struct Me;

/// The user that the token names.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrentUser {
    /// What tokens name the user by: the primary key, or the UUID.
    #[schema(value_type = i64)]
    pub id: PublicId,
    /// The username.
    pub username: String,
    /// The email address; empty where there is none.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// Whether the user may open the admin panel.
    pub is_staff: bool,
    /// Whether the user may do anything.
    pub is_superuser: bool,
    /// When the account was made.
    #[schema(format = DateTime)]
    pub date_joined: Option<String>,
    /// When the user last logged in.
    #[schema(required, format = DateTime)]
    pub last_login: Option<String>,
}

/// What the outside calls a user.
#[derive(Serialize)]
#[serde(untagged)]
pub enum PublicId {
    /// The primary key.
    Number(i64),
    /// The UUID of the token, if it has one.
    Uuid(Option<String>),
}

impl CurrentUser {
    fn example(config: &Config) -> Self {
        let uuid = "3f0c6b6e-6f0e-4c56-9d5f-2f6f7c1f9a10";
        let id = if config.has_uuids() { PublicId::Uuid(Some(uuid.to_owned())) } else { PublicId::Number(7) };
        Self {
            id,
            username: "alice".to_owned(),
            email: "alice@example.com".to_owned(),
            first_name: "Alice".to_owned(),
            last_name: "Archer".to_owned(),
            is_staff: false,
            is_superuser: false,
            date_joined: Some(TIME.to_owned()),
            last_login: Some(TIME.to_owned()),
        }
    }
}

impl AnswerBody for CurrentUser {
    fn schema_under(config: &Config) -> RefOr<Schema> {
        let mut schema = Self::schema();
        if let (true, RefOr::T(Schema::Object(user))) = (config.has_uuids(), &mut schema) {
            let uuid = schemas::text_or_null().description(Some("The UUID that the token names the user by."));
            user.properties.insert("id".to_owned(), uuid.into());
        }
        schema
    }
}

impl View for Me {
    type Caller = Authenticated;
    type Answer = CurrentUser;
    const NAME: &'static str = "Me";
    const DESCRIPTION: &'static str = "Shows the authenticated user.";
    const SUBJECT: Subject = Subject::Account;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("user", "Me"));
    const METHODS: &'static [Method] = &[Method::GET];

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        OperationDoc::answers::<Self>(config, "The caller.", CurrentUser::example(config))
    }

    async fn answer(call: Call, caller: Authenticated) -> Result<CurrentUser, ApiError> {
        let (jwt, users) = (&call.app.config.jwt, &call.app.users);
        // If tokens name users by their UUID, the primary key is not shown.
        let id = match (&users.identity, caller.user.id) {
            (Identity::Uuid, _) => PublicId::Uuid(caller.claims.get(&jwt.user_id_claim).and_then(canonical_uuid)),
            (_, UserId::Integer(id)) => PublicId::Number(id),
            (_, id @ UserId::Uuid(_)) => PublicId::Uuid(Some(id.to_string())),
        };
        let user = caller.user;
        Ok(CurrentUser {
            id,
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            date_joined: user.date_joined.map(Instant::iso),
            last_login: user.last_login.map(Instant::iso),
        })
    }
}

/// The UUID of a claim in its usual spelling; Python accepts others too.
fn canonical_uuid(claim: &Value) -> Option<String> {
    uuid::Uuid::try_parse(claim.as_str()?).ok().map(|uuid| uuid.hyphenated().to_string())
}
