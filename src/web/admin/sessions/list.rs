//! The list of sessions, with search, filters and order.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{ACTIONS, StatusBadge};
use crate::app::{App, Tx};
use crate::db::latchkey_session;
use crate::db::latchkey_session::list::{self, Filter, Listed, Sort, Status};
use crate::db::page::Page;
use crate::db::{DbError, users};
use crate::guard::device;
use crate::sessions;
use crate::web::admin::access::Staff;
use crate::web::admin::address::SESSIONS;
use crate::web::admin::changelist::filter::{self, Field, FilterKind};
use crate::web::admin::changelist::{About, ChangeList, Column, ListQuery, ModelAdmin, Order, column};
use crate::web::admin::csrf::CsrfForm;
use crate::web::admin::error::PageError;
use crate::web::admin::layout::{Layout, Place, page};
use crate::web::admin::outstanding_tokens::Owner;
use crate::web::admin::search;
use crate::web::admin::status::REASON_CHOICES;
use crate::web::words::{Reader, When};

static ADMIN: ModelAdmin<Sort> = ModelAdmin {
    about: About {
        path: SESSIONS,
        title: "Sessions",
        app: Some(("Authentication", "/admin/auth/")),
        hint: "Username, email, user id or session id",
        icon: "device",
    },
    orders: &[
        Order { name: "began", sort: Sort::Began, words: ["oldest first", "newest first"], turns: ["Older", "Newer"] },
        Order {
            name: "expires",
            sort: Sort::Expires,
            words: ["first to expire first", "last to expire first"],
            turns: ["Earlier", "Later"],
        },
    ],
    ordering: "-began",
    list_filter: &[
        filter::Filter {
            name: "status",
            label: "Status",
            kind: FilterKind::Tabs(&[("live", "Live"), ("expired", "Expired"), ("ended", "Ended")]),
        },
        filter::Filter { name: "reason", label: "Ended", kind: FilterKind::Choice(&REASON_CHOICES) },
        filter::Filter { name: "began", label: "Began", kind: FilterKind::Dates },
        filter::Filter { name: "ip", label: "Address", kind: FilterKind::Text("Full IP address") },
    ],
};

/// How many users a search can mean.
const MAX_OWNERS: usize = 50;

struct Row {
    id: String,
    device: String,
    label: String,
    owner: Owner,
    status: StatusBadge,
    began: When,
    refreshed: Option<When>,
    expires: When,
    ip: Option<String>,
}

impl Row {
    fn new(app: &App, Listed { session, username }: Listed, reader: Reader) -> Self {
        let when = |at| When::new(at, reader);
        Self {
            device: device::words(&session.user_agent),
            owner: Owner::new(Some(session.user_id), username),
            status: StatusBadge::new(app, &session),
            began: when(session.created_at),
            refreshed: session.last_refreshed_at.map(when),
            expires: when(session.expires_at),
            id: session.id,
            label: session.label,
            ip: session.ip,
        }
    }
}

#[derive(Template)]
#[template(path = "admin/sessions/change_list.html")]
struct ListPage {
    layout: Layout,
    list: ChangeList,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// `GET sessions/`
pub async fn list(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let reader = staff.reader();
    let query = ListQuery::of(&request, &ADMIN, reader);
    if let Some(q) = query.q.as_deref().filter(|q| search::is_pasted_token(q)) {
        return search::answer(&staff, SESSIONS, &[], q);
    }
    let filter = Filter {
        id: None,
        owners: None,
        status: query.chosen.choice("status").and_then(status),
        reason: query.chosen.choice("reason").map(str::to_owned),
        began: query.period("began"),
        ip: query.chosen.text("ip").map(str::to_owned),
    };
    let (q, paging, is_whole, limits) = (query.q.clone(), query.paging(), query.is_whole(), sessions::limits(&app));
    let job = move |tx: &mut Tx<'_>| {
        let (filter, meant) = q.as_deref().map_or(Ok((filter.clone(), None)), |q| whose(tx, &filter, q))?;
        let found = Page { meant, ..list::search(tx.conn, &tx.app.users, (&filter, &paging), limits)? };
        Ok::<_, DbError>(if is_whole { found.of(latchkey_session::count(tx.conn)?) } else { found })
    };
    let found = app.read(job).await?;
    let mut list = query.list(&found);
    if staff.user.is_superuser {
        list.actions = &ACTIONS;
    }
    let columns = vec![
        column("Device"),
        column("User"),
        column("Status"),
        list.sorted("Began", "began"),
        column("Last refresh"),
        list.sorted("Expires", "expires"),
        column("Address"),
    ];
    let rows = found.rows.into_iter().map(|row| Row::new(&app, row, reader)).collect();
    page(&ListPage { layout: staff.layout(Place::Sessions(true)), list, columns, rows })
}

/// The session with this id, or else the sessions of the users that the search means. At most two statements.
fn whose(tx: &mut Tx<'_>, filter: &Filter, q: &str) -> Result<(Filter, Option<usize>), DbError> {
    if sessions::is_id(q) && latchkey_session::find(tx.conn, q)?.is_some() {
        return Ok((Filter { id: Some(q.to_owned()), ..filter.clone() }, None));
    }
    let found = users::list::find_starting_with(tx.conn, &tx.app.users, (q, false), MAX_OWNERS)?;
    Ok((Filter { owners: Some(found.ids), ..filter.clone() }, found.cut_at))
}

fn status(value: &str) -> Option<Status> {
    Some(match value {
        "live" => Status::Live,
        "expired" => Status::Expired,
        "ended" => Status::Ended,
        _ => return None,
    })
}

/// `POST sessions/`: the search.
pub async fn search(staff: Staff, form: CsrfForm<Vec<(String, String)>>) -> Result<HttpResponse, PageError> {
    search::in_list(&staff, SESSIONS, form)
}
