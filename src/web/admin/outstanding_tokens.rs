//! `/admin/token_blacklist/outstandingtoken/`: the list of outstanding tokens, the page of one, showing the token itself,
//! and blacklisting it.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::access::{Staff, Superuser};
use super::address::OUTSTANDING;
use super::changelist::{About, Asked, ChangeList, Column, Order, Params, column};
use super::claims::{self, Context, Decoded, Meaning};
use super::csrf::{CsrfForm, NoFields};
use super::error::PageError;
use super::layout::{Layout, Message, Place, Tone, moved, page, see};
use super::search::{self, Sought};
use super::status::{self, Badge, Status};
use super::words::{Jti, When, commas, length};
use crate::app::App;
use crate::db::outstanding_tokens::{self, Listed, Sort};
use crate::db::types::{TokenId, UserId};
use crate::db::users::{self, TokenCounts};
use crate::db::{Conn, DbError};
use crate::tokens::reveal::{self, Revealed};
use crate::tokens::revoke;

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
    let now = app.now();
    let row = |row: Listed| Row {
        id: row.id.0,
        status: Status::of(row.rotated_at, row.blacklisted_at, row.expires_at, now).badge(),
        created: row.created_at.map(|at| When::new(at, now)),
        expires: When::new(row.expires_at, now),
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

/// A sentence with a point in time in its middle.
struct Lede {
    before: &'static str,
    when: When,
    after: String,
}

struct Person {
    id: i64,
    username: String,
    email: String,
    may_log_in: &'static str,
    tokens: String,
}

#[derive(Template)]
#[template(path = "admin/token_blacklist/outstandingtoken/change_form.html")]
struct Detail {
    layout: Layout,
    id: i64,
    number: String,
    jti: Jti,
    kind: &'static str,
    owner: Owner,
    status: Badge,
    is_live: bool,
    lede: Lede,
    /// What an answer to "Reveal token" shows.
    revealed: Option<Revealed>,
    decoded: Option<Decoded>,
    key: &'static str,
    created: Option<When>,
    expires: When,
    blacklisted: Option<When>,
    blacklisted_id: Option<TokenId>,
    reason: Badge,
    by: Option<String>,
    is_ours: bool,
    rotated_from: Option<(TokenId, Jti)>,
    rotated: Option<When>,
    rotated_into: Option<(TokenId, Jti)>,
    person: Option<Person>,
}

/// `GET outstandingtoken/ID/change/`
pub async fn change(staff: Staff, path: Path<i64>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let (found, counts) = find(&app, *path).await?;
    page(&Detail::new(staff.layout(Place::Outstanding(false)), &app, found, counts, None))
}

/// `POST outstandingtoken/ID/reveal/`: the page again, with the whole token in it.
pub async fn reveal(
    superuser: Superuser,
    path: Path<i64>,
    app: Data<App>,
    _: CsrfForm<NoFields>,
) -> Result<HttpResponse, PageError> {
    let revealed = match reveal::reveal(&app, &superuser.actor(), TokenId(*path)).await? {
        Revealed::NotFound => return Err(PageError::NoSuchRow("outstanding token", *path)),
        revealed @ (Revealed::Token(_) | Revealed::Resigned(_) | Revealed::No(_)) => revealed,
    };
    let (found, counts) = find(&app, *path).await?;
    let mut layout = superuser.0.layout(Place::Outstanding(false));
    layout.here = address_of(*path);
    page(&Detail::new(layout, &app, found, counts, Some(revealed)))
}

/// `GET outstandingtoken/ID/`, as in Django, and what is left of an answer to a form when its address is opened again.
pub async fn bare(_: Staff, path: Path<i64>) -> HttpResponse {
    moved(&address_of(*path))
}

fn address_of(id: i64) -> String {
    format!("{OUTSTANDING}{id}/change/")
}

type Found = (outstanding_tokens::Detail, Option<TokenCounts>);

async fn find(app: &App, id: i64) -> Result<Found, PageError> {
    let now = app.now();
    let job = move |conn: &mut Conn| {
        let Some(found) = outstanding_tokens::find_detail(conn, TokenId(id))? else { return Ok(None) };
        let counts = match &found.user {
            Some(user) => Some(users::count_tokens(conn, user.id, now)?),
            None => None,
        };
        Ok::<_, DbError>(Some((found, counts)))
    };
    app.db.read(job).await?.ok_or(PageError::NoSuchRow("outstanding token", id))
}

impl Detail {
    fn new(
        layout: Layout,
        app: &App,
        found: outstanding_tokens::Detail,
        counts: Option<TokenCounts>,
        revealed: Option<Revealed>,
    ) -> Self {
        let now = app.now();
        let when = |at| When::new(at, now);
        let decoded = claims::decode(&found.token, &Context { jwt: &app.config.jwt, user: found.user.as_ref(), now });
        let key = match &found.kid {
            Some(kid) if kid == app.keys.kid() => "current key",
            Some(_) => "another key",
            None => "",
        };
        let row = &found.row;
        let status = Status::of(row.rotated_at, row.blacklisted_at, row.expires_at, now);
        Self {
            id: row.id.0,
            number: commas(row.id.0),
            jti: Jti(row.jti.clone()),
            kind: kind(decoded.as_ref()),
            owner: Owner::new(row.user_id, row.username.clone()),
            status: status.badge(),
            is_live: status == Status::Live,
            lede: lede(app, &found, status),
            decoded,
            key,
            created: row.created_at.map(when),
            expires: when(row.expires_at),
            blacklisted: row.blacklisted_at.map(when),
            blacklisted_id: found.blacklisted_id,
            reason: status::reason(row.blacklist_reason.as_deref()),
            by: found.blacklisted_by.clone(),
            is_ours: found.ours,
            rotated_from: found.rotated_from.clone().map(|(id, jti)| (id, Jti(jti))),
            rotated: row.rotated_at.map(when),
            rotated_into: found.rotated_into.clone().map(|(id, jti)| (id, Jti(jti))),
            person: person(&found, counts),
            layout,
            revealed,
        }
    }
}

fn kind(decoded: Option<&Decoded>) -> &'static str {
    match decoded.and_then(|decoded| decoded.kind.as_deref()) {
        Some("refresh") => "Refresh token",
        Some("sliding") => "Sliding token",
        _ => "Token",
    }
}

/// What is true of a token now, and until when.
fn lede(app: &App, found: &outstanding_tokens::Detail, status: Status) -> Lede {
    let (row, now) = (&found.row, app.now());
    let expires = When::new(row.expires_at, now);
    let relative = expires.relative.clone();
    let checks_user = app.config.jwt.check_user_is_active;
    match (status, &found.user) {
        (Status::Live, None) => Lede {
            before: "Nobody can use it, because its user was deleted. It expires",
            when: expires,
            after: format!(", {relative}."),
        },
        (Status::Live, Some(user)) if !user.is_active && checks_user => Lede {
            before: "It is refused as long as its user is inactive. It expires",
            when: expires,
            after: format!(", {relative}."),
        },
        (Status::Live, Some(_)) => {
            Lede { before: "A refresh with it succeeds until", when: expires, after: format!(", that is {relative}.") }
        }
        (Status::Expired, _) => {
            Lede { before: "It expired", when: expires, after: format!(", {relative}. It is refused since.") }
        }
        (Status::Rotated, _) => {
            let when = When::new(row.rotated_at.unwrap_or(row.expires_at), now);
            let is_refused = if row.blacklisted_at.is_some() {
                "Presented again, it is refused."
            } else {
                "It is still accepted, because JWT_BLACKLIST_AFTER_ROTATION is off."
            };
            let after = format!(", {}, by a refresh that replaced it. {is_refused}", when.relative);
            Lede { before: "It was used", when, after }
        }
        (Status::Blacklisted, _) => {
            let when = When::new(row.blacklisted_at.unwrap_or(row.expires_at), now);
            let because = status::because(row.blacklist_reason.as_deref());
            let after = format!(", {}, {because}.", when.relative);
            Lede { before: "It is refused since", when, after }
        }
    }
}

fn person(found: &outstanding_tokens::Detail, counts: Option<TokenCounts>) -> Option<Person> {
    let (user, counts) = found.user.as_ref().zip(counts)?;
    let may_log_in = match (user.is_active, user.is_superuser, user.is_staff) {
        (false, ..) => "No, inactive",
        (true, true, _) => "Yes, active and superuser",
        (true, false, true) => "Yes, active and staff",
        (true, false, false) => "Yes, active",
    };
    let tokens = format!("{} live, {} in all", commas(counts.live), commas(counts.all));
    Some(Person { id: user.id.0, username: user.username.clone(), email: user.email.clone(), may_log_in, tokens })
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
    let decoded =
        claims::decode(&found.token, &Context { jwt: &app.config.jwt, user: found.user.as_ref(), now: app.now() });
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
