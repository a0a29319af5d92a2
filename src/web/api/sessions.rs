//! `sessions/`: where the caller is logged in; one of them can be looked at, named and ended.

use actix_web::http::Method;
use serde_json::{Value, json};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};

use crate::config::Config;
use crate::db::types::Instant;
use crate::guard::device;
use crate::tokens::own_sessions::{self, Own};
use crate::tokens::verify::Authenticated;

use super::error::ApiError;
use super::openapi::entry::Entry;
use super::openapi::schemas;
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

    fn entry(_: &Config, _: &Method) -> Entry {
        let all = ArrayBuilder::new().items(schema());
        Entry::new("Sessions", "The sessions, newest first.", all, json!([example()]))
    }

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

    fn entry(_: &Config, method: &Method) -> Entry {
        let entry = match *method {
            Method::DELETE => Entry::gone("Sessions", "It has ended.").does("Ends a session of the caller."),
            Method::PATCH => {
                let label = schemas::text().max_length(Some(LONGEST_LABEL)).pattern(Some("^[^\\u0000]*$"));
                let body = ObjectBuilder::new().property("label", label);
                Entry::new("Sessions", "The session, named.", schema(), example())
                    .does("Names a session of the caller.")
                    .takes_as(body, json!({"label": "My phone"}))
                    .optionally()
            }
            _ => Entry::new("Sessions", "The session.", schema(), example()).does("Shows a session of the caller."),
        };
        entry.fault("no_such_session", "None of the caller's that goes on has this id", no_session())
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Value, ApiError> {
        let id = call.segment("id").to_owned();
        if call.method == Method::DELETE {
            let has_ended = own_sessions::end(&call.app, &caller.user, &id, &call.client()).await?;
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

fn schema() -> ObjectBuilder {
    let (text, moment) = (schemas::text, schemas::moment);
    let nullable = || schemas::nullable(Type::String);
    schemas::object([
        ("id", text()),
        ("current", schemas::nullable(Type::Boolean)),
        ("label", text()),
        ("device", text()),
        ("ip", nullable()),
        ("created_at", moment()),
        ("last_refreshed_at", nullable().format(Some(schemas::DATE_TIME))),
        ("expires_at", moment()),
    ])
}

fn example() -> Value {
    json!({
        "id": "4d8c659fd274159405e0239715f9f5b5",
        "current": true,
        "label": "My phone",
        "device": "Firefox on Android",
        "ip": "203.0.113.9",
        "created_at": "2026-03-01T12:00:00.123456Z",
        "last_refreshed_at": "2026-03-01T12:05:00.123456Z",
        "expires_at": "2026-03-02T12:05:00Z",
    })
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
