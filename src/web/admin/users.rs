//! `/admin/auth/user/`: the list of users. The pages of one user are in `user`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::access::Staff;
use super::address::USERS;
use super::changelist::{About, Asked, ChangeList, Column, Order, Params, column};
use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Layout, Place, page};
use super::search::{self, Sought};
use super::status::{self, Badge};
use super::words::When;
use crate::app::App;
use crate::db::users::{self, Sort, User};

const ABOUT: About = About {
    path: USERS,
    title: "Users",
    app: ("Authentication", "/admin/auth/"),
    hint: "Username, email, name or id",
    icon: "users",
};

const ORDERS: [Order<Sort>; 2] = [
    Order {
        name: "username",
        sort: Sort::Username,
        words: ["by username", "by username, backwards"],
        turns: ["Previous", "Next"],
    },
    Order {
        name: "joined",
        sort: Sort::Joined,
        words: ["first joined first", "last joined first"],
        turns: ["Earlier", "Later"],
    },
];

struct Row {
    id: i64,
    username: String,
    name: String,
    email: String,
    badges: Vec<Badge>,
    last_login: Option<When>,
    joined: When,
}

#[derive(Template)]
#[template(path = "admin/auth/user/change_list.html")]
struct ListPage {
    layout: Layout,
    list: ChangeList,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// `GET user/`
pub async fn list(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let params = Params::parse(request.query_string());
    if let Some(q) = &params.q
        && !matches!(Sought::read(q, None), Sought::Text(_))
    {
        return search::answer(&staff, USERS, q);
    }
    let asked = Asked::new(params, &ORDERS, "username");
    let (q, paging) = (asked.q(), asked.paging());
    let found = app.db.read(move |conn| users::search(conn, q.as_deref(), &paging)).await?;
    let mut list = asked.list(&ABOUT, &ORDERS, &found);
    let columns = vec![
        list.sorted("Username", "username"),
        column("Email"),
        column("Rights"),
        column("Last login"),
        list.sorted("Joined", "joined"),
    ];
    let reader = staff.reader();
    let row = |user: User| Row {
        id: user.id.0,
        badges: status::rights(&user),
        name: full_name(&user),
        last_login: user.last_login.map(|at| When::new(at, reader)),
        joined: When::new(user.date_joined, reader),
        username: user.username,
        email: user.email,
    };
    let rows = found.rows.into_iter().map(row).collect();
    page(&ListPage { layout: staff.layout(Place::Users(true)), list, columns, rows })
}

/// `POST user/`: the search.
pub async fn search(staff: Staff, CsrfForm(fields): CsrfForm<search::Fields>) -> Result<HttpResponse, PageError> {
    search::answer(&staff, USERS, &fields.q)
}

/// First and last name.
pub fn full_name(user: &User) -> String {
    format!("{} {}", user.first_name, user.last_name).trim().to_owned()
}
