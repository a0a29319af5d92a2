//! The heads of a list's columns.

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

/// A column that cannot be sorted by.
pub fn column(label: &'static str) -> Column {
    Column { label, sort: None }
}
