//! The list of outstanding tokens, with search, filters and order. The actions for selected tokens are in `actions`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Owner;
use super::actions::ACTIONS;
use crate::app::{App, Tx};
use crate::db::outstanding_tokens::list::{self, Filter, Sort, Status};
use crate::db::outstanding_tokens::{self, Listed};
use crate::db::page::Page;
use crate::db::{DbError, latchkey_rollup};
use crate::guard::device;
use crate::journal::events::Event;
use crate::web::admin::access::Staff;
use crate::web::admin::address::OUTSTANDING;
use crate::web::admin::changelist::date_hierarchy::Dates;
use crate::web::admin::changelist::filter::{self, Field, FilterKind};
use crate::web::admin::changelist::{About, ChangeList, Column, ListQuery, ModelAdmin, Order, column};
use crate::web::admin::csrf::CsrfForm;
use crate::web::admin::error::PageError;
use crate::web::admin::layout::{Layout, Place, page};
use crate::web::admin::search::{self, Whose};
use crate::web::admin::status::Badge;
use crate::web::words::{Jti, Reader, When};

static ADMIN: ModelAdmin<Sort> = ModelAdmin {
    about: About {
        path: OUTSTANDING,
        title: "Outstanding tokens",
        app: Some(("Token Blacklist", "/admin/token_blacklist/")),
        hint: "Username, email, user id, jti, or a whole token",
        icon: "token",
    },
    orders: &[
        Order {
            name: "created",
            sort: Sort::Created,
            words: ["oldest first", "newest first"],
            turns: ["Older", "Newer"],
        },
        Order {
            name: "expires",
            sort: Sort::Expires,
            words: ["first to expire first", "last to expire first"],
            turns: ["Earlier", "Later"],
        },
    ],
    ordering: "-created",
    list_filter: &[
        filter::Filter {
            name: "status",
            label: "Status",
            kind: FilterKind::Tabs(&[
                ("live", "Live"),
                ("expired", "Expired"),
                ("rotated", "Rotated"),
                ("blacklisted", "Blacklisted"),
            ]),
        },
        filter::Filter { name: "created", label: "Created", kind: FilterKind::Dates },
        filter::Filter { name: "expires", label: "Expires", kind: FilterKind::Dates },
        filter::Filter { name: "session", label: "Session", kind: FilterKind::Text("Session id") },
    ],
};

struct Row {
    id: i64,
    jti: Jti,
    owner: Owner,
    status: Badge,
    created: Option<When>,
    expires: When,
    session: Option<(String, String)>,
}

impl Row {
    fn new(row: Listed, reader: Reader) -> Self {
        Self {
            id: row.id.0,
            status: Status::of(row.rotated_at, row.blacklisted_at, row.expires_at, reader.now).badge(),
            created: row.created_at.map(|at| When::new(at, reader)),
            expires: When::new(row.expires_at, reader),
            jti: Jti(row.jti),
            owner: Owner::new(row.user_id, row.username),
            session: row.session_id.zip(row.user_agent.map(|agent| device::words(&agent))),
        }
    }
}

#[derive(Template)]
#[template(path = "admin/token_blacklist/outstandingtoken/change_list.html")]
struct ListPage {
    layout: Layout,
    list: ChangeList,
    columns: Vec<Column>,
    rows: Vec<Row>,
    dates: Dates,
}

/// `GET outstandingtoken/`
pub async fn list(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let reader = staff.reader();
    let query = ListQuery::of(&request, &ADMIN, reader);
    if let Some(q) = query.q.as_deref().filter(|q| search::is_pasted_token(q)) {
        return search::answer(&staff, OUTSTANDING, &[], q);
    }
    let filter = Filter {
        owners: None,
        jti: None,
        session: query.chosen.text("session").map(str::to_owned),
        status: query.chosen.choice("status").and_then(status),
        created: query.period("created"),
        expires: query.period("expires"),
    };
    let (q, paging, is_whole) = (query.q.clone(), query.paging(), query.is_whole());
    // The counts are of all tokens, so they would be wrong next to another filter.
    let has_counts = query.q.is_none() && query.chosen.count() == 0;
    let hierarchy = query.date_hierarchy("created");
    let bounds = hierarchy.bounds();
    let job = move |tx: &mut Tx<'_>| {
        let Whose { owners, jti, cut_at } = Whose::find(tx, q.as_deref())?;
        let filter = Filter { owners, jti, ..filter.clone() };
        let found = Page { meant: cut_at, ..list::search(tx.conn, &tx.app.users, (&filter, &paging), reader.now)? };
        let sums = latchkey_rollup::list_sums(tx.conn, &[&Event::TokenCreated.name()], &bounds)?;
        if !has_counts {
            return Ok::<_, DbError>((found, sums, None));
        }
        let total = outstanding_tokens::count(tx.conn)?;
        let counts = list::count_by_status(tx.conn, total, reader.now)?;
        Ok((if is_whole { found.of(total) } else { found }, sums, Some(counts)))
    };
    let (found, sums, counts) = app.read(job).await?;
    let dates = query.dates(&hierarchy, "created", &sums);
    let mut list = query.list(&found);
    if let Some(counts) = counts {
        list.count_tabs(|tab| status(tab).map_or(Some(counts.all), |tab| counts.of(tab)));
    }
    if staff.user.is_superuser {
        list.actions = &ACTIONS;
    }
    let columns = vec![
        column("jti"),
        column("User"),
        column("Status"),
        list.sorted("Created", "created"),
        list.sorted("Expires", "expires"),
        column("Session"),
    ];
    let rows = found.rows.into_iter().map(|row| Row::new(row, reader)).collect();
    page(&ListPage { layout: staff.layout(Place::Outstanding(true)), list, columns, rows, dates })
}

fn status(value: &str) -> Option<Status> {
    Some(match value {
        "live" => Status::Live,
        "expired" => Status::Expired,
        "rotated" => Status::Rotated,
        "blacklisted" => Status::Blacklisted,
        _ => return None,
    })
}

/// `POST outstandingtoken/`: the search.
pub async fn search(staff: Staff, form: CsrfForm<Vec<(String, String)>>) -> Result<HttpResponse, PageError> {
    search::in_list(&staff, OUTSTANDING, form)
}
