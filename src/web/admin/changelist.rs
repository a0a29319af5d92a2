//! What the three lists share: search, order and place from the address, and the links that change them. Lists are turned
//! by keyset cursors, so the last page is as quick as the first.

use std::fmt::Write;

use url::form_urlencoded;

use super::address::quote;
use super::search::clean;
use super::words;
use crate::db::page::{Cursor, From, Page, Paging};

/// Rows on a page.
const SIZE: usize = 25;

/// What an address says about a list. What cannot be understood is left out.
#[derive(Debug, Default)]
pub struct Params {
    /// The search.
    pub q: Option<String>,
    sort: Option<String>,
    after: Option<Cursor>,
    before: Option<Cursor>,
}

impl Params {
    /// Reads a query string.
    pub fn parse(query: &str) -> Self {
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "q" => params.q = Some(clean(&value)).filter(|q| !q.is_empty()),
                "sort" => params.sort = Some(value.into_owned()),
                "after" => params.after = Cursor::decode(&clean(&value)),
                "before" => params.before = Cursor::decode(&clean(&value)),
                _ => {}
            }
        }
        params
    }
}

/// A column that a list can be sorted by.
#[derive(Debug, Clone, Copy)]
pub struct Order<S> {
    /// Its name in the address.
    pub name: &'static str,
    /// What the database calls it.
    pub sort: S,
    /// How an ascending and a descending list is described.
    pub words: [&'static str; 2],
    /// What the pages before and after are called in an ascending list.
    pub turns: [&'static str; 2],
}

/// A column's head.
pub struct Column {
    /// Its words.
    pub label: &'static str,
    /// How to sort by it, if that is possible.
    pub sort: Option<SortLink>,
}

/// A column's head as a link.
pub struct SortLink {
    /// The list in this order.
    pub href: String,
    /// `aria-sort`, where the list is in this order now.
    pub aria: Option<&'static str>,
}

/// A link to another page of the list.
pub struct Turn {
    /// `Newer`, `Older` …
    pub label: &'static str,
    /// Where it leads, if there is one.
    pub href: Option<String>,
}

/// What is the same on every page of a list.
#[derive(Debug, PartialEq, Eq)]
pub struct About {
    /// Its address.
    pub path: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The name and the address of its app.
    pub app: (&'static str, &'static str),
    /// What its search finds.
    pub hint: &'static str,
    /// Its icon.
    pub icon: &'static str,
}

/// The list's frame: everything but its rows.
pub struct ChangeList {
    /// What it is.
    pub about: &'static About,
    /// The search.
    pub q: Option<String>,
    /// How many there are in the whole table, if this is the whole table.
    pub total: Option<String>,
    /// Whether this is the first page.
    pub is_start: bool,
    /// `25 of about 10.2 million, newest first`.
    pub count: String,
    /// `newest first`, for the table's caption.
    pub order: &'static str,
    /// The page before.
    pub before: Turn,
    /// The page after.
    pub after: Turn,
    links: Vec<(&'static str, SortLink)>,
}

/// The place in a list that an address asks for.
pub struct Asked<S> {
    params: Params,
    order: Order<S>,
    descending: bool,
}

impl<S: Copy> Asked<S> {
    /// `default` is a name among `orders`, with a `-` in front for a descending list.
    pub fn new(params: Params, orders: &[Order<S>; 2], default: &str) -> Self {
        let find = |wanted: &str| {
            let name = wanted.strip_prefix('-').unwrap_or(wanted);
            orders.iter().find(|order| order.name == name).map(|order| (*order, wanted.starts_with('-')))
        };
        let asked = params.sort.as_deref().and_then(find).or_else(|| find(default));
        let (order, descending) = asked.unwrap_or((orders[0], false));
        Self { params, order, descending }
    }

    /// The search.
    pub fn q(&self) -> Option<String> {
        self.params.q.clone()
    }

    /// The same for the database.
    pub fn paging(&self) -> Paging<S> {
        let from = match (&self.params.after, &self.params.before) {
            (Some(after), _) => Some(From::After(after.clone())),
            (None, Some(before)) => Some(From::Before(before.clone())),
            (None, None) => None,
        };
        Paging { sort: self.order.sort, descending: self.descending, from, size: SIZE }
    }

    /// The frame round a page that the database answered.
    pub fn list<T>(self, about: &'static About, orders: &[Order<S>; 2], page: &Page<T>) -> ChangeList {
        let (path, at) = (about.path, usize::from(self.descending));
        let shown = words::commas(i64::try_from(page.rows.len()).unwrap_or(i64::MAX));
        let (total, words) = (words::total(page.total), self.order.words[at]);
        let count = match &total {
            Some(total) => format!("{shown} of {total}, {words}"),
            None => format!("{shown} on this page, {words}"),
        };
        let turn = |label, name, cursor: &Option<Cursor>| Turn {
            label,
            href: cursor.as_ref().map(|cursor| self.href(path, self.order.name, self.descending, Some((name, cursor)))),
        };
        ChangeList {
            about,
            count,
            is_start: self.is_start(),
            order: words,
            before: turn(self.order.turns[at], "before", &page.before),
            after: turn(self.order.turns[1 - at], "after", &page.after),
            links: orders.iter().map(|order| (order.name, self.sort_link(path, order.name))).collect(),
            total: total.filter(|_| self.params.q.is_none()),
            q: self.params.q,
        }
    }

    fn is_start(&self) -> bool {
        self.params.after.is_none() && self.params.before.is_none()
    }

    /// A second click on the same column turns the order round.
    fn sort_link(&self, path: &str, name: &str) -> SortLink {
        let is_current = name == self.order.name;
        let aria = is_current.then_some(if self.descending { "descending" } else { "ascending" });
        let descending = if is_current { !self.descending } else { name != "username" };
        SortLink { href: self.href(path, name, descending, None), aria }
    }

    fn href(&self, path: &str, sort: &str, descending: bool, from: Option<(&str, &Cursor)>) -> String {
        let minus = if descending { "-" } else { "" };
        let mut href = format!("{path}?sort={minus}{sort}");
        if let Some(q) = &self.params.q {
            let _ = write!(href, "&q={}", quote(q));
        }
        if let Some((name, cursor)) = from {
            let _ = write!(href, "&{name}={}", quote(&cursor.encode()));
        }
        href
    }
}

impl ChangeList {
    /// A column that can be sorted by.
    pub fn sorted(&mut self, label: &'static str, name: &str) -> Column {
        let at = self.links.iter().position(|(link, _)| *link == name);
        Column { label, sort: at.map(|at| self.links.swap_remove(at).1) }
    }
}

/// A column that cannot be sorted by.
pub fn column(label: &'static str) -> Column {
    Column { label, sort: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::page::Total;

    const ORDERS: [Order<u8>; 2] = [
        Order { name: "created", sort: 1, words: ["oldest first", "newest first"], turns: ["Older", "Newer"] },
        Order { name: "expires", sort: 2, words: ["early", "late"], turns: ["Earlier", "Later"] },
    ];

    const ABOUT: About =
        About { path: "/list/", title: "Things", app: ("App", "/"), hint: "What it finds", icon: "dot" };

    fn list(query: &str, before: Option<Cursor>, after: Option<Cursor>) -> ChangeList {
        let page = Page { rows: vec![(); 25], before, after, total: Total::About(10_249_000) };
        Asked::new(Params::parse(query), &ORDERS, "-created").list(&ABOUT, &ORDERS, &page)
    }

    #[test]
    fn links_keep_search_and_order() {
        let place = Cursor { value: "5".to_owned(), id: 7 };
        let list = list("q=a%20%26b", None, Some(place));
        assert_eq!(list.count, "25 of about 10.2 million, newest first");
        assert_eq!((list.before.label, list.before.href.as_deref()), ("Newer", None));
        assert_eq!(list.after.label, "Older");
        assert_eq!(list.after.href.unwrap(), "/list/?sort=-created&q=a%20%26b&after=7~5");
    }

    #[test]
    fn a_second_click_turns_the_order_round() {
        let mut list = list("sort=expires", None, None);
        let expires = list.sorted("Expires", "expires").sort.unwrap();
        assert_eq!((expires.aria, &*expires.href), (Some("ascending"), "/list/?sort=-expires"));
        let created = list.sorted("Created", "created").sort.unwrap();
        assert_eq!((created.aria, &*created.href), (None, "/list/?sort=-created"));
    }

    #[test]
    fn nonsense_in_an_address_is_left_out() {
        let asked = Asked::new(Params::parse("q=%00&sort=;drop&after=x&before=1~%002&foo"), &ORDERS, "-created");
        assert_eq!(asked.q(), None);
        assert!(asked.descending);
        let Some(From::Before(place)) = asked.paging().from else { panic!("a place") };
        assert_eq!(place, Cursor { value: "2".to_owned(), id: 1 });
    }
}
