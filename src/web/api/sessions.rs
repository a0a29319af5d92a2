//! `sessions/`: where the caller is logged in; one of them can be looked at, named and ended.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::config::Config;
use crate::db::types::Instant;
use crate::tokens::own_sessions::{self, Own};
use crate::tokens::verify::Authenticated;
use crate::web::device;

use super::error::ApiError;
use super::{Call, View};

/// Longest label, as its column has it.
const LONGEST_LABEL: usize = 100;

/// `GET /api/sessions/`
pub struct List;

impl View for List {
    type Caller = Authenticated;
    const NAME: &'static str = "Session List";
    const DESCRIPTION: &'static str = "Shows the sessions of the caller that go on, newest first.";
    const METHODS: &'static [Method] = &[Method::GET];

    async fn answer(call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        Ok(own_sessions::list(&call.app, &caller).await?.into_iter().map(shown).collect())
    }
}

/// `GET`, `PATCH` and `DELETE` of `/api/sessions/{id}/`
pub struct One;

impl View for One {
    type Caller = Authenticated;
    const NAME: &'static str = "Session Instance";
    const DESCRIPTION: &'static str = "Shows a session of the caller, names it (PATCH), or ends it (DELETE).";
    const METHODS: &'static [Method] = &[Method::GET, Method::PATCH, Method::DELETE];

    fn form(_: &Config) -> Vec<&'static str> {
        vec!["label"]
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let id = call.segment("id").to_owned();
        if call.method == Method::DELETE {
            let has_ended = own_sessions::end(&call.app, &caller, &id, &call.client()).await?;
            return if has_ended { Ok(Value::Null) } else { Err(no_session()) };
        }
        let mut found = own_sessions::find(&call.app, &caller, &id).await?.ok_or_else(no_session)?;
        if call.method == Method::PATCH
            && let Some(label) = call.fields().await?.optional_text("label", LONGEST_LABEL)?
        {
            if !own_sessions::rename(&call.app, &caller, &id, &label).await? {
                return Err(no_session());
            }
            found.session.label = label;
        }
        Ok(shown(found))
    }
}

fn no_session() -> ApiError {
    ApiError::no_match("Session")
}

fn shown(Own { session, is_current }: Own) -> Value {
    json!({
        "id": session.id,
        "current": is_current,
        "label": session.label,
        "device": device::words(&session.user_agent),
        "ip": session.ip,
        "created_at": session.created_at.iso(),
        "last_refreshed_at": session.last_refreshed_at.map(Instant::iso),
        "expires_at": session.expires_at.iso(),
    })
}
