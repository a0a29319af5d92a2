//! `sessions/`: where the caller is logged in; each session can be read, renamed and ended.

use actix_web::http::Method;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::config::Config;
use crate::db::types::Instant;
use crate::guard::device;
use crate::tokens::own_sessions::{self, Own};
use crate::tokens::verify::Authenticated;

use super::answer::{AnswerBody, ListOf};
use super::error::ApiError;
use super::field::Field;
use super::openapi::examples::TIME;
use super::openapi::operation_doc::OperationDoc;
use super::openapi::schemas;
use super::{Call, NavigationLink, Subject, View};

/// The longest label that its column takes.
const LONGEST_LABEL: usize = 100;

/// A session of the caller.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnSession {
    /// Identifies it in paths; the value of the session claim in its tokens.
    pub id: String,
    /// Whether the caller's token belongs to it; null if the token names no session.
    #[schema(required)]
    pub current: Option<bool>,
    /// The user's name for it; empty at first.
    pub label: String,
    /// The browser and system, or the program, that used it last.
    pub device: String,
    /// The address that it was last used from.
    #[schema(required)]
    pub ip: Option<String>,
    /// When the user logged in.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When a token of it was last refreshed.
    #[schema(required, format = DateTime)]
    pub last_refreshed_at: Option<String>,
    /// When its latest token expires.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

impl OwnSession {
    fn example() -> Self {
        Self {
            id: "4d8c659fd274159405e0239715f9f5b5".to_owned(),
            current: Some(true),
            label: "My phone".to_owned(),
            device: "Firefox on Android".to_owned(),
            ip: Some("203.0.113.9".to_owned()),
            created_at: TIME.to_owned(),
            last_refreshed_at: Some("2026-03-01T12:05:00.123456Z".to_owned()),
            expires_at: "2026-03-02T12:05:00Z".to_owned(),
        }
    }
}

impl AnswerBody for OwnSession {}

impl From<Own> for OwnSession {
    fn from(Own { session, is_current }: Own) -> Self {
        Self {
            id: session.id,
            current: is_current,
            label: session.label,
            device: device::words(&session.user_agent),
            ip: session.ip,
            created_at: session.created_at.iso(),
            last_refreshed_at: session.last_refreshed_at.map(Instant::iso),
            expires_at: session.expires_at.iso(),
        }
    }
}

/// `GET /api/sessions/`
pub struct List;

impl View for List {
    type Caller = Authenticated;
    type Answer = ListOf<OwnSession>;
    const NAME: &'static str = "Session List";
    const DESCRIPTION: &'static str = "Shows the sessions of the caller that have not ended, newest first.";
    const SUBJECT: Subject = Subject::Sessions;
    const LINK: Option<NavigationLink> = Some(NavigationLink::new("users", "Sessions"));
    const METHODS: &'static [Method] = &[Method::GET];

    fn doc(config: &Config, _: &Method) -> OperationDoc {
        OperationDoc::answers::<Self>(config, "The sessions, newest first.", ListOf(vec![OwnSession::example()]))
    }

    async fn answer(call: Call, caller: Authenticated) -> Result<ListOf<OwnSession>, ApiError> {
        let sessions = own_sessions::list(&call.app, &caller).await?;
        Ok(ListOf(sessions.into_iter().map(OwnSession::from).collect()))
    }
}

/// `GET`, `PATCH` and `DELETE` of `/api/sessions/{id}/`
pub struct One;

impl View for One {
    type Caller = Authenticated;
    /// `None` once it has ended.
    type Answer = Option<OwnSession>;
    const NAME: &'static str = "Session Instance";
    const DESCRIPTION: &'static str = "Shows a session of the caller, renames it (PATCH), or ends it (DELETE).";
    const SUBJECT: Subject = Subject::Sessions;
    const METHODS: &'static [Method] = &[Method::GET, Method::PATCH, Method::DELETE];

    fn fields(_: &Config) -> Vec<Field> {
        let label = Field::optional("label").hint("What to call the session; for PATCH.");
        vec![label.takes(|| schemas::short_text(LONGEST_LABEL).into())]
    }

    fn doc(config: &Config, method: &Method) -> OperationDoc {
        let doc = match *method {
            Method::DELETE => OperationDoc::no_content("It has ended.").does("Ends a session of the caller."),
            Method::PATCH => {
                OperationDoc::answers::<Self>(config, "The session with its new name.", OwnSession::example())
                    .does("Renames a session of the caller.")
                    .takes(json!({"label": "My phone"}))
                    .optionally()
            }
            _ => OperationDoc::answers::<Self>(config, "The session.", OwnSession::example())
                .does("Shows a session of the caller."),
        };
        doc.error("no_such_session", "The caller has no session with this id that has not ended", no_session())
    }

    async fn answer(mut call: Call, caller: Authenticated) -> Result<Option<OwnSession>, ApiError> {
        let id = call.segment("id").to_owned();
        if call.method == Method::DELETE {
            let has_ended = own_sessions::end(&call.app, &caller.user, &id, &call.client()).await?;
            return if has_ended { Ok(None) } else { Err(no_session()) };
        }
        let mut own = own_sessions::find(&call.app, &caller, &id).await?.ok_or_else(no_session)?;
        if call.method == Method::PATCH
            && let Some(label) = call.fields().await?.optional_text("label", LONGEST_LABEL)?
        {
            if !own_sessions::rename(&call.app, &caller, &id, &label).await? {
                return Err(no_session());
            }
            own.session.label = label;
        }
        Ok(Some(own.into()))
    }
}

fn no_session() -> ApiError {
    ApiError::no_match("Session")
}
