//! `/admin/token_blacklist/outstandingtoken/`: the list of outstanding tokens, and the question before one is blacklisted.
//! The page of one token is in `detail`.

pub mod detail;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::access::{Staff, Superuser};
use super::address::OUTSTANDING;
use super::changelist::{About, Asked, ChangeList, Column, Order, Params, column};
use super::claims::{self, Context};
use super::csrf::{CsrfForm, NoFields};
use super::error::PageError;
use super::layout::{Layout, Message, Place, Tone, page, see};
use super::search::{self, Sought};
use super::status::{Badge, Status};
use super::words::{Jti, When, commas, length};
use crate::app::App;
use crate::db::outstanding_tokens::{self, Listed, Sort};
use crate::db::types::{TokenId, UserId};
use crate::tokens::revoke;
use detail::{address_of, find, kind};

const ABOUT: About = About {
    path: OUTSTANDING,
    title: "Outstanding tokens",
    app: ("Token Blacklist", "/admin/token_blacklist/"),
    hint: "Username, email, user id, jti, or a whole token",
    icon: "token",
};

const ORDERS: [Order<Sort>; 2] = [
    Order { name: "created", sort: Sort::Created, words: ["oldest first", "newest first"], turns: ["Older", "Newer"] },
    Order {
        name: "expires",
        sort: Sort::Expires,
        words: ["first to expire first", "last to expire first"],
        turns: ["Earlier", "Later"],
    },
];

/// Whose token it is.
pub enum Owner {
    /// A user: the id and the name.
    User(i64, String),
    /// A user who was deleted.
    Deleted,
}

impl Owner {
    /// From a row's columns.
    pub fn new(id: Option<UserId>, username: Option<String>) -> Self {
        id.zip(username).map_or(Self::Deleted, |(id, username)| Self::User(id.0, username))
    }

    /// For a title.
    pub fn name(&self) -> &str {
        match self {
            Self::User(_, username) => username,
            Self::Deleted => "a deleted user",
        }
    }
}

struct Row {
    id: i64,
    jti: Jti,
    owner: Owner,
    status: Badge,
    created: Option<When>,
    expires: When,
}

#[derive(Template)]
#[template(path = "admin/token_blacklist/outstandingtoken/change_list.html")]
struct ListPage {
    layout: Layout,
    list: ChangeList,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// `GET outstandingtoken/`
pub async fn list(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let params = Params::parse(request.query_string());
    if let Some(q) = &params.q
        && !matches!(Sought::read(q, None), Sought::Text(_))
    {
        return search::answer(&staff, OUTSTANDING, q);
    }
    let asked = Asked::new(params, &ORDERS, "-created");
    let (q, paging) = (asked.q(), asked.paging());
    let found = app.db.read(move |conn| outstanding_tokens::search(conn, q.as_deref(), &paging)).await?;
    let mut list = asked.list(&ABOUT, &ORDERS, &found);
    let columns = vec![
        column("jti"),
        column("User"),
        column("Status"),
        list.sorted("Created", "created"),
        list.sorted("Expires", "expires"),
    ];
    let reader = staff.reader();
    let row = |row: Listed| Row {
        id: row.id.0,
        status: Status::of(row.rotated_at, row.blacklisted_at, row.expires_at, reader.now).badge(),
        created: row.created_at.map(|at| When::new(at, reader)),
        expires: When::new(row.expires_at, reader),
        jti: Jti(row.jti),
        owner: Owner::new(row.user_id, row.username),
    };
    let rows = found.rows.into_iter().map(row).collect();
    page(&ListPage { layout: staff.layout(Place::Outstanding(true)), list, columns, rows })
}

/// `POST outstandingtoken/`: the search.
pub async fn search(staff: Staff, CsrfForm(fields): CsrfForm<search::Fields>) -> Result<HttpResponse, PageError> {
    search::answer(&staff, OUTSTANDING, &fields.q)
}

#[derive(Template)]
#[template(path = "admin/token_blacklist/outstandingtoken/delete_confirmation.html")]
struct Confirmation {
    layout: Layout,
    id: i64,
    jti: Jti,
    owner: Owner,
    kind: &'static str,
    other: Option<String>,
    access_lifetime: String,
}

/// `GET outstandingtoken/ID/blacklist/`: asks first.
pub async fn ask(Superuser(staff): Superuser, path: Path<i64>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let (found, counts) = find(&app, *path).await?;
    if found.row.blacklisted_at.is_some() {
        return Ok(see(&address_of(*path)));
    }
    let decoded = claims::decode(
        &found.token,
        &Context { jwt: &app.config.jwt, owner: claims::Owner::found(found.user.as_ref()), reader: staff.reader() },
    );
    let is_live = found.row.expires_at > app.now();
    page(&Confirmation {
        layout: staff.layout(Place::Outstanding(false)),
        id: found.row.id.0,
        kind: kind(decoded.as_ref()),
        owner: Owner::new(found.row.user_id, found.row.username),
        jti: Jti(found.row.jti),
        other: counts.map(|counts| commas(counts.live - i64::from(is_live))),
        access_lifetime: length(app.config.jwt.access_token_lifetime.as_secs()),
    })
}

/// `POST outstandingtoken/ID/blacklist/`
pub async fn blacklist(
    superuser: Superuser,
    path: Path<i64>,
    app: Data<App>,
    _: CsrfForm<NoFields>,
) -> Result<HttpResponse, PageError> {
    let text = match revoke::blacklist_token(&app, &superuser.actor(), TokenId(*path)).await? {
        Some(true) => "The token was blacklisted. It is refused from now on.",
        Some(false) => "The token was blacklisted already. Nothing was changed.",
        None => return Err(PageError::NoSuchRow("outstanding token", *path)),
    };
    superuser.0.say(Message { tone: Tone::Good, text: text.to_owned(), link: None })?;
    Ok(see(&address_of(*path)))
}
