//! The panel over HTTP, as a browser without scripts uses it. `tests/browser/` looks at it in a real one.

mod account;
mod audit_log;
mod bulk;
mod confirm;
mod dashboard;
mod explain;
mod factors;
mod html;
mod lists;
mod login;
mod mail;
mod pages;
mod remembered;
mod search;
mod second_factor;
mod sessions;
mod settings;
mod snapshots;
mod tokens;
mod users;

use crate::harness::Panel;
use crate::harness::admin::{attribute, unescape};

pub const OUTSTANDING: &str = "/admin/token_blacklist/outstandingtoken/";
pub const BLACKLISTED: &str = "/admin/token_blacklist/blacklistedtoken/";
pub const USERS: &str = "/admin/auth/user/";

/// The first address in a page that has this in its query.
pub fn link_with(page: &str, part: &str) -> Option<String> {
    let tags = page.split("<a").skip(1).map(|tag| tag.split('>').next().unwrap());
    tags.filter_map(|tag| attribute(tag, "href")).map(|href| unescape(&href)).find(|href| href.contains(part))
}

/// All pages of a list, from its first.
pub fn pages_of(panel: &mut Panel, start: &str) -> Vec<String> {
    let (mut pages, mut next) = (Vec::new(), Some(start.to_owned()));
    while let Some(address) = next {
        let page = panel.get(&address).expect_status(200).text();
        next = link_with(&page, "after=");
        pages.push(page);
        assert!(pages.len() < 50, "the list has no end");
    }
    pages
}
