//! `/admin/audit_log/`: the audit log. The panel only reads it and cannot change or delete an entry. The export is in
//! `export`.

pub mod export;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::access::Staff;
use super::actions::{self, Detail};
use super::address::AUDIT_LOG;
use super::changelist::filter::{self, Field, FilterKind};
use super::changelist::{About, ChangeList, Column, ListQuery, ModelAdmin, Order, column};
use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Layout, Place, page};
use super::search;
use super::words::{Reader, When, length};
use crate::app::{App, Tx};
use crate::db::latchkey_audit_log::list::{self, Filter, ListedEntry, Sort};
use crate::db::page::{Page, Paging};
use crate::db::types::UserId;
use crate::db::{DbError, users};

static ADMIN: ModelAdmin<Sort> = ModelAdmin {
    about: About {
        path: AUDIT_LOG,
        title: "Audit log",
        app: None,
        hint: "Username, email, user id, session id or jti",
        icon: "log",
    },
    orders: &[Order {
        name: "when",
        sort: Sort::When,
        words: ["oldest first", "newest first"],
        turns: ["Older", "Newer"],
    }],
    ordering: "-when",
    list_filter: &[
        filter::Filter { name: "action", label: "Event", kind: FilterKind::Choice(&actions::CHOICES) },
        filter::Filter { name: "actor", label: "By", kind: FilterKind::Text("Full username") },
        filter::Filter { name: "user", label: "About", kind: FilterKind::Text("Full username or user id") },
        filter::Filter { name: "at", label: "When", kind: FilterKind::Dates },
        filter::Filter { name: "ip", label: "Address", kind: FilterKind::Text("Full IP address") },
    ],
};

/// How many users a search can mean.
const MAX_USERS: usize = 50;

struct Row {
    what: String,
    is_bad: bool,
    details: Vec<Detail>,
    when: When,
    /// When it last happened, if more than once.
    last: Option<When>,
    actor: String,
    actor_id: Option<UserId>,
    user: Option<(UserId, String)>,
    object: String,
    ip: Option<String>,
}

impl Row {
    fn new(entry: ListedEntry, reader: Reader) -> Self {
        let when = |at| When::new(at, reader);
        let user = entry.user_id.zip(entry.username);
        Self {
            what: actions::sentence(&entry.action, entry.count),
            is_bad: actions::is_bad(&entry.action),
            details: actions::details(&entry.detail),
            when: when(entry.at),
            last: entry.last_at.filter(|last| *last != entry.at).map(when),
            actor: entry.actor,
            actor_id: entry.actor_id,
            object: if user.as_ref().is_some_and(|(_, name)| *name == entry.object) {
                String::new()
            } else {
                entry.object
            },
            user,
            ip: entry.ip,
        }
    }
}

#[derive(Template)]
#[template(path = "admin/audit_log/change_list.html")]
struct ListPage {
    layout: Layout,
    list: ChangeList,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// How long entries are kept.
    kept: String,
    export: String,
}

/// `GET audit_log/`
pub async fn list(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let reader = staff.reader();
    let query = ListQuery::of(&request, &ADMIN, reader);
    if let Some(q) = query.q.as_deref().filter(|q| search::is_pasted_token(q)) {
        return search::answer(&staff, AUDIT_LOG, &[], q);
    }
    let (wanted, paging) = (Wanted::new(&query), query.paging());
    let found = app.read(move |tx| wanted.search(tx, &paging)).await?;
    let export = super::export::address(AUDIT_LOG, &query);
    let mut list = query.list(&found);
    let columns = vec![list.sorted("When", "when"), column("Event"), column("By"), column("About"), column("Address")];
    let rows = found.rows.into_iter().map(|entry| Row::new(entry, reader)).collect();
    let kept = length(app.config.sessions.audit_log_retention.as_secs());
    page(&ListPage { layout: staff.layout(Place::AuditLog(true)), list, columns, rows, kept, export })
}

/// `POST audit_log/`: the search.
pub async fn search(staff: Staff, form: CsrfForm<Vec<(String, String)>>) -> Result<HttpResponse, PageError> {
    search::in_list(&staff, AUDIT_LOG, form)
}

/// A query, before its users are looked up.
#[derive(Clone)]
struct Wanted {
    q: Option<String>,
    user: Option<String>,
    filter: Filter,
}

impl Wanted {
    fn new(query: &ListQuery<Sort>) -> Self {
        let text = |name| query.chosen.text(name).map(str::to_owned);
        let filter = Filter {
            users: None,
            actor: text("actor"),
            action: query.chosen.choice("action").map(str::to_owned),
            at: query.period("at"),
            ip: text("ip"),
            object: None,
        };
        Self { q: query.q.clone(), user: text("user"), filter }
    }

    /// A page of the entries.
    fn search(&self, tx: &mut Tx<'_>, paging: &Paging<Sort>) -> Result<Page<ListedEntry>, DbError> {
        let (filter, meant) = self.filter(tx)?;
        Ok(Page { meant, ..list::search(tx.conn, &tx.app.users, &filter, paging)? })
    }

    /// A search means users, or else the object of an entry. At most two statements.
    fn filter(&self, tx: &mut Tx<'_>) -> Result<(Filter, Option<usize>), DbError> {
        let (mut filter, mut cut_at) = (self.filter.clone(), None);
        if let Some(user) = &self.user {
            filter.users = Some(or_deleted(tx.app, tx.app.users.list_named(tx.conn, user)?, user));
        }
        if let Some(q) = &self.q {
            let found = users::list::find_starting_with(tx.conn, &tx.app.users, (q, false), MAX_USERS)?;
            cut_at = found.cut_at;
            let found = or_deleted(tx.app, found.ids, q);
            match &mut filter.users {
                _ if found.is_empty() => filter.object = Some(q.clone()),
                Some(users) => users.retain(|user| found.contains(user)),
                none => *none = Some(found),
            }
        }
        Ok((filter, cut_at))
    }
}

/// Entries of deleted users are found by the id.
fn or_deleted(app: &App, found: Vec<UserId>, typed: &str) -> Vec<UserId> {
    if found.is_empty() { app.users.parse_key(typed).into_iter().collect() } else { found }
}
