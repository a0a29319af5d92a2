//! Keyset pages: lists that stay fast with millions of rows, because no row is counted or skipped to reach a page.

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows, in the order that was asked for.
    pub rows: Vec<T>,
    /// Where the page before this one ends, if there is one (`before=` of a link).
    pub before: Option<Cursor>,
    /// Where the page after this one begins, if there is one (`after=` of a link).
    pub after: Option<Cursor>,
    /// How many rows the whole list has.
    pub total: Total,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Counted.
    Exact(i64),
    /// Too many to count for a page; the database's own estimate.
    About(i64),
}

/// A place between two rows: the sort column's value and the primary key of the row beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The sort column's value as text (an instant as microseconds since 1970; empty for null).
    pub value: String,
    /// The row's primary key.
    pub id: i64,
}

impl Cursor {
    /// As it stands in an address: `ID~VALUE`.
    pub fn encode(&self) -> String {
        format!("{}~{}", self.id, self.value)
    }

    /// Reads what `encode` wrote; `None` for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        let (id, value) = text.split_once('~')?;
        Some(Self { id: id.parse().ok()?, value: value.to_owned() })
    }
}

/// Which page of which order. `C` is the table's enum of sortable columns.
#[derive(Debug, Clone)]
pub struct Paging<C> {
    /// The column to sort by; ties are broken by the primary key.
    pub sort: C,
    /// Largest first.
    pub descending: bool,
    /// From where, in which direction; `None` is the first page.
    pub from: Option<From>,
    /// Rows on a page.
    pub size: usize,
}

/// The direction of turning a page.
#[derive(Debug, Clone)]
pub enum From {
    /// The rows after this place.
    After(Cursor),
    /// The rows before this place.
    Before(Cursor),
}
