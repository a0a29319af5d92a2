//! `me/`: who the caller is.

use actix_web::http::Method;
use serde_json::{Value, json};
use utoipa::openapi::schema::Type;

use crate::config::{Config, UserIdField};
use crate::db::types::Instant;
use crate::tokens::verify::Authenticated;

use super::error::ApiError;
use super::openapi::entry::Entry;
use super::openapi::schemas::{DATE_TIME, flag, integer, moment, nullable, object, text};
use super::{Call, View};

/// `GET /api/me/`
pub struct Me;

impl View for Me {
    type Caller = Authenticated;
    const NAME: &'static str = "Me";
    const DESCRIPTION: &'static str = "Shows the authenticated user.";
    const METHODS: &'static [Method] = &[Method::GET];

    fn entry(config: &Config, _: &Method) -> Entry {
        let (id, example) = match config.jwt.user_id_field {
            UserIdField::Uuid => (nullable(Type::String), json!("3f0c6b6e-6f0e-4c56-9d5f-2f6f7c1f9a10")),
            UserIdField::Id | UserIdField::Username | UserIdField::Email => (integer(), json!(7)),
        };
        let user = object([
            ("id", id),
            ("username", text()),
            ("email", text()),
            ("first_name", text()),
            ("last_name", text()),
            ("is_staff", flag()),
            ("is_superuser", flag()),
            ("date_joined", moment()),
            ("last_login", nullable(Type::String).format(Some(DATE_TIME))),
        ]);
        let example = json!({
            "id": example,
            "username": "alice",
            "email": "alice@example.com",
            "first_name": "Alice",
            "last_name": "Archer",
            "is_staff": false,
            "is_superuser": false,
            "date_joined": "2026-03-01T12:00:00.123456Z",
            "last_login": "2026-03-01T12:00:00.123456Z",
        });
        Entry::new("Account", "The caller.", user, example)
    }

    async fn answer(call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let jwt = &call.app.config.jwt;
        // Where tokens name users by their UUID, the number is nobody's business.
        let id = match jwt.user_id_field {
            UserIdField::Uuid => caller.claims.get(&jwt.user_id_claim).and_then(canonical_uuid).into(),
            UserIdField::Id | UserIdField::Username | UserIdField::Email => json!(caller.user.id.0),
        };
        let user = caller.user;
        Ok(json!({
            "id": id,
            "username": user.username,
            "email": user.email,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "is_staff": user.is_staff,
            "is_superuser": user.is_superuser,
            "date_joined": user.date_joined.iso(),
            "last_login": user.last_login.map(Instant::iso),
        }))
    }
}

/// The UUID of a claim in its usual spelling; Python takes others too.
fn canonical_uuid(claim: &Value) -> Option<String> {
    uuid::Uuid::try_parse(claim.as_str()?).ok().map(|uuid| uuid.hyphenated().to_string())
}
