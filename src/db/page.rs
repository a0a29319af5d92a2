//! Keyset pages: lists stay fast with millions of rows, because no row is counted or skipped to reach a page.

use diesel::RunQueryDsl;

use super::types::Instant;
use super::{Conn, DbError};

/// How many candidates are looked at for one page where no index answers a condition.
pub(super) const MAX_SCANNED: i64 = 3_000;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows, in the requested order.
    pub rows: Vec<T>,
    /// Where the previous page ends, if there is one (`before=` in a link).
    pub before: Option<Cursor>,
    /// Where the next page begins, if there is one (`after=` in a link).
    pub after: Option<Cursor>,
    /// How many rows the whole list has.
    pub total: Total,
    /// How many candidates were checked, if there are more: a filter without an index stops at a limit.
    pub looked_at: Option<i64>,
    /// How many matching users the search included, if there are more: then rows are missing.
    pub meant: Option<usize>,
}

/// How many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Counted.
    Exact(i64),
    /// The database's estimate, if there are too many to count for a page.
    About(i64),
    /// Not counted, as in a search.
    Unknown,
}

/// A position between two rows: the sort column's value and the primary key of the adjacent row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The sort column's value as text (a time in microseconds since 1970; empty if only the key counts).
    pub value: String,
    /// The row's primary key.
    pub id: String,
}

impl Cursor {
    /// The position of a row in an order by time.
    pub(super) fn at(at: Instant, id: impl ToString) -> Self {
        Self { value: at.datetime().timestamp_micros().to_string(), id: id.to_string() }
    }

    /// The position of a row in an order by primary key.
    pub(super) fn key(id: impl ToString) -> Self {
        Self { value: String::new(), id: id.to_string() }
    }

    /// The value as a point in time, if it is one.
    pub(super) fn instant(&self) -> Option<Instant> {
        chrono::DateTime::from_timestamp_micros(self.value.parse().ok()?).map(Instant::from)
    }

    /// As in a URL: `ID~VALUE`.
    pub fn encode(&self) -> String {
        format!("{}~{}", self.id, self.value)
    }

    /// Parses what `encode` writes; `None` for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        let (id, value) = text.split_once('~')?;
        Some(Self { id: id.to_owned(), value: value.to_owned() })
    }
}

/// Which page in which order. `C` is the table's enum of sortable columns.
#[derive(Debug, Clone)]
pub struct Paging<C> {
    /// The column to sort by; ties are broken by the primary key.
    pub sort: C,
    /// Largest first.
    pub descending: bool,
    /// The position and direction; `None` for the first page.
    pub from: Option<From>,
    /// Rows on a page.
    pub size: usize,
}

/// A position and a direction from it.
#[derive(Debug, Clone)]
pub enum From {
    /// The rows after this position.
    After(Cursor),
    /// The rows before this position.
    Before(Cursor),
}

impl<C> Paging<C> {
    /// Whether the page is read from its end.
    pub(super) fn is_backwards(&self) -> bool {
        matches!(self.from, Some(From::Before(_)))
    }

    pub(super) fn cursor(&self) -> Option<&Cursor> {
        match &self.from {
            Some(From::After(cursor) | From::Before(cursor)) => Some(cursor),
            None => None,
        }
    }

    /// One row more than is shown, which tells whether there is another page.
    pub(super) fn limit(&self) -> i64 {
        i64::try_from(self.size).unwrap_or(i64::MAX).saturating_add(1)
    }
}

impl<T> Page<T> {
    /// Removes the extra row, reverses a page that was read backwards, and finds the positions at both ends. `end` is where the
    /// search stopped, if that was before the end of the list.
    pub(super) fn new<C>(
        mut rows: Vec<T>,
        paging: &Paging<C>,
        end: Option<Cursor>,
        place: impl Fn(&T) -> Cursor,
    ) -> Self {
        let is_full = rows.len() > paging.size;
        rows.truncate(paging.size);
        let backwards = paging.is_backwards();
        // The last row in the direction of reading.
        let last = if is_full { rows.last().map(&place) } else { end.clone() };
        if backwards {
            rows.reverse();
        }
        let origin = paging.from.as_ref().map(|_| if backwards { rows.last() } else { rows.first() });
        let origin = origin.and_then(|row| row.map(&place).or_else(|| paging.cursor().cloned()));
        let (before, after) = if backwards { (last, origin) } else { (origin, last) };
        // If everything is on one page, its rows are the total.
        let is_whole = before.is_none() && after.is_none();
        let total = if is_whole { Total::Exact(i64::try_from(rows.len()).unwrap_or(i64::MAX)) } else { Total::Unknown };
        Self { rows, before, after, total, looked_at: end.filter(|_| !is_full).map(|_| MAX_SCANNED), meant: None }
    }

    /// The same, with the size of the whole list.
    #[must_use]
    pub fn of(self, total: Total) -> Self {
        Self { total: if self.total == Total::Unknown { total } else { self.total }, ..self }
    }
}

/// Maximum number of rows counted one by one.
const MAX_COUNTED: i64 = 10_000;

/// How many rows a table has: counted if that is cheap, otherwise the database's estimate. One statement.
pub(super) fn total(conn: &mut Conn, table: &str) -> Result<Total, DbError> {
    total_by(conn, table, "id")
}

/// The same for a table whose keys are not assigned in order: `key` is a column that is.
pub(super) fn total_by(conn: &mut Conn, table: &str, key: &str) -> Result<Total, DbError> {
    #[derive(diesel::QueryableByName)]
    struct Counted {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        counted: i64,
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        about: i64,
    }
    // SQLite keeps no estimate; keys are assigned in order, so their range is one (too high after a flush).
    let about = if conn.is_postgres() {
        let name = table.replace('\'', "''");
        format!("(SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = '{name}'::regclass)")
    } else {
        // Two queries of the index: one query for both ends would read all of it.
        format!("coalesce((SELECT max({key}) FROM {table}) - (SELECT min({key}) FROM {table}) + 1, 0)")
    };
    let query = format!(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {}) AS firsts) AS counted, {about} AS about",
        MAX_COUNTED + 1
    );
    let row: Counted = diesel::sql_query(query).get_result(conn)?;
    Ok(if row.counted <= MAX_COUNTED { Total::Exact(row.counted) } else { Total::About(row.about.max(row.counted)) })
}

/// A text with its wildcards escaped, for `LIKE … ESCAPE '\'`.
pub(super) fn likeness(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
