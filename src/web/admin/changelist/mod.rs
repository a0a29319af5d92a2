//! The common parts of all lists: search, filters, order and page are read from the address, and links change them. Each
//! list is declared as a `ModelAdmin`. Pages use keyset cursors, so the last page is as fast as the first.

pub mod action;
pub mod date_hierarchy;
pub mod filter;
pub mod period;
mod query;

use std::fmt::Write;

use super::address::quote;
use super::words;
use filter::{Chip, Field, Filter, Tab};
pub use query::ListQuery;

/// How many rows a page has.
pub const PAGE_SIZE: usize = 50;

/// The declaration of a list, with Django's name for it.
#[derive(Debug)]
pub struct ModelAdmin<S: 'static> {
    /// Its title, address and icon.
    pub about: About,
    /// The columns that it can be sorted by.
    pub orders: &'static [Order<S>],
    /// The default order, with `-` in front if it is descending.
    pub ordering: &'static str,
    /// Its filters.
    pub list_filter: &'static [Filter],
}

/// The title, address and icon of a list.
#[derive(Debug, PartialEq, Eq)]
pub struct About {
    /// Its address.
    pub path: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The name and the address of its app, if it belongs to one.
    pub app: Option<(&'static str, &'static str)>,
    /// The hint of the search field.
    pub hint: &'static str,
    /// Its icon.
    pub icon: &'static str,
}

/// A column that a list can be sorted by.
#[derive(Debug, Clone, Copy)]
pub struct Order<S> {
    /// Its name in the address.
    pub name: &'static str,
    /// The column in the database.
    pub sort: S,
    /// The descriptions of the ascending and the descending order.
    pub words: [&'static str; 2],
    /// The labels of the links to the previous and the next page of the ascending order.
    pub turns: [&'static str; 2],
}

/// A link to another page of the list.
pub struct PageLink {
    /// `Newer`, `Older` …
    pub label: &'static str,
    /// The address, if there is such a page.
    pub href: Option<String>,
}

/// A list without its rows.
pub struct ChangeList {
    /// The title, address and icon.
    pub about: &'static About,
    /// The search.
    pub q: Option<String>,
    /// The number of rows of the whole table, if nothing is filtered.
    pub total: Option<String>,
    /// Whether this is the first page.
    pub is_start: bool,
    /// Whether a search or a filter is active.
    pub is_narrowed: bool,
    /// `50 of about 10.2 million, newest first`.
    pub count: String,
    /// `newest first`, for the table's caption.
    pub order: &'static str,
    /// The page before.
    pub before: PageLink,
    /// The page after.
    pub after: PageLink,
    /// The tabs.
    pub tabs: Vec<Tab>,
    /// The active filters and the search.
    pub chips: Vec<Chip>,
    /// The form behind "Filters".
    pub fields: Vec<Field>,
    /// How many filters are active.
    pub filters_on: usize,
    /// The hidden fields of the filter form: search, order and tab.
    pub kept: Vec<(String, String)>,
    /// The hidden fields of the search form: order and filters.
    pub kept_by_search: Vec<(String, String)>,
    /// The actions for selected rows: value and label.
    pub actions: &'static [(&'static str, &'static str)],
    /// How many rows were searched, if the search stopped there.
    scanned: Option<i64>,
    /// How many users the search is limited to, if more match it.
    pub meant: Option<String>,
    links: Vec<(&'static str, SortLink)>,
}

/// An address with a query.
pub fn address(path: &str, pairs: &[(String, String)]) -> String {
    let mut address = path.to_owned();
    for (at, (name, value)) in pairs.iter().enumerate() {
        let _ = write!(address, "{}{}={}", if at == 0 { '?' } else { '&' }, quote(name), quote(value));
    }
    address
}

/// A column's head.
pub struct Column {
    /// The text.
    pub label: &'static str,
    /// The link that sorts by it, if possible.
    pub sort: Option<SortLink>,
}

/// The link that sorts by a column.
pub struct SortLink {
    /// The address of the list in this order.
    pub href: String,
    /// `aria-sort`, if this is the current order.
    pub aria: Option<&'static str>,
}

/// A column that cannot be sorted by.
pub fn column(label: &'static str) -> Column {
    Column { label, sort: None }
}

impl ChangeList {
    /// A column that can be sorted by.
    pub fn sorted(&mut self, label: &'static str, name: &str) -> Column {
        let at = self.links.iter().position(|(link, _)| *link == name);
        Column { label, sort: at.map(|at| self.links.swap_remove(at).1) }
    }

    /// Whether the search stopped early.
    pub fn looked_at(&self) -> bool {
        self.scanned.is_some()
    }

    /// After how many rows it stopped.
    pub fn scanned(&self) -> String {
        words::commas(self.scanned.unwrap_or_default())
    }

    /// Adds approximate counts to the tabs.
    pub fn count_tabs(&mut self, count: impl Fn(&str) -> Option<i64>) {
        for tab in &mut self.tabs {
            tab.count = count(tab.value).map(words::short);
        }
    }
}
