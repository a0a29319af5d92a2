//! `/admin/token_blacklist/blacklistedtoken/`: the list of blacklisted tokens and the page of one.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::access::{Staff, Superuser};
use super::address::{BLACKLISTED, OUTSTANDING};
use super::changelist::date_hierarchy::Dates;
use super::changelist::filter::{self, Field, FilterKind};
use super::changelist::{About, ChangeList, Column, ListQuery, ModelAdmin, Order, column};
use super::csrf::{CsrfForm, NoFields};
use super::error::PageError;
use super::layout::{Layout, Message, Place, Tone, moved, page, see};
use super::outstanding_tokens::Owner;
use super::search::{self, Whose};
use super::status::{self, Badge};
use super::words::{Jti, Reader, When};
use crate::app::{App, Tx};
use crate::db::blacklisted_tokens::list::{self, Filter, Sort};
use crate::db::blacklisted_tokens::{self, Listed};
use crate::db::latchkey_session::Session;
use crate::db::page::Page;
use crate::db::types::TokenId;
use crate::db::{DbError, latchkey_rollup, outstanding_tokens};
use crate::journal::events::Event;
use crate::tokens::administer::{self, Unblacklisted};

static ADMIN: ModelAdmin<Sort> = ModelAdmin {
    about: About {
        path: BLACKLISTED,
        title: "Blacklisted tokens",
        app: Some(("Token Blacklist", "/admin/token_blacklist/")),
        hint: "Username, email, user id, jti, or a whole token",
        icon: "ban",
    },
    orders: &[
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
    ],
    ordering: "-blacklisted",
    list_filter: &[
        filter::Filter { name: "reason", label: "Reason", kind: FilterKind::Choice(&status::REASON_CHOICES) },
        filter::Filter { name: "blacklisted", label: "Blacklisted", kind: FilterKind::Dates },
        filter::Filter { name: "expires", label: "Expires", kind: FilterKind::Dates },
        filter::Filter { name: "session", label: "Session", kind: FilterKind::Text("Session id") },
    ],
};

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
    dates: Dates,
    /// Whether the list is in the order of the tokens, not of their blacklisting.
    is_by_token: bool,
}

/// `GET blacklistedtoken/`
pub async fn list(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let reader = staff.reader();
    let query = ListQuery::of(&request, &ADMIN, reader);
    if let Some(q) = query.q.as_deref().filter(|q| search::is_pasted_token(q)) {
        return search::answer(&staff, BLACKLISTED, &[], q);
    }
    let filter = Filter {
        owners: None,
        jti: None,
        session: query.chosen.text("session").map(str::to_owned),
        reason: query.chosen.choice("reason").map(|reason| reason.trim_start_matches("unknown").to_owned()),
        blacklisted: query.period("blacklisted"),
        expires: query.period("expires"),
    };
    let (q, paging, is_whole) = (query.q.clone(), query.paging(), query.is_whole());
    let hierarchy = query.date_hierarchy("blacklisted");
    let bounds = hierarchy.bounds();
    let job = move |tx: &mut Tx<'_>| {
        let Whose { owners, jti, cut_at } = Whose::find(tx, q.as_deref())?;
        let filter = Filter { owners, jti, ..filter.clone() };
        let found = Page { meant: cut_at, ..list::search(tx.conn, &tx.app.users, &filter, &paging)? };
        let found = if is_whole { found.of(blacklisted_tokens::count(tx.conn)?) } else { found };
        let events = Event::blacklistings(filter.reason.as_deref());
        let events: Vec<&str> = events.iter().map(|event| &**event).collect();
        Ok::<_, DbError>((found, latchkey_rollup::list_sums(tx.conn, &events, &bounds)?, filter.is_by_token()))
    };
    let (found, sums, is_by_token) = app.read(job).await?;
    let dates = query.dates(&hierarchy, "blacklisted", &sums);
    let mut list = query.list(&found);
    let columns = vec![
        column("jti"),
        column("User"),
        column("Reason"),
        list.sorted("Blacklisted", "blacklisted"),
        list.sorted("Expires", "expires"),
        column("By"),
    ];
    let rows = found.rows.into_iter().map(|row| Row::new(row, reader)).collect();
    page(&ListPage { layout: staff.layout(Place::Blacklisted(true)), list, columns, rows, dates, is_by_token })
}

/// `POST blacklistedtoken/`: the search.
pub async fn search(staff: Staff, form: CsrfForm<Vec<(String, String)>>) -> Result<HttpResponse, PageError> {
    search::in_list(&staff, BLACKLISTED, form)
}

#[derive(Template)]
#[template(path = "admin/token_blacklist/blacklistedtoken/change_form.html")]
struct Detail {
    layout: Layout,
    row: Row,
    /// Why the blacklisting cannot be undone, if so.
    stays: Option<String>,
}

/// `GET blacklistedtoken/ID/change/`
pub async fn change(staff: Staff, path: Path<i64>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let (row, token, session) = find(&app, *path).await?;
    let stays = administer::is_reversible(&token, session.as_ref(), app.now()).err().map(|stays| stays.to_string());
    let row = Row::new(row, staff.reader());
    page(&Detail { layout: staff.layout(Place::Blacklisted(false)), row, stays })
}

/// An entry with its token and that token's session.
async fn find(app: &App, id: i64) -> Result<(Listed, outstanding_tokens::Detail, Option<Session>), PageError> {
    let job = move |tx: &mut Tx<'_>| {
        let Some(row) = blacklisted_tokens::find(tx.conn, &tx.app.users, TokenId(id))? else { return Ok(None) };
        let Some(token) = outstanding_tokens::find_detail(tx.conn, &tx.app.users, row.token_id)? else {
            return Ok(None);
        };
        let session = administer::find_session(tx.conn, &token)?;
        Ok::<_, DbError>(Some((row, token, session)))
    };
    app.read(job).await?.ok_or(PageError::NoSuchRow("blacklisted token", id.to_string()))
}

#[derive(Template)]
#[template(path = "admin/token_blacklist/blacklistedtoken/delete_confirmation.html")]
struct Confirmation {
    layout: Layout,
    id: i64,
    jti: Jti,
    owner: Owner,
    expires: When,
    reopens_session: bool,
}

/// `GET blacklistedtoken/ID/delete/`: asks before a blacklisting is undone.
pub async fn ask(Superuser(staff): Superuser, path: Path<i64>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let (row, token, session) = find(&app, *path).await?;
    if administer::is_reversible(&token, session.as_ref(), app.now()).is_err() {
        return Ok(see(&format!("{BLACKLISTED}{path}/change/")));
    }
    page(&Confirmation {
        layout: staff.layout(Place::Blacklisted(false)),
        id: row.id.0,
        owner: Owner::new(row.user_id, row.username),
        expires: When::new(row.expires_at, staff.reader()),
        jti: Jti(row.jti),
        reopens_session: session.is_some_and(|session| session.ended_at.is_some()),
    })
}

/// `POST blacklistedtoken/ID/delete/`
pub async fn unblacklist(
    superuser: Superuser,
    path: Path<i64>,
    app: Data<App>,
    _: CsrfForm<NoFields>,
) -> Result<HttpResponse, PageError> {
    let (row, ..) = find(&app, *path).await?;
    let (tone, text) = match administer::unblacklist(&app, &superuser.actor(), row.token_id).await? {
        Unblacklisted::Done => (Tone::Good, "The blacklisting was undone. The token is accepted again.".to_owned()),
        Unblacklisted::WasNot => (Tone::Good, "The token was not blacklisted. Nothing was changed.".to_owned()),
        Unblacklisted::Final(stays) => (Tone::Bad, format!("The token stays blacklisted. {stays}")),
        Unblacklisted::NotFound => return Err(PageError::NoSuchRow("blacklisted token", path.to_string())),
    };
    superuser.0.say(Message { tone, text, link: None })?;
    Ok(see(&format!("{OUTSTANDING}{}/change/", row.token_id)))
}

/// `GET blacklistedtoken/ID/`, as in Django.
pub async fn bare(_: Staff, path: Path<i64>) -> HttpResponse {
    moved(&format!("{BLACKLISTED}{path}/change/"))
}
