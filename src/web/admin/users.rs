//! `/admin/auth/user/`: the list of users, with search, filters and order. The pages of one user are in `user`, the export is
//! in `export`, the actions for selected users in `actions`.

pub mod actions;
pub mod export;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::access::Staff;
use super::address::USERS;
use super::changelist::filter::{self, Field, FilterKind};
use super::changelist::{About, ChangeList, Column, ListQuery, ModelAdmin, Order, column};
use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Layout, Place, page};
use super::search;
use super::status::{self, Badge};
use super::words::When;
use crate::app::{App, Tx};
use crate::config::UserField;
use crate::db::DbError;
use crate::db::page::Page;
use crate::db::types::UserId;
use crate::db::user_table::UserTable;
use crate::db::users::list::{self, Filter, Listed, Sort, UserMatches};

/// How many users a search can find.
const MAX_FOUND: usize = 1000;

const YES_NO: FilterKind = FilterKind::Choice(&[("yes", "Yes"), ("no", "No")]);

static ADMIN: ModelAdmin<Sort> = ModelAdmin {
    about: About {
        path: USERS,
        title: "Users",
        app: Some(("Authentication", "/admin/auth/")),
        hint: "Username, email, name or user id",
        icon: "users",
    },
    orders: &[
        Order {
            name: "username",
            sort: Sort::Username,
            words: ["by username", "by username, Z to A"],
            turns: ["Previous", "Next"],
        },
        Order {
            name: "joined",
            sort: Sort::Joined,
            words: ["oldest accounts first", "newest accounts first"],
            turns: ["Earlier", "Later"],
        },
        Order {
            name: "last_login",
            sort: Sort::LastLogin,
            words: ["least recent login first", "most recent login first"],
            turns: ["Earlier", "Later"],
        },
    ],
    ordering: "username",
    list_filter: &[
        filter::Filter { name: "is_active", label: "Active", kind: YES_NO },
        filter::Filter { name: "is_staff", label: "Staff", kind: YES_NO },
        filter::Filter { name: "is_superuser", label: "Superuser", kind: YES_NO },
        filter::Filter { name: "second_factor", label: "Second factor", kind: YES_NO },
        filter::Filter { name: "login", label: "Has logged in", kind: FilterKind::Choice(&[("never", "Never")]) },
        filter::Filter { name: "last_login", label: "Last login", kind: FilterKind::Dates },
    ],
};

struct Row {
    id: UserId,
    username: String,
    name: String,
    email: String,
    badges: Vec<Badge>,
    last_login: Option<When>,
    joined: Option<When>,
}

#[derive(Template)]
#[template(path = "admin/auth/user/change_list.html")]
struct ListPage {
    layout: Layout,
    list: ChangeList,
    columns: Vec<Column>,
    has: Has,
    rows: Vec<Row>,
    /// The address of the export.
    export: String,
}

/// `GET user/`
pub async fn list(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let reader = staff.reader();
    let query = ListQuery::of(&request, &ADMIN, reader);
    if let Some(q) = query.q.as_deref().filter(|q| search::is_pasted_token(q)) {
        return search::answer(&staff, USERS, &[], q);
    }
    let filter = filter(&query);
    let (q, paging, is_whole) = (query.q.clone(), query.paging(), query.is_whole());
    let found = app.read(move |tx| {
        let (filter, meant) = search_in(tx, &filter, q.as_deref())?;
        let found = Page { meant, ..list::search(tx.conn, &tx.app.users, &filter, &paging)? };
        Ok::<_, DbError>(if is_whole { found.of(tx.app.users.count(tx.conn)?) } else { found })
    });
    let found = found.await?;
    let export = super::export::address(USERS, &query);
    let mut list = query.list(&found);
    list.fields.retain(|field| is_known(&app.users, field.name()));
    if staff.user.is_superuser {
        list.actions = actions::of(&app.users);
    }
    let has = Has::of(&app.users);
    let columns = [
        (true, list.sorted(if app.users.has_names() { "Username" } else { "Email" }, "username")),
        (has.email, column("Email")),
        (true, column("Rights")),
        (has.last_login, list.sorted("Last login", "last_login")),
        (has.joined, list.sorted("Joined", "joined")),
    ];
    let columns = columns.into_iter().filter_map(|(is_there, column)| is_there.then_some(column)).collect();
    let row = |user: Listed| Row {
        id: user.id,
        badges: badges(&user),
        name: full_name(&user.first_name, &user.last_name),
        last_login: user.last_login.map(|at| When::new(at, reader)),
        joined: user.date_joined.map(|at| When::new(at, reader)),
        username: user.username,
        email: user.email,
    };
    let rows = found.rows.into_iter().map(row).collect();
    page(&ListPage { layout: staff.layout(Place::Users(true)), list, columns, rows, export, has })
}

/// Which columns the list has.
struct Has {
    email: bool,
    last_login: bool,
    joined: bool,
}

impl Has {
    fn of(users: &UserTable) -> Self {
        // Without other names, the address is the first column.
        let email = users.has_names() && users.has(UserField::Email);
        Self { email, last_login: users.has(UserField::LastLogin), joined: users.has(UserField::DateJoined) }
    }
}

/// Whether a filter is about something that the user table has.
fn is_known(users: &UserTable, filter: &str) -> bool {
    match filter {
        "is_active" => users.has(UserField::IsActive),
        "is_staff" => users.has(UserField::IsStaff),
        "login" | "last_login" => users.has(UserField::LastLogin),
        _ => true,
    }
}

fn badges(user: &Listed) -> Vec<Badge> {
    let mut badges = status::rights(user.is_active, user.is_staff, user.is_superuser);
    badges.extend(user.has_factor.then_some(status::SECOND_FACTOR));
    badges
}

/// The full name, which may be empty.
pub fn full_name(first: &str, last: &str) -> String {
    format!("{first} {last}").trim().to_owned()
}

/// The filters of a query.
fn filter(query: &ListQuery<Sort>) -> Filter {
    let is = |name| query.chosen.choice(name).map(|value| value == "yes");
    Filter {
        ids: None,
        is_active: is("is_active"),
        is_staff: is("is_staff"),
        is_superuser: is("is_superuser"),
        last_login: query.period("last_login"),
        has_factor: is("second_factor"),
        never_logged_in: query.chosen.choice("login").is_some(),
    }
}

/// The filters with the users that a search means, and how many these are if there are more.
fn search_in(tx: &mut Tx<'_>, filter: &Filter, q: Option<&str>) -> Result<(Filter, Option<usize>), DbError> {
    let Some(q) = q else { return Ok((filter.clone(), None)) };
    let UserMatches { ids, cut_at } = list::find_starting_with(tx.conn, &tx.app.users, (q, true), MAX_FOUND)?;
    Ok((Filter { ids: Some(ids), ..filter.clone() }, cut_at))
}

/// `POST user/`: the search.
pub async fn search(staff: Staff, form: CsrfForm<Vec<(String, String)>>) -> Result<HttpResponse, PageError> {
    search::in_list(&staff, USERS, form)
}
