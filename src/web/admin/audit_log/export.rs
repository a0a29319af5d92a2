//! The export of the audit log as JSON lines: one object per entry, under the same filters as the list.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::{ADMIN, Wanted};
use crate::accounts::export::{Export, note};
use crate::app::App;
use crate::db::latchkey_audit_log::list::{ListedEntry, Sort};
use crate::db::page::Paging;
use crate::web::admin::access::Staff;
use crate::web::admin::address::AUDIT_LOG;
use crate::web::admin::changelist::ListQuery;
use crate::web::admin::error::PageError;
use crate::web::admin::export::{Batch, File, paging, pairs, refuse, send};
use crate::web::admin::layout::see;
use crate::web::admin::search::is_pasted_token;

const FILE: File = File { name: "audit_log.jsonl", media_type: "application/jsonl; charset=utf-8" };

/// `GET audit_log/export/`
pub async fn export(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let query = ListQuery::of(&request, &ADMIN, staff.reader());
    if query.q.as_deref().is_some_and(is_pasted_token) {
        return Ok(see(AUDIT_LOG));
    }
    let wanted = Wanted::new(&query);
    let meaning = wanted.clone();
    let (_, meant) = app.read(move |tx| meaning.filter(tx)).await?;
    if let Some(users) = meant {
        return refuse(&staff, AUDIT_LOG, &query, users);
    }
    note(&app, &staff.visit.actor(&staff.user), Export::AuditLog, &pairs(&query)).await?;
    Ok(send(&FILE, move |from| {
        let (app, wanted, paging) = (app.clone(), wanted.clone(), Paging { from, ..paging(Sort::When, true) });
        async move {
            let page = app.read(move |tx| wanted.search(tx, &paging)).await?;
            let mut lines = page.rows.iter().map(|entry| object(entry).to_string()).collect::<Vec<_>>();
            lines.push(String::new());
            let bytes = lines.join("\n").into_bytes();
            Ok(Batch::new(page, bytes))
        }
    }))
}

fn object(entry: &ListedEntry) -> Value {
    // Latchkey writes JSON; anything else is kept as text.
    let detail = serde_json::from_str(&entry.detail).unwrap_or_else(|_| json!(entry.detail));
    json!({
        "id": entry.id.0,
        "at": entry.at.iso(),
        "last_at": entry.last_at.map(crate::db::types::Instant::iso),
        "action": entry.action,
        "actor": entry.actor,
        "actor_id": entry.actor_id,
        "user_id": entry.user_id,
        "user": entry.username,
        "object": entry.object,
        "ip": entry.ip,
        "count": entry.count,
        "detail": detail,
    })
}
