//! The heads of a list's columns.

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
