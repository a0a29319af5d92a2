//! Records exports from the panel, before the first row is sent. The rows are read by `web`.

use serde_json::{Map, Value, json};

use crate::app::App;
use crate::db::DbError;
use crate::journal::Actor;
use crate::journal::action::Action;
use crate::journal::audit::AuditEntry;

/// What is exported.
#[derive(Debug, Clone, Copy)]
pub enum Export {
    /// Entries of the audit log.
    AuditLog,
    /// Users.
    Users,
}

/// Records who exports what; `filters` are those of the list, as in its address.
pub async fn note(app: &App, actor: &Actor, what: Export, filters: &[(String, String)]) -> Result<(), DbError> {
    let actor = actor.clone();
    let (action, object) = match what {
        Export::AuditLog => (Action::AuditLogExport, "Audit log"),
        Export::Users => (Action::UserExport, "Users"),
    };
    let filters: Map<String, Value> = filters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let detail = Value::Object(filters);
    app.write(move |tx| AuditEntry::new(action, &actor).about(None, object).detail(detail.clone()).write(tx)).await
}
