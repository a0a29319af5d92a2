//! The pages of Django's two apps: their lists, with the number of rows in each.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::access::Staff;
use super::error::PageError;
use super::layout::{Layout, Place, page};
use super::{address, words};
use crate::app::App;
use crate::db::page::Total;
use crate::db::{DbError, blacklisted_tokens, outstanding_tokens};

/// One of Django's apps.
struct Block {
    name: &'static str,
    models: Vec<Model>,
}

struct Model {
    name: &'static str,
    address: &'static str,
    icon: &'static str,
    holds: &'static str,
    count: String,
}

#[derive(Template)]
#[template(path = "admin/app_index.html")]
struct Index {
    layout: Layout,
    app: &'static str,
    blocks: Vec<Block>,
}

const AUTHENTICATION: &str = "Authentication";
const TOKEN_BLACKLIST: &str = "Token Blacklist";

/// `GET /admin/auth/`
pub async fn auth(staff: Staff, app: Data<App>) -> Result<HttpResponse, PageError> {
    let users = app.read(|tx| tx.app.users.count(tx.conn)).await?;
    page(&Index { layout: staff.layout(Place::None), app: AUTHENTICATION, blocks: vec![authentication(users)] })
}

/// `GET /admin/token_blacklist/`
pub async fn tokens(staff: Staff, app: Data<App>) -> Result<HttpResponse, PageError> {
    let (outstanding, blacklisted) = app
        .read(|tx| Ok::<_, DbError>((outstanding_tokens::count(tx.conn)?, blacklisted_tokens::count(tx.conn)?)))
        .await?;
    let blocks = vec![token_blacklist(outstanding, blacklisted)];
    page(&Index { layout: staff.layout(Place::None), app: TOKEN_BLACKLIST, blocks })
}

fn authentication(users: Total) -> Block {
    let users = Model {
        name: "Users",
        address: address::USERS,
        icon: "users",
        holds: "People and services that can log in, with their rights.",
        count: count(users),
    };
    Block { name: AUTHENTICATION, models: vec![users] }
}

fn token_blacklist(outstanding: Total, blacklisted: Total) -> Block {
    let outstanding = Model {
        name: "Outstanding tokens",
        address: address::OUTSTANDING,
        icon: "token",
        holds: "Every refresh and sliding token that was issued, until it is flushed.",
        count: count(outstanding),
    };
    let blacklisted = Model {
        name: "Blacklisted tokens",
        address: address::BLACKLISTED,
        icon: "ban",
        holds: "Tokens that are no longer accepted, each with the reason.",
        count: count(blacklisted),
    };
    Block { name: TOKEN_BLACKLIST, models: vec![outstanding, blacklisted] }
}

fn count(total: Total) -> String {
    words::total(total).unwrap_or_default()
}
