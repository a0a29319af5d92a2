//! `me/`: who the caller is.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::config::UserIdField;
use crate::db::types::Instant;
use crate::tokens::verify::Authenticated;

use super::error::ApiError;
use super::{Call, View};

/// `GET /api/me/`
pub struct Me;

impl View for Me {
    type Caller = Authenticated;
    const NAME: &'static str = "Me";
    const DESCRIPTION: &'static str = "Shows the authenticated user.";
    const METHODS: &'static [Method] = &[Method::GET];

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
