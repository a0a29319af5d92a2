//! `/admin/token_blacklist/blacklistedtoken/`: the list of blacklisted tokens and the page of one.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::access::Staff;
use super::address::BLACKLISTED;
use super::changelist::{About, Asked, ChangeList, Column, Order, Params, column};
use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Layout, Place, moved, page};
use super::outstanding_tokens::Owner;
use super::search::{self, Sought};
use super::status::{self, Badge};
use super::words::{Jti, Reader, When};
use crate::app::App;
use crate::db::blacklisted_tokens::{self, Listed, Sort};
use crate::db::types::TokenId;

const ABOUT: About = About {
    path: BLACKLISTED,
    title: "Blacklisted tokens",
    app: ("Token Blacklist", "/admin/token_blacklist/"),
    hint: "Username, email, user id, jti, or a whole token",
    icon: "ban",
};

const ORDERS: [Order<Sort>; 2] = [
    Order {
        name: "blacklisted",
        sort: Sort::Blacklisted,
        words: ["oldest first", "newest first"],
        turns: ["Older", "Newer"],
    },
    Order {
        name: "expires",
        sort: Sort::Expires,
        words: ["first to expire first", "last to expire first"],
        turns: ["Earlier", "Later"],
    },
];

struct Row {
    id: i64,
    token_id: i64,
    jti: Jti,
    owner: Owner,
    reason: Badge,
    because: &'static str,
    by: Option<String>,
    blacklisted: When,
    created: Option<When>,
    expires: When,
}

impl Row {
    fn new(row: Listed, reader: Reader) -> Self {
        Self {
            id: row.id.0,
            token_id: row.token_id.0,
            jti: Jti(row.jti),
            owner: Owner::new(row.user_id, row.username),
            reason: status::reason(row.blacklist_reason.as_deref()),
            because: status::because(row.blacklist_reason.as_deref()),
            by: row.blacklisted_by,
            blacklisted: When::new(row.blacklisted_at, reader),
            created: row.created_at.map(|at| When::new(at, reader)),
            expires: When::new(row.expires_at, reader),
        }
    }
}

#[derive(Template)]
#[template(path = "admin/token_blacklist/blacklistedtoken/change_list.html")]
struct ListPage {
    layout: Layout,
    list: ChangeList,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// `GET blacklistedtoken/`
pub async fn list(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let params = Params::parse(request.query_string());
    if let Some(q) = &params.q
        && !matches!(Sought::read(q, None), Sought::Text(_))
    {
        return search::answer(&staff, BLACKLISTED, q);
    }
    let asked = Asked::new(params, &ORDERS, "-blacklisted");
    let (q, paging) = (asked.q(), asked.paging());
    let found = app.db.read(move |conn| blacklisted_tokens::search(conn, q.as_deref(), &paging)).await?;
    let mut list = asked.list(&ABOUT, &ORDERS, &found);
    let columns = vec![
        column("jti"),
        column("User"),
        column("Reason"),
        list.sorted("Blacklisted", "blacklisted"),
        list.sorted("Expires", "expires"),
    ];
    let reader = staff.reader();
    let rows = found.rows.into_iter().map(|row| Row::new(row, reader)).collect();
    page(&ListPage { layout: staff.layout(Place::Blacklisted(true)), list, columns, rows })
}

/// `POST blacklistedtoken/`: the search.
pub async fn search(staff: Staff, CsrfForm(fields): CsrfForm<search::Fields>) -> Result<HttpResponse, PageError> {
    search::answer(&staff, BLACKLISTED, &fields.q)
}

#[derive(Template)]
#[template(path = "admin/token_blacklist/blacklistedtoken/change_form.html")]
struct Detail {
    layout: Layout,
    row: Row,
}

/// `GET blacklistedtoken/ID/change/`
pub async fn change(staff: Staff, path: Path<i64>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let id = TokenId(*path);
    let row = app.db.read(move |conn| blacklisted_tokens::find(conn, id)).await?;
    let row = row.ok_or(PageError::NoSuchRow("blacklisted token", id.0))?;
    let row = Row::new(row, staff.reader());
    page(&Detail { layout: staff.layout(Place::Blacklisted(false)), row })
}

/// `GET blacklistedtoken/ID/`, as in Django.
pub async fn bare(_: Staff, path: Path<i64>) -> HttpResponse {
    moved(&format!("{BLACKLISTED}{path}/change/"))
}
