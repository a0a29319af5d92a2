//! The query of a list: search, filters, order and page as they stand in the address, and the list that is made from it.

use actix_web::HttpRequest;
use url::form_urlencoded;

use super::date_hierarchy::{DateHierarchy, Dates};
use super::filter::{self, Chip, Chosen, Filter};
use super::period::Period;
use super::{ChangeList, ModelAdmin, Order, PAGE_SIZE, PageLink, SortLink, address};
use crate::db::latchkey_rollup::Sum;
use crate::db::list;
use crate::db::page::{Cursor, From, Page, Paging, Total};
use crate::web::admin::search::clean;
use crate::web::words::{self, Reader};

/// The query of a list. Invalid values are ignored.
pub struct ListQuery<S: 'static> {
    admin: &'static ModelAdmin<S>,
    /// The search.
    pub q: Option<String>,
    /// The filters.
    pub chosen: Chosen,
    order: Order<S>,
    descending: bool,
    from: Option<From>,
    reader: Reader,
}

impl<S: Copy> ListQuery<S> {
    /// Reads the query of a request.
    pub fn of(request: &HttpRequest, admin: &'static ModelAdmin<S>, reader: Reader) -> Self {
        Self::parse(request.query_string(), admin, reader)
    }

    /// Reads a query.
    pub fn parse(query: &str, admin: &'static ModelAdmin<S>, reader: Reader) -> Self {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let find = |name: &str| pairs.iter().rfind(|(given, _)| given == name).map(|(_, value)| clean(value));
        let cursor = |name| find(name).and_then(|place| Cursor::decode(&place));
        let order = |wanted: &str| {
            let name = wanted.strip_prefix('-').unwrap_or(wanted);
            admin.orders.iter().find(|order| order.name == name).map(|order| (*order, wanted.starts_with('-')))
        };
        let asked = find("sort").as_deref().and_then(order).or_else(|| order(admin.ordering));
        let (order, descending) = asked.unwrap_or((admin.orders[0], false));
        Self {
            admin,
            q: find("q").filter(|q| !q.is_empty()),
            chosen: Chosen::parse(&pairs, admin.list_filter),
            order,
            descending,
            from: cursor("after").map(From::After).or_else(|| cursor("before").map(From::Before)),
            reader,
        }
    }

    /// The page, for the database.
    pub fn paging(&self) -> Paging<S> {
        Paging { sort: self.order.sort, descending: self.descending, from: self.from.clone(), size: PAGE_SIZE }
    }

    /// Whether nothing is filtered; only then is the number of rows known.
    pub fn is_whole(&self) -> bool {
        self.q.is_none() && self.chosen.is_empty()
    }

    /// The period of a filter, for the database.
    pub fn period(&self, name: &str) -> Option<list::Period> {
        self.chosen.period(name).map(|period: Period| period.instants(self.reader.zone))
    }

    /// The list for a page of rows.
    pub fn list<T>(self, page: &Page<T>) -> ChangeList {
        let at = usize::from(self.descending);
        let words = self.order.words[at];
        let total = words::total(page.total);
        let turn = |label, name: &str, cursor: &Option<Cursor>| PageLink {
            label,
            href: cursor.as_ref().map(|cursor| {
                let mut pairs = self.chosen.pairs(None);
                pairs.push((name.to_owned(), cursor.encode()));
                self.href(self.order.name, self.descending, self.q.as_deref(), &pairs)
            }),
        };
        let (q, filters) = (self.q.as_deref(), self.admin.list_filter);
        let with = |pairs: &[(String, String)]| self.href(self.order.name, self.descending, q, pairs);
        let mut chips = self.chosen.chips(with);
        if let Some(q) = q {
            let href = self.href(self.order.name, self.descending, None, &self.chosen.pairs(None));
            chips.insert(0, Chip { words: format!("Search: {q}"), href });
        }
        let sort = Some(sort_value(self.order.name, self.descending)).filter(|sort| *sort != self.admin.ordering);
        let sort = sort.map(|sort| ("sort".to_owned(), sort));
        let tab = |pair: &(String, String)| self.chosen.choice(&pair.0).is_some() && is_tab(filters, &pair.0);
        let all = self.chosen.pairs(None);
        let kept = q.map(|q| ("q".to_owned(), q.to_owned())).into_iter().chain(sort.clone());
        ChangeList {
            about: &self.admin.about,
            count: count(page, total.as_deref(), words),
            is_start: self.from.is_none(),
            is_narrowed: !self.is_whole(),
            order: words,
            before: turn(self.order.turns[at], "before", &page.before),
            after: turn(self.order.turns[1 - at], "after", &page.after),
            tabs: self.chosen.tabs(filters, with),
            chips,
            fields: self.chosen.fields(filters),
            filters_on: self.chosen.count(),
            kept: kept.chain(all.iter().filter(|pair| tab(pair)).cloned()).collect(),
            kept_by_search: all.into_iter().chain(sort).collect(),
            actions: &[],
            scanned: page.looked_at,
            meant: page.meant.map(|users| words::commas(i64::try_from(users).unwrap_or(i64::MAX))),
            links: self.admin.orders.iter().map(|order| (order.name, self.sort_link(order.name))).collect(),
            total: total.filter(|_| self.is_whole()),
            q: self.q.clone(),
        }
    }

    /// The drill-down by the dates of a filter.
    pub fn date_hierarchy(&self, name: &'static str) -> DateHierarchy {
        DateHierarchy::new(name, self.chosen.period(name), self.reader)
    }

    /// Adds the counts to the drill-down.
    pub fn dates(&self, hierarchy: &DateHierarchy, name: &str, sums: &[Sum]) -> Dates {
        let others = self.chosen.pairs(Some(name));
        hierarchy.show(sums, |pairs| {
            let all: Vec<_> = others.iter().chain(pairs).cloned().collect();
            self.href(self.order.name, self.descending, self.q.as_deref(), &all)
        })
    }

    /// A second click on the same column reverses the order.
    fn sort_link(&self, name: &'static str) -> SortLink {
        let is_current = name == self.order.name;
        let aria = is_current.then_some(if self.descending { "descending" } else { "ascending" });
        let descending = if is_current { !self.descending } else { name != "username" };
        SortLink { href: self.href(name, descending, self.q.as_deref(), &self.chosen.pairs(None)), aria }
    }

    fn href(&self, sort: &str, descending: bool, q: Option<&str>, pairs: &[(String, String)]) -> String {
        let mut all = Vec::new();
        if sort_value(sort, descending) != self.admin.ordering {
            all.push(("sort".to_owned(), sort_value(sort, descending)));
        }
        all.extend(q.map(|q| ("q".to_owned(), q.to_owned())));
        all.extend(pairs.iter().cloned());
        address(self.admin.about.path, &all)
    }
}

fn sort_value(name: &str, descending: bool) -> String {
    format!("{}{name}", if descending { "-" } else { "" })
}

fn is_tab(filters: &[Filter], name: &str) -> bool {
    filters.iter().any(|filter| filter.name == name && matches!(filter.kind, filter::FilterKind::Tabs(_)))
}

/// The number of rows and their order.
fn count<T>(page: &Page<T>, total: Option<&str>, order: &str) -> String {
    let shown = words::commas(i64::try_from(page.rows.len()).unwrap_or(i64::MAX));
    match (page.looked_at, total) {
        (Some(most), _) => format!("{shown} among the first {}, {order}", words::commas(most)),
        (None, Some(total)) if page.total != Total::Unknown => format!("{shown} of {total}, {order}"),
        _ => format!("{shown} on this page, {order}"),
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::super::About;
    use super::*;
    use crate::db::types::Instant;

    static THINGS: ModelAdmin<u8> = ModelAdmin {
        about: About { path: "/list/", title: "Things", app: None, hint: "What it finds", icon: "dot" },
        orders: &[
            Order { name: "created", sort: 1, words: ["oldest first", "newest first"], turns: ["Older", "Newer"] },
            Order { name: "expires", sort: 2, words: ["early", "late"], turns: ["Earlier", "Later"] },
        ],
        ordering: "-created",
        list_filter: &[
            Filter {
                name: "status",
                label: "Status",
                kind: filter::FilterKind::Tabs(&[("live", "Live"), ("dead", "Dead")]),
            },
            Filter { name: "created", label: "Created", kind: filter::FilterKind::Dates },
            Filter { name: "user", label: "User", kind: filter::FilterKind::Text("A name") },
        ],
    };

    fn asked(query: &str) -> ListQuery<u8> {
        let reader = Reader { now: Instant::from_timestamp(0).unwrap(), zone: Tz::UTC };
        ListQuery::parse(query, &THINGS, reader)
    }

    fn list(query: &str, before: Option<Cursor>, after: Option<Cursor>) -> ChangeList {
        let page =
            Page { rows: vec![(); 25], before, after, total: Total::About(10_249_000), looked_at: None, meant: None };
        asked(query).list(&page)
    }

    #[test]
    fn links_keep_search_filters_and_order() {
        let place = Cursor { value: "5".to_owned(), id: "7".to_owned() };
        let list = list("q=a%20%26b&status=live&created=2026-11&sort=-expires", None, Some(place));
        assert_eq!((list.before.label, list.before.href.as_deref()), ("Later", None));
        let base = "/list/?sort=-expires&q=a%20%26b";
        assert_eq!(list.after.href.unwrap(), format!("{base}&status=live&created=2026-11&after=7~5"));
        let tabs: Vec<_> = list.tabs.iter().map(|tab| (tab.words, tab.is_current, &*tab.href)).collect();
        assert_eq!(tabs[0], ("All", false, &*format!("{base}&created=2026-11")));
        assert_eq!(tabs[1], ("Live", true, &*format!("{base}&created=2026-11&status=live")));
        let chips: Vec<_> = list.chips.iter().map(|chip| (&*chip.words, &*chip.href)).collect();
        assert_eq!(chips[0], ("Search: a &b", "/list/?sort=-expires&status=live&created=2026-11"));
        assert_eq!(chips[1], ("Created in November 2026", &*format!("{base}&status=live")));
    }

    #[test]
    fn a_second_click_turns_the_order_round() {
        let mut list = list("sort=expires", None, None);
        let expires = list.sorted("Expires", "expires").sort.unwrap();
        assert_eq!((expires.aria, &*expires.href), (Some("ascending"), "/list/?sort=-expires"));
        let created = list.sorted("Created", "created").sort.unwrap();
        assert_eq!((created.aria, &*created.href), (None, "/list/"));
    }

    #[test]
    fn nonsense_in_an_address_is_left_out() {
        let asked = asked("q=%00&sort=;drop&after=x&before=1~%002&foo&status=gone&created=9999&user=%00");
        assert_eq!(asked.q, None);
        assert!(asked.descending && asked.chosen.is_empty());
        let Some(From::Before(place)) = asked.paging().from else { panic!("a place") };
        assert_eq!(place, Cursor { value: "2".to_owned(), id: "1".to_owned() });
    }

    #[test]
    fn the_count_says_what_it_counts() {
        assert_eq!(list("", None, None).count, "25 of about 10.2 million, newest first");
        let page = Page {
            rows: vec![(); 3],
            before: None,
            after: None,
            total: Total::Unknown,
            looked_at: Some(10_000),
            meant: None,
        };
        assert_eq!(asked("").list(&page).count, "3 among the first 10,000, newest first");
    }
}
